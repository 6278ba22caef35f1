"""Findings of reading in nginx's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related

if TYPE_CHECKING:
    from lbcheck.text import Span


def hit(code: str, span: Span, problem: str, advice: str, related: list[Related] | None = None) -> Hit:
    """Return a finding of reading."""
    return Hit(code, span, {"problem": problem, "advice": advice}, related=related or ())

"""Checks that hold for every dialect, by rule code: plain functions from a Config to hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

    Check = Callable[[Config, Context], Iterable[Hit]]

CHECKS: dict[str, Check] = {}

"""How the reading of a config says what haproxy refuses in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.values import placeholder
from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Related
    from lbcheck.text import Span


def hit(
    code: str,
    span: Span,
    problem: str,
    advice: str,
    *,
    proxy: Proxy | None = None,
    server: str | None = None,
    related: Sequence[Related] = (),
) -> Hit:
    """Return a finding of reading: what is wrong with the words as written, and what to write instead."""
    args = {"problem": f"{problem}: haproxy refuses to start", "advice": advice}
    pool = proxy.name if proxy is not None and proxy.is_backend else None
    frontend = proxy.name if proxy is not None and proxy.kind == "frontend" else None
    return Hit(code, span, args, related=related, pool=pool, frontend=frontend, server=server)


def plain(line: Line, index: int) -> bool:
    """Say whether a word means what is written: no variable, template or placeholder in it."""
    return index not in line.opaque and not placeholder(line.word(index))


def certain(line: Line) -> bool:
    """Say whether a line is always read, as it stands: not in an `.if`, and no word of it stands for several."""
    return not line.branch and not line.expands


def listed(words: Sequence[str]) -> str:
    """Return "a, b or c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]

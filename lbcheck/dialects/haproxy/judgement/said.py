"""How the reading of a config says what haproxy refuses in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.values import placeholder
from lbcheck.findings import Hit
from lbcheck.spelling import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    effect: str = "haproxy refuses to start",
) -> Hit:
    """Return a finding of reading: what is wrong with the words as written, and what to write instead."""
    args = {"problem": f"{problem}: {effect}", "advice": advice}
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


class _Guesses:
    """How many words may still be looked up in the present config; comparing with hundreds of names takes time."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 0


_GUESSES = _Guesses()
#: haproxy itself gives up after 50 errors.
MAX_GUESSES = 200


def begin() -> None:
    """Start the judgement of a config: its misspelt words may be guessed again."""
    _GUESSES.left = MAX_GUESSES


def guess(name: str, candidates: Iterable[str]) -> str | None:
    """Return what a word was probably meant to be; None where nothing is near, or after too many guesses."""
    if _GUESSES.left <= 0:
        return None
    _GUESSES.left -= 1
    return closest(name, candidates)

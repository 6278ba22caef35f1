"""ANSI colours, for the formats that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    #: (style, text) → text
    Paint = Callable[[str, str], str]

#: Style → the parameters of "select graphic rendition" (ECMA-48). A severity is its own style.
STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "good": "1;32",
    "bold": "1",
    "gutter": "34",
}


def painter(*, color: bool) -> Paint:
    """Return a function that paints text in a style, or leaves it alone."""
    return _painted if color else _plain


def _painted(style: str, text: str) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _plain(style: str, text: str) -> str:
    del style
    return text

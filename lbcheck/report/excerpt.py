"""A source line for a terminal: escaped, tabs expanded, cut around what the caret points at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category, east_asian_width

from lbcheck.report.escape import shown

if TYPE_CHECKING:
    from lbcheck.results import Place

_TAB = 4
_CUT = "…"


def columns(text: str) -> int:
    """Return how many terminal columns a text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(0 if category(char) in {"Mn", "Me"} else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def excerpt(place: Place, width: int) -> tuple[str, int, int]:
    """Return (line, offset, length): the line of a place in at most `width` columns, and where to underline it.

    Offset and length are in terminal columns. The length is 0 where the place is not in the excerpt, which may
    be a part of a very long line.
    """
    text = place.excerpt
    start, end = _range(place)
    first = max(0, start - width)
    cells = _cells(text[first : start + width + 1])
    at = start - first
    dropped = _drop_left(cells, at, end - start, width)
    cut_left = first + dropped > 0
    cells = cells[dropped:]
    at -= dropped
    room = width - cut_left
    fitting = _fitting(cells, room)
    if first + dropped + fitting < len(text):
        fitting = _fitting(cells, room - 1)
    kept = cells[:fitting]
    line = f"{_CUT if cut_left else ''}{''.join(kept)}{_CUT if first + dropped + fitting < len(text) else ''}"
    offset = cut_left + sum(map(columns, kept[:at]))
    return line, offset, _underline(place, kept, at, end - start)


def _range(place: Place) -> tuple[int, int]:
    """Return the place as a range of its excerpt, what goes on in later lines cut off."""
    length = len(place.excerpt)
    start = min(max(place.column - 1, 0), length)
    end = place.end_column - 1 if place.end_line <= place.line else len(place.excerpt.rstrip())
    return start, max(start, min(end, length))


def _underline(place: Place, kept: list[str], at: int, length: int) -> int:
    if place.column - 1 > len(place.excerpt):
        return 0
    return max(1, sum(map(columns, kept[at : at + length])))


def _cells(text: str) -> list[str]:
    """Return each character as it is shown; tabs as the blanks that lead to the next stop."""
    cells = []
    column = 0
    for char, form in zip(text, shown(text), strict=True):
        cell = " " * (_TAB - column % _TAB) if char == "\t" else form
        cells.append(cell)
        column += columns(cell)
    return cells


def _drop_left(cells: list[str], at: int, length: int, width: int) -> int:
    """Return how many cells to leave out at the left, so that the underlined part is seen, or most of it."""
    before = sum(map(columns, cells[:at]))
    wanted = min(sum(map(columns, cells[at : at + length])), width * 2 // 3)
    dropped = 0
    while dropped < at and before + wanted > width - 2:
        before -= columns(cells[dropped])
        dropped += 1
    return dropped


def _fitting(cells: list[str], room: int) -> int:
    """Return how many cells fit into so many columns."""
    used = 0
    for number, cell in enumerate(cells):
        used += columns(cell)
        if used > room:
            return number
    return len(cells)

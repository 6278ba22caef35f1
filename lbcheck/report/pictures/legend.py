"""What the colours and patterns of a drawing mean; only those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.rows import NOBODY, OVERLOADED
from lbcheck.report.pictures.shapes import Box, Link, text_width
from lbcheck.traffic.outcome import FAIR, HOT, IDLE, STARVED, UNKNOWN

if TYPE_CHECKING:
    from lbcheck.report.pictures.shapes import Drawing

_WORDS = (
    (OVERLOADED, "over its capacity"),
    (HOT, "gets too much"),
    (STARVED, "starves"),
    (FAIR, "fair share"),
    (NOBODY, "nobody serves"),
    (UNKNOWN, "not known"),
    (IDLE, "idle on purpose"),
    ("absent", "not in this version"),
    ("fair-around", "what would be fair"),
    ("link", "a route; how many requests take it is not known"),
)
_CHIP = 14.0


def place_legend(drawing: Drawing, left: float, right: float, y: float) -> float:
    """Draw the legend and return where it ends."""
    looks = drawing.looks | ({"fair-around"} if "fair-within" in drawing.looks else set())
    x = left
    for look, words in _WORDS:
        if look not in looks:
            continue
        wide = _CHIP + 6 + text_width(words, "small") + 16
        if x > left and x + wide > right:
            x, y = left, y + 20
        if look == "link":
            drawing.links.append(Link(x, y + 8, x + _CHIP, y + 8))
        else:
            drawing.boxes.append(Box(x, y + 2, _CHIP - 2, 12, look))
        drawing.write(x + _CHIP + 6, y + 12, words, "small", room=right - x - _CHIP - 6, look="muted")
        x += wide
    return y + 18

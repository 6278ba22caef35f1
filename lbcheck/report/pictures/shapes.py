"""What a drawing is made of: bands, boxes, lines and labels at their places, in pixels, y downwards."""

from __future__ import annotations

from typing import NamedTuple

from lbcheck.report.excerpt import columns
from lbcheck.report.pictures.words import cut

#: Label style → (font size, whether it is monospaced, whether it is bold).
STYLES = {
    "title": (20.0, False, True),
    "lead": (14.0, False, False),
    "path": (12.5, True, False),
    "pool": (14.0, True, True),
    "name": (12.5, True, False),
    "share": (13.0, False, True),
    "mark": (12.0, False, True),
    "small": (12.0, False, False),
    "question": (26.0, False, True),
}
#: Widths of characters in ems, in the widest of the usual fonts (DejaVu Sans, Verdana): a reader's may be narrower.
_MONO = 0.605
_WIDE, _CAPITAL, _USUAL, _NARROW = 1.0, 0.78, 0.64, 0.4
_WIDE_CHARS = frozenset("%@mwMW—…‼▲▼✕×+−±")
_NARROW_CHARS = frozenset("ijl.,:;'|! ()[]")
_BOLD = 1.1


def text_width(text: str, style: str) -> float:
    """Return the room that a label takes at most, in pixels."""
    size, mono, bold = STYLES[style]
    if mono or not text.isascii():
        plain = sum(_char_width(char) for char in text if char in _WIDE_CHARS) if not mono else 0.0
        rest = text if mono else "".join(char for char in text if char not in _WIDE_CHARS)
        return size * ((columns(rest) * (_MONO if mono else _USUAL)) + plain) * (_BOLD if bold and not mono else 1.0)
    return size * sum(map(_char_width, text)) * (_BOLD if bold else 1.0)


def _char_width(char: str) -> float:
    if char in _WIDE_CHARS:
        return _WIDE
    if char in _NARROW_CHARS:
        return _NARROW
    return _CAPITAL if "A" <= char <= "Z" else _USUAL


def fitted(text: str, style: str, room: float) -> str:
    """Return text cut in its middle to so many pixels."""
    wide = text_width(text, style)
    if wide <= room:
        return text
    length = columns(text)
    while length > 1:
        length = min(length - 1, int(length * room / wide))
        shorter = cut(text, max(1, length))
        wide = text_width(shorter, style)
        if wide <= room:
            return shorter
    return ""


class Label(NamedTuple):
    """A text whose baseline starts (`anchor` "start"), ends or has its middle at x, y."""

    x: float
    y: float
    text: str
    style: str
    look: str = ""
    anchor: str = "start"


class Band(NamedTuple):
    """A stream as wide as its share, from the right side of one thing to the left side of another."""

    x0: float
    y0: float
    x1: float
    y1: float
    width: float
    look: str
    title: str = ""


class Link(NamedTuple):
    """A way that requests may take; how many is not known, so it has no width."""

    x0: float
    y0: float
    x1: float
    y1: float
    title: str = ""


class Box(NamedTuple):
    """A bar, a line (of no width), or a hatched area that nobody knows. `stripes`: how many things it stands for."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str = ""
    stripes: int = 1


class Drawing:
    """Shapes on a plane of `width` and, when it is finished, `height`."""

    __slots__ = ("bands", "boxes", "height", "labels", "links", "title", "width")

    def __init__(self, width: float, title: str = "") -> None:
        self.width = width
        self.height = 0.0
        self.title = title
        self.bands: list[Band] = []
        self.links: list[Link] = []
        self.boxes: list[Box] = []
        self.labels: list[Label] = []

    def write(
        self, x: float, y: float, text: str, style: str, *, room: float, look: str = "", anchor: str = "start"
    ) -> float:
        """Put a label into so many pixels and return how many it takes at most."""
        text = fitted(text, style, room)
        if text:
            self.labels.append(Label(x, y, text, style, look, anchor))
        return text_width(text, style)

    @property
    def looks(self) -> set[str]:
        """What the legend has to explain."""
        found = {shape.look for shapes in (self.boxes, self.bands) for shape in shapes}
        return found | {"link"} if self.links else found

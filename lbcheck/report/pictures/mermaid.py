"""A flowchart in Mermaid's language, which code hosts draw inside of Markdown.

Labels stand in quotes, and whatever is not a letter, a digit or a harmless sign is written as a character code
(`#60;`), which Mermaid shows as that character and never takes for syntax, HTML or Markdown
(https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.style import LIGHT
from lbcheck.report.pictures.words import cut, plain, wrapped
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So many pools a flowchart shows, and so many lines of each.
MOST_POOLS, MOST_LINES = 24, 8
#: Mermaid refuses longer texts (`maxTextSize`, in characters) and more edges (`maxEdges`) by default.
MAX_TEXT, MAX_EDGES = 50_000, 500
_SPARE_TEXT, _SPARE_EDGES = 4_000, 60
_ROOM = 40
_SENTENCE_ROOM = 30
_LINES = 4
_HARMLESS = frozenset(" .,-_/+%×→▲▼‼✕±−–…?")
#: Pixels of an edge that takes all requests of its pool, and of the thinnest one.
_WIDEST, _THINNEST = 16.0, 0.6
_CLASSES = f"""\
  classDef hot fill:{LIGHT["hot"]},stroke:{LIGHT["hot"]},color:#ffffff
  classDef starved fill:{LIGHT["starved"]},stroke:{LIGHT["starved"]},color:#ffffff
  classDef overloaded fill:{LIGHT["overloaded"]},stroke:{LIGHT["overloaded"]},color:#ffffff
  classDef nobody fill:none,stroke:{LIGHT["overloaded"]},stroke-width:3px,stroke-dasharray:6 3
  classDef unknown fill:none,stroke:{LIGHT["hatch"]},stroke-width:2px,stroke-dasharray:3 3
  classDef idle fill:none,stroke:{LIGHT["hatch"]},stroke-dasharray:2 4
"""
#: The looks that have a class; others are drawn as Mermaid's theme has it.
_KNOWN = frozenset({"hot", "starved", "overloaded", "nobody", "unknown", "idle"})


def label(*lines: str) -> str:
    """Return lines of text in quotes, each cut to what a box can hold."""
    return '"' + "<br/>".join(_coded(cut(plain(line), _ROOM)) for line in lines if line) + '"'


def sentence(text: str) -> list[str]:
    """Return a reason as the lines of a label."""
    return wrapped(text, _SENTENCE_ROOM, _LINES)


def _coded(text: str) -> str:
    return "".join(char if char.isalnum() or char in _HARMLESS else f"#{ord(char)};" for char in text) or "#32;"


class Flowchart:
    """Collects nodes and edges as long as Mermaid would still draw them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._styles: list[str] = []
        self._size = 0
        self._edges = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for another pool."""
        return self._size > MAX_TEXT - 2 * _SPARE_TEXT or self._edges > MAX_EDGES - 2 * _SPARE_EDGES

    @property
    def bursting(self) -> bool:
        """Whether there is no room for anything."""
        return self._size > MAX_TEXT - _SPARE_TEXT or self._edges > MAX_EDGES - _SPARE_EDGES

    def _add(self, line: str) -> None:
        self._lines.append(f"  {line}\n")
        self._size += len(line) + 3

    def node(self, name: str, lines: Sequence[str], look: str = "", shape: str = "[]") -> None:
        """Draw a box; `shape` is what its label stands in."""
        half = len(shape) // 2
        style = f":::{look}" if look in _KNOWN else ""
        self._add(f"{name}{shape[:half]}{label(*lines)}{shape[half:]}{style}")

    def edge(self, start: str, end: str, words: str = "", share: float | None = None) -> None:
        """Draw an edge as wide as its share; a dotted one where that is not known."""
        text = f"|{label(words)}|" if words else ""
        self._add(f"{start} {'-.->' if share is None else '-->'}{text} {end}")
        if share is not None:
            width = max(_THINNEST, share * _WIDEST)
            self._styles.append(f"  linkStyle {self._edges} stroke-width:{width:.1f}px\n")
            self._size += len(self._styles[-1])
        self._edges += 1

    def closed(self, left_out: int, empty: str) -> str:
        """Return the flowchart with the number of pools that it leaves out, or what to say where nothing is drawn."""
        if left_out:
            self.node("more", [counted(left_out, "more pool")], "idle")
        if empty:
            self.node("none", [empty])
        return self.text()

    def text(self) -> str:
        """Return the flowchart."""
        return "".join(["flowchart LR\n", *self._lines, *self._styles, _CLASSES])

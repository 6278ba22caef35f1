"""What the lexer and the section reader build: lines of words with exact places, and sections of lines."""

from __future__ import annotations

from lbcheck.text import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.text import Source

#: Which alternatives of `.if` blocks a line lies in: (number of the block, number of the alternative), outermost first.
Branch = tuple[tuple[int, int], ...]


class Line:
    """One line of words.

    `words` are the values that haproxy sees: quotes and escapes are resolved, the prefix `no` or `default` is taken
    off into `modifier`. `opaque` holds the indices of words with an environment variable or a template in them;
    their value is the text as written. `start` and `end` are the offsets of the first word's start and the last
    word's end. `expands` marks a word such as `"${ARGS[*]}"` that stands for any number of words.
    """

    __slots__ = ("_ends", "_starts", "branch", "end", "expands", "modifier", "opaque", "source", "start", "words")

    def __init__(self, source: Source, start: int, end: int, words: list[str]) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.words = words
        self.opaque: frozenset[int] = NOT_OPAQUE
        self.expands = False
        self.modifier = ""
        self.branch: Branch = ()
        self._starts: list[int] | None = None
        self._ends: list[int] | None = None

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def span(self) -> Span:
        """From the first word (the prefix `no` included) to the last."""
        return Span(self.source, self.start, self.end)

    def word(self, index: int) -> str:
        """Return a word, "" beyond the last: haproxy's parsers see the same."""
        return self.words[index] if index < len(self.words) else ""

    def starts(self) -> list[int]:
        """Return the offset at which each word begins."""
        starts = self._starts
        if starts is None:
            starts = self._starts = []
            find = self.source.text.find
            at = self.start
            if self.modifier:
                at += len(self.modifier)
            for word in self.words:
                at = find(word, at)
                starts.append(at)
                at += len(word)
        return starts

    def ends(self) -> list[int]:
        """Return the offset just after each word."""
        ends = self._ends
        if ends is None:
            ends = self._ends = [start + len(word) for start, word in zip(self.starts(), self.words, strict=True)]
        return ends

    def span_of(self, index: int, last: int | None = None) -> Span:
        """Return the place of word `index`, or from it to word `last`; the end of the line beyond the last word."""
        if index >= len(self.words):
            return Span(self.source, self.end, self.end)
        end = self.ends()[min(index if last is None else last, len(self.words) - 1)]
        return Span(self.source, self.starts()[index], end)

    def text_from(self, index: int) -> str:
        """Return the words from `index` on, joined by single blanks."""
        return " ".join(self.words[index:])

    def place(self, starts: list[int], ends: list[int], opaque: frozenset[int]) -> None:
        """Set the words' places where their values do not stand in the text as they are."""
        self._starts = starts
        self._ends = ends
        self.opaque = opaque

    def take_modifier(self) -> None:
        """Move a leading `no` or `default` into `modifier`."""
        self.modifier = self.words[0]
        del self.words[0]
        if self._starts is not None and self._ends is not None:
            del self._starts[0], self._ends[0]
        if self.opaque:
            self.opaque = frozenset(index - 1 for index in self.opaque if index)

    def __repr__(self) -> str:
        return f"Line({' '.join(self.words)!r})"


class WordSpan(Span):
    """The place of some words of a line, looked up when somebody asks: most options of most servers nobody asks for."""

    __slots__ = ("_first", "_last", "_line")

    def __init__(self, line: Line, first: int, last: int) -> None:
        self.source = line.source
        self._line = line
        self._first = first
        self._last = last

    @property
    def start(self) -> int:  # type: ignore[override] # a place is read, never set
        """Where the first word begins."""
        return self._line.starts()[self._first]

    @property
    def end(self) -> int:  # type: ignore[override] # the same
        """Where the last word ends."""
        return self._line.ends()[self._last]


NOT_OPAQUE: frozenset[int] = frozenset()


class Mistake:
    """Why a line could not be read as haproxy reads it: a rule's code, the place, what is wrong and what to write."""

    __slots__ = ("advice", "code", "end", "problem", "start")

    def __init__(self, code: str, start: int, end: int, problem: str, advice: str) -> None:
        self.code = code
        self.start = start
        self.end = end
        self.problem = problem
        self.advice = advice


class Document:
    """One file as lines. `controls` are the lines of a template engine's own statements, such as `{% for … %}`."""

    __slots__ = ("controls", "lines", "mistakes", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines: list[Line] = []
        self.mistakes: list[Mistake] = []
        self.controls: list[Span] = []


class Section:
    """A section as written: its head (`backend app from base`), and the lines that belong to it.

    `kind` is the keyword, `name` the first argument ("" where there is none), `base` the name after `from`.
    `templated` says that a template's statement decides about some of its lines.
    """

    __slots__ = ("base", "base_index", "head", "kind", "lines", "name", "templated")

    def __init__(self, kind: str, head: Line) -> None:
        self.kind = kind
        self.head = head
        self.name = head.word(1)
        self.base, self.base_index = _base(head.words)
        self.lines: list[Line] = []
        self.templated = False

    @property
    def span(self) -> Span:
        """The place of the head's keyword and name."""
        return self.head.span_of(0, 1) if len(self.head.words) > 1 else self.head.span_of(0)

    @property
    def extent(self) -> Span:
        """From the head to the end of the last line of its own file."""
        end = next((line.end for line in reversed(self.lines) if line.source is self.head.source), self.head.end)
        return Span(self.head.source, self.head.start, end)

    def __repr__(self) -> str:
        return f"Section({self.kind} {self.name!r}, {len(self.lines)} lines)"


def _base(words: Sequence[str]) -> tuple[str, int]:
    """Return the name after `from` in a section's head and its index; ("", 0) where there is none."""
    for index in (1, 2, 3):
        if index + 1 < len(words) and words[index] == "from" and (index > 1 or words[0] == "defaults"):
            return words[index + 1], index + 1
    return "", 0

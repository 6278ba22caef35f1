"""Text with exact places: every message, fix and suppression is a range of offsets into a Source."""

from __future__ import annotations

from bisect import bisect_right


class Source:
    """One text that was read: a file, standard input, or a file's blob in a git revision.

    `path` is what people are shown (relative to the working directory where it can be), `text` the decoded
    content. Bytes that are not UTF-8 are kept as lone surrogates, so that every byte has a place.
    """

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts: list[int] | None = None

    def _line_starts(self) -> list[int]:
        starts = self._starts
        if starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return (line, column) of an offset, both counted from 1, columns in code points."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of line `number` (from 1) without its line end; "" beyond the last line."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def line_start(self, number: int) -> int:
        """Return the offset at which line `number` (from 1) begins."""
        return self._line_starts()[number - 1]

    def span(self, start: int, end: int) -> Span:
        """Return the range [start, end) of this text."""
        return Span(self, start, end)

    def __repr__(self) -> str:
        return f"Source({self.path!r})"


class Span:
    """A range of offsets in one Source; line and column are derived when somebody asks."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def path(self) -> str:
        """The path of the source."""
        return self.source.path

    @property
    def line(self) -> int:
        """The line of the first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column of the first character, from 1, in code points."""
        return self.source.position(self.start)[1]

    @property
    def end_position(self) -> tuple[int, int]:
        """(line, column) just after the last character."""
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        """The text inside the range."""
        return self.source.text[self.start : self.end]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and self.source is other.source
            and self.start == other.start
            and self.end == other.end
        )

    def __hash__(self) -> int:
        return hash((id(self.source), self.start, self.end))

    def __repr__(self) -> str:
        return f"Span({self.path}:{self.line}:{self.column})"


#: So many comment lines above a line speak about it; more are a text of their own (and many servers may ask).
_COMMENT_LINES = 20


def comment_beside(span: Span) -> str:
    """Return the comments that speak about a line: the one behind it and the ones alone just above it.

    A reader's note such as `# canary` or `# draining until Friday` changes what a number means. All dialects
    that lbcheck reads begin a comment with `#`. Returns "" where there is none.
    """
    source = span.source
    number = span.line
    found = []
    _, mark, trailing = source.line(source.position(max(span.start, span.end - 1))[0]).partition("#")
    if mark:
        found.append(trailing.strip())
    above = number - 1
    while above >= max(1, number - _COMMENT_LINES) and (text := source.line(above).strip()).startswith("#"):
        found.append(text.lstrip("# "))
        above -= 1
    return " ".join(found)

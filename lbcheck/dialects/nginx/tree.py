"""The tree of one nginx file: directives with their places, blocks with their children. No directive is judged here.

`parse(source)` never raises: it returns what it read and the faults that stopped or disturbed it. Directives keep the
offsets of their whole text; the place of a single argument is found again when somebody asks (`Directive.arg_span`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.lexer import words
from lbcheck.dialects.nginx.templates import is_template, masked
from lbcheck.patterns import pattern
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.text import Source


class Directive:
    """One directive: `name`, the values of its `args`, and `children` (None for a simple one).

    [start, end) runs from the name to the `;`, or to the `{` of a block; `close` is the offset behind the `}`.
    `raw` is the text between the braces of a block in another language (Lua), whose children are not read.
    """

    __slots__ = ("args", "children", "close", "end", "name", "raw", "source", "start")

    def __init__(self, source: Source, name: str, args: list[str], start: int, end: int) -> None:
        self.source = source
        self.name = name
        self.args = args
        self.start = start
        self.end = end
        self.children: list[Directive] | None = None
        self.close = end
        self.raw: str | None = None

    @property
    def span(self) -> Span:
        """From the name to the last argument."""
        return Span(self.source, self.start, self.end)

    @property
    def name_span(self) -> Span:
        """The name alone."""
        return self.word_span(0)

    @property
    def block_span(self) -> Span:
        """The whole directive, its block included."""
        return Span(self.source, self.start, self.close)

    def arg_span(self, index: int) -> Span:
        """The argument at `index`, its quotes included."""
        return self.word_span(index + 1 if index >= 0 else len(self.args) + 1 + index)

    def word_span(self, index: int) -> Span:
        """The word at `index`, the name being word 0."""
        plain = self._plain_word(index)
        if plain is not None:
            return plain
        text = self.source.text[self.start : self.end]
        if is_template(text):
            text = masked(self.source.text)[self.start : self.end]
        for number, (start, end, _) in enumerate(words(text, 0, len(text))):
            if number == index:
                return Span(self.source, self.start + start, self.start + end)
        return self.span

    def _plain_word(self, index: int) -> Span | None:
        """Find a word without reading tokens: those until it stand as their values say, with blanks between them.

        Returns None where quotes, escapes, comments or templates make it less simple.
        """
        text, end = self.source.text, self.end
        first = at = self.start
        for word in (self.name, *self.args[:index]):
            first = text.find(word, at, end)
            if first < 0 or not word or text[at:first].strip(" \t\r\n"):
                return None
            at = first + len(word)
        return Span(self.source, first, at) if at == end or text[at] in " \t\r\n" else None

    def __repr__(self) -> str:
        return f"Directive({self.name} {' '.join(self.args)}{' {}' if self.children is not None else ''})"


class Fault:
    """Where the text is no nginx config: what is wrong, what to write, and the place that explains it.

    `code` is E01, or E04 where a limit was met.
    """

    __slots__ = ("advice", "code", "end", "problem", "related", "start")

    def __init__(
        self,
        start: int,
        end: int,
        problem: str,
        advice: str,
        related: tuple[int, int, str] | None = None,
        code: str = "E01",
    ) -> None:
        self.start = start
        self.end = end
        self.problem = problem
        self.advice = advice
        self.related = related
        self.code = code


class Tree:
    """One file, read: its top directives, its faults, and the ranges of a template that were not read, with reasons."""

    __slots__ = ("directives", "faults", "gaps", "source")

    def __init__(
        self,
        source: Source,
        directives: list[Directive],
        faults: list[Fault],
        gaps: Sequence[tuple[int, int, str]] = (),
    ) -> None:
        self.source = source
        self.directives = directives
        self.faults = faults
        self.gaps = gaps

    def all(self) -> Iterator[Directive]:
        """Yield every directive, parents before their children, in order of writing."""
        stack = list(reversed(self.directives))
        while stack:
            directive = stack.pop()
            yield directive
            if directive.children:
                stack.extend(reversed(directive.children))


_LUA = pattern(
    r"""--\[(=*)\[[\s\S]*?\]\1\]|--[^\n]*|\[(=*)\[[\s\S]*?\]\2\]|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|[{}]"""
)


def lua_end(text: str, start: int) -> int:
    """Return the offset of the `}` that closes a Lua block whose text begins at `start`, or -1."""
    depth = 1
    for match in _LUA.finditer(text, start):
        mark = match[0]
        if mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
            if not depth:
                return match.start()
    return -1

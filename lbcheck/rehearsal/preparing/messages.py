"""What a proxy's own check says, with places in the user's own files: line and, where the words tell, column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.outcome import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lbcheck.rehearsal.preparing.prepared import Prepared, Statement

#: What differs from run to run, and what is said of every config: date and process of nginx, process of HAProxy.
_RUN = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d |(?<=\]) \d+#\d+:(?= )|(?<=\])\s+\(\d+\) :(?= )")
_NOISE = re.compile(
    r"\[NOTICE\] (?:haproxy version is|path to executable is) "
    r"|Removing incomplete section 'peers [^']*' \(no peer named "  # a machine has the name of one, this one has not
)
#: Behind a path: `:12` of nginx and HAProxy, `' at line 12` of HAProxy.
_LINE = re.compile(r"(?::|['\"] at line )(\d+)")
#: Around a place that is told apart: ` in PATH:12` at the end of a line of nginx, HAProxy's `[PATH:12]`.
_AROUND = ((" in ", ""), ("parsing [", "] : "), ("parsing [", "]: "), ("[", "] : "))
#: A word of the config, as messages quote it.
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|<([^>]+)>")


def messages(output: str, prepared: Prepared) -> tuple[Message, ...]:
    """Return the lines of a check of this config. Lines and columns are counted from 1, columns in code points."""
    statements = _Statements(prepared.statements)
    lines = (_RUN.sub("", line.strip()) for line in output.splitlines())
    said = [line for line in lines if line and not _NOISE.search(line)]
    return tuple(_message(line, prepared.places, statements) for line in said)


def _message(text: str, places: Mapping[str, str], statements: _Statements) -> Message:
    found = _found(text, places)
    path = line = column = None
    if found is not None:
        start, end, inside, line = found
        path = places[inside]
        text = _without(text, start, end)
        line, column = statements.at(path, line, text)
    for inside in sorted(places, key=len, reverse=True):
        text = text.replace(inside, places[inside])
    return Message(path, line, text, column)


def _found(text: str, places: Iterable[str]) -> tuple[int, int, str, int] | None:
    """Return where in a message the first place stands, and its path and line."""
    found = []
    for path in places:
        at = text.find(path)
        while at >= 0:
            if match := _LINE.match(text, at + len(path)):
                found.append((at, match.end(), path, int(match[1])))
                break
            at = text.find(path, at + 1)
    return min(found, key=lambda one: (one[0], -one[1]), default=None)


def _without(text: str, start: int, end: int) -> str:
    """Return a message without its place, where that is not part of a sentence."""
    for before, after in _AROUND:
        if text.startswith(before, start - len(before)) and text.startswith(after, end) and (after or end == len(text)):
            return text[: start - len(before)] + text[end + len(after) :]
    return text


class _Statements:
    """The statements of a config by path and line, made when a first message has a place."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._all = statements
        self._lines: dict[tuple[str, int], list[Statement]] | None = None

    def at(self, path: str, line: int, text: str) -> tuple[int, int | None]:
        """Return line and column of what a message is about: the word that it quotes, or else the statement there."""
        here = self._by_line().get((path, line), [])
        for words in _QUOTED.findall(text):
            word = next(filter(None, words))
            for statement in here:
                if word in statement.words:
                    span = statement.place(list(statement.words).index(word))
                    return span.line, span.column
        starting = [span for span in (statement.place(0) for statement in here) if span.line == line]
        return line, starting[0].column if len(starting) == 1 else None

    def _by_line(self) -> dict[tuple[str, int], list[Statement]]:
        """Return the statements that begin or end on each line: nginx names the line on which one ends."""
        if self._lines is None:
            self._lines = {}
            for statement in self._all:
                first, last = statement.place(0), statement.place(len(statement.words) - 1)
                for line in {first.line, last.line}:
                    self._lines.setdefault((first.path, line), []).append(statement)
        return self._lines

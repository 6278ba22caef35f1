"""Spans as Places: lines, columns and an excerpt that shows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.redaction import WINDOW, line_ranges, masked, secrets, without
from lbcheck.results import Change, Note, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.findings import Fix, Related
    from lbcheck.text import Source, Span


def place(span: Span) -> Place:
    """Return where a span is, for people and machines."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.start, span.end))
    return Place(
        span.path, line, column, end_line, end_column, span.start, max(span.start, span.end), excerpt(span.source, line)
    )


def excerpt(source: Source, number: int) -> str:
    """Return the text of a line, at most 4,000 characters of it, its secrets replaced by asterisks."""
    line = source.line(number)
    shown = line[:WINDOW]
    return masked(shown, line_ranges(source, number))


def hidden(span: Span) -> list[str]:
    """Return the secret words in the lines of a span, which no message about it may repeat."""
    first = span.line
    last = span.source.position(max(span.start, span.end - 1))[0]
    return secrets(span.source, first, last)


def notes(related: Iterable[Related], words: list[str]) -> tuple[Note, ...]:
    """Return the other places that explain a finding, without the secret words."""
    return tuple(Note(place(other.span), without(other.message, [*words, *hidden(other.span)])) for other in related)


def change(fix: Fix | None, words: list[str]) -> Change | None:
    """Return a fix as flat data; None where its text would repeat a secret word, for it must not be printed."""
    if fix is None or any(word in edit.text for edit in fix.edits for word in words):
        return None
    edits = tuple((edit.span.path, edit.span.start, edit.span.end, edit.text) for edit in fix.edits)
    return Change(without(fix.title, words), fix.safe, edits)

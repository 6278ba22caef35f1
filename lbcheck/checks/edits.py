"""Edits that mend a server's line; each returns None where the text is not what the model led to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Edit, Fix
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.model import Server, Setting

#: How a server's line says its weight.
_WEIGHT = {"nginx": " weight={}", "haproxy": " weight {}"}


def replace_word(span: Span | None, old: str, new: str) -> Edit | None:
    """Replace the last occurrence of `old` in the text of `span`, if it stands there as a word of its own."""
    if span is None or not old:
        return None
    text = span.text
    at = text.rfind(old)
    if at < 0 or _joins(text[at - 1 : at], old[0]) or _joins(text[at + len(old) : at + len(old) + 1], old[-1]):
        return None
    start = span.start + at
    return Edit(Span(span.source, start, start + len(old)), new)


def _joins(neighbour: str, edge: str) -> bool:
    """Say whether two neighbouring characters belong to one word or number."""
    return neighbour.isalnum() and edge.isalnum()


def set_weight(server: Server, dialect: str, weight: int) -> Edit | None:
    """Write `weight` where the server's own line says another one, or none."""
    written: Setting[int] = server.weight
    line = server.span
    if written.span is not None:
        own = written.span.source is line.source and line.start <= written.span.start <= line.end
        return replace_word(written.span, str(written.value), str(weight)) if own else None
    form = _WEIGHT.get(dialect)
    at = line.text.find(server.address.text)
    if form is None or at < 0:
        return None
    end = line.start + at + len(server.address.text)
    if line.source.text[end : end + 1] not in (" ", "\t", ";", "\n", "\r", ""):
        return None
    return Edit(Span(line.source, end, end), form.format(weight))


def whole_lines(span: Span) -> Edit | None:
    """Drop the lines that `span` fills, line end included; None where something else than a comment shares them."""
    source = span.source
    first, last = source.position(span.start)[0], source.position(max(span.end - 1, span.start))[0]
    start = source.line_start(first)
    before, after = source.text[start : span.start], source.line(last)[span.end - source.line_start(last) :]
    if before.strip() or after.partition("#")[0].strip(" \t;"):
        return None
    end = source.text.find("\n", span.end)
    return Edit(Span(source, start, len(source.text) if end < 0 else end + 1), "")


def unsafe(title: str, edits: Iterable[Edit | None]) -> Fix | None:
    """Return the edits as one fix that changes traffic; None where one of them cannot be made, or there is none."""
    known = list(edits)
    if not known or any(edit is None for edit in known):
        return None
    return Fix(title, [edit for edit in known if edit is not None], safe=False)

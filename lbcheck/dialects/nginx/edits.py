"""Edits of nginx directives, for fixes; all of them change where traffic goes, so none is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Edit, Fix
from lbcheck.text import Span

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.tree import Directive


def indent(directive: Directive) -> str | None:
    """Return the blanks before a directive; None where something else stands before it on its line."""
    source = directive.source
    blank = source.text[source.line_start(source.position(directive.start)[0]) : directive.start]
    return blank if not blank or blank.isspace() else None


def drop(directive: Directive) -> Edit:
    """Delete a directive, with its line where it fills one."""
    source, start, end = directive.source, directive.start, directive.close
    blank = indent(directive)
    line_end = source.text.find("\n", end)
    rest = source.text[end : len(source.text) if line_end < 0 else line_end]
    if blank is not None and not rest.strip():
        start, end = start - len(blank), len(source.text) if line_end < 0 else line_end + 1
    return Edit(Span(source, start, end), "")


def before(directive: Directive, text: str) -> Edit:
    """Write other directives above this one."""
    blank = indent(directive)
    separator = " " if blank is None else f"\n{blank}"
    return Edit(Span(directive.source, directive.start, directive.start), text + separator)


def behind(directive: Directive, text: str) -> Edit:
    """Write other directives below this one."""
    blank = indent(directive)
    separator = " " if blank is None else f"\n{blank}"
    return Edit(Span(directive.source, directive.close, directive.close), separator + text)


def unsafe(title: str, *edits: Edit) -> Fix:
    """Return edits as one fix that changes traffic."""
    return Fix(title, edits, safe=False)

"""`--output-format junit`: JUnit XML, which nearly every CI system reads.

A suite is a file. A case is a finding, and fails where its severity fails the run; a place that was not checked is a
skipped case. A clean run has one passing case, since several CI systems take a report without cases for an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import at_least
from lbcheck.report import summary
from lbcheck.report.escape import escape
from lbcheck.report.junit_parts import Suite, document

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Finding, Note, Result

#: The finding that says that lbcheck itself failed: JUnit tells errors from failures.
_INTERNAL = "E00"


def render(result: Result, options: Options) -> str:
    """Return the report as XML in ASCII."""
    suites: dict[str, Suite] = {}
    for found in result.findings:
        _add_finding(_suite(suites, found.place.path), found, options.fail_on)
    for note in result.not_checked:
        _add_note(_suite(suites, note.place.path), note)
    if not result.findings:
        _suite(suites, "").passed(summary.headline(result))
    return document(suites)


def _suite(suites: dict[str, Suite], path: str) -> Suite:
    return suites.setdefault(path, Suite(path))


def _add_finding(suite: Suite, found: Finding, fail_on: str) -> None:
    place = found.place
    where = f"{place.path}:{place.line}:{place.column}"
    words = [f"{where}: {found.severity}: {found.message}", *(f"help: {found.help}" for _ in [0] if found.help)]
    words += [f"{note.place.path}:{note.place.line}: {note.message}" for note in found.related]
    text = "\n".join(map(escape, [*words, *([found.url] if found.url else [])]))
    name = f"{found.code} {found.name} ({place.line}:{place.column})"
    if found.code == _INTERNAL:
        suite.broken(name, found.code, found.message, text)
    elif at_least(found.severity, fail_on):
        suite.failed(name, found.code, found.message, text)
    else:
        suite.passed(name, text)


def _add_note(suite: Suite, note: Note) -> None:
    suite.left_out(f"not checked ({note.place.line}:{note.place.column})", note.message)

"""`--output-format junit`: JUnit XML, which nearly every CI system reads.

There is no standard; the elements and attributes are those that every version of the schema of Jenkins' xUnit plugin
(junit-10.xsd) allows: since 2018 it has no `file` and `line` for a case, so they stand in its name and text.
A suite is a file. A case is a finding, and fails where its severity fails the run; a place that was not checked is a
skipped case. A clean run has one passing case, since several CI systems take a report without cases for an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import at_least
from lbcheck.report import summary
from lbcheck.report.escape import escape

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Finding, Note, Result

#: The finding that says that lbcheck itself failed: JUnit tells errors from failures.
_INTERNAL = "E00"


class _Suite:
    """The cases of one file, counted."""

    __slots__ = ("cases", "errors", "failures", "skipped")

    def __init__(self) -> None:
        self.cases: list[str] = []
        self.errors = 0
        self.failures = 0
        self.skipped = 0


def render(result: Result, options: Options) -> str:
    """Return the report as XML in ASCII."""
    suites: dict[str, _Suite] = {}
    for found in result.findings:
        _add_finding(suites.setdefault(found.place.path, _Suite()), found, options.fail_on)
    for note in result.not_checked:
        _add_note(suites.setdefault(note.place.path, _Suite()), note)
    if not result.findings:
        suites.setdefault("", _Suite()).cases.append(f"<testcase{_case('lbcheck', summary.headline(result))}/>")
    tests = sum(len(suite.cases) for suite in suites.values())
    failures = sum(suite.failures for suite in suites.values())
    errors = sum(suite.errors for suite in suites.values())
    head = f'<testsuites name="lbcheck" tests="{tests}" failures="{failures}" errors="{errors}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for path, suite in suites.items():
        lines += _suite(path, suite)
    lines.append("</testsuites>\n")
    return "\n".join(lines).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _suite(path: str, suite: _Suite) -> list[str]:
    numbers = f'failures="{suite.failures}" errors="{suite.errors}" skipped="{suite.skipped}"'
    names = f'name="{_xml(path)}" file="{_xml(path)}"' if path else 'name="lbcheck"'
    head = f'  <testsuite {names} tests="{len(suite.cases)}" {numbers}>'
    return [head, *(f"    {case}" for case in suite.cases), "  </testsuite>"]


def _add_finding(suite: _Suite, found: Finding, fail_on: str) -> None:
    place = found.place
    where = f"{place.path}:{place.line}:{place.column}"
    words = [f"{where}: {found.severity}: {found.message}", *(f"help: {found.help}" for _ in [0] if found.help)]
    words += [f"{note.place.path}:{note.place.line}: {note.message}" for note in found.related]
    text = "\n".join(map(_xml, [*words, *([found.url] if found.url else [])]))
    kind = f'type="{_xml(found.code)}" message="{_xml(found.message)}"'
    if found.code == _INTERNAL:
        suite.errors += 1
        inner = f"<error {kind}>{text}</error>"
    elif at_least(found.severity, fail_on):
        suite.failures += 1
        inner = f"<failure {kind}>{text}</failure>"
    else:
        inner = f"<system-out>{text}</system-out>"
    name = f"{found.code} {found.name} ({place.line}:{place.column})"
    suite.cases.append(f"<testcase{_case(place.path, name)}>{inner}</testcase>")


def _add_note(suite: _Suite, note: Note) -> None:
    suite.skipped += 1
    name = f"not checked ({note.place.line}:{note.place.column})"
    attributes = _case(note.place.path, name)
    suite.cases.append(f'<testcase{attributes}><skipped message="{_xml(note.message)}"/></testcase>')


def _case(path: str, name: str) -> str:
    return f' classname="{_xml(path)}" name="{_xml(name)}"'


def _xml(text: str) -> str:
    """Return text for XML content and attributes; what XML forbids is written out as for a terminal."""
    text = escape(text)
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, name)
    return text

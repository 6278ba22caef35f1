"""What every JUnit report of ours is made of.

There is no standard; the elements and attributes are those that every version of the schema of Jenkins' xUnit plugin
(junit-10.xsd) allows: since 2018 it has no `file` and `line` for a case, so they stand in its name and text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.escape import escape

if TYPE_CHECKING:
    from collections.abc import Mapping


class Suite:
    """The cases of one file, counted."""

    __slots__ = ("_path", "cases", "errors", "failures", "skipped")

    def __init__(self, path: str) -> None:
        self._path = path
        self.cases: list[str] = []
        self.errors = 0
        self.failures = 0
        self.skipped = 0

    def passed(self, name: str, output: str = "") -> None:
        """Add a case that passed; `output` is what there is to say all the same."""
        self._case(name, f"<system-out>{_lines(output)}</system-out>" if output else "")

    def failed(self, name: str, kind: str, message: str, text: str) -> None:
        """Add a case that failed."""
        self.failures += 1
        self._case(name, f'<failure type="{xml(kind)}" message="{xml(message)}">{_lines(text)}</failure>')

    def broken(self, name: str, kind: str, message: str, text: str) -> None:
        """Add a case that could not be tried."""
        self.errors += 1
        self._case(name, f'<error type="{xml(kind)}" message="{xml(message)}">{_lines(text)}</error>')

    def left_out(self, name: str, message: str) -> None:
        """Add a case that was not tried."""
        self.skipped += 1
        self._case(name, f'<skipped message="{xml(message)}"/>')

    def _case(self, name: str, inner: str) -> None:
        case = f'<testcase classname="{xml(self._path or "lbcheck")}" name="{xml(name)}"'
        self.cases.append(f"{case}>{inner}</testcase>" if inner else f"{case}/>")

    def lines(self) -> list[str]:
        """Return the suite's lines."""
        numbers = f'failures="{self.failures}" errors="{self.errors}" skipped="{self.skipped}"'
        path = xml(self._path)
        names = f'name="{path}" file="{path}"' if path else 'name="lbcheck"'
        head = f'  <testsuite {names} tests="{len(self.cases)}" {numbers}>'
        return [head, *(f"    {case}" for case in self.cases), "  </testsuite>"]


def document(suites: Mapping[str, Suite]) -> str:
    """Return the report as XML in ASCII. `suites` by path."""
    tests = sum(len(suite.cases) for suite in suites.values())
    failures = sum(suite.failures for suite in suites.values())
    errors = sum(suite.errors for suite in suites.values())
    head = f'<testsuites name="lbcheck" tests="{tests}" failures="{failures}" errors="{errors}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for suite in suites.values():
        lines += suite.lines()
    lines.append("</testsuites>\n")
    return "\n".join(lines).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _lines(text: str) -> str:
    """Return text of several lines for XML content."""
    return "\n".join(map(xml, text.split("\n")))


def xml(text: str) -> str:
    """Return text for XML content and attributes; what XML forbids is written out as for a terminal."""
    text = escape(text)
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, name)
    return text

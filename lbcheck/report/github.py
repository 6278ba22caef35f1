"""`--output-format github`: workflow commands, which GitHub Actions shows beside the lines of a pull request.

The syntax and its escaping are those of GitHub's own toolkit (actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report import summary
from lbcheck.report.escape import escape

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Finding, Result

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(result: Result, options: Options) -> str:
    """Return a command for each finding, and a notice where something was not checked; each line is one command."""
    del options
    lines = [_command(found) for found in result.findings]
    if result.not_checked:
        lines.append(f"::notice title=lbcheck::{_data(summary.headline(result))}")
    return "".join(f"{line}\n" for line in lines)


def _command(found: Finding) -> str:
    place = found.place
    properties = [("file", place.path), ("line", str(place.line))]
    if place.end_line == place.line:
        # GitHub refuses columns for annotations of several lines
        properties += [("col", str(place.column)), ("endLine", str(place.line)), ("endColumn", str(place.end_column))]
    else:
        properties.append(("endLine", str(place.end_line)))
    properties.append(("title", f"{found.code} {found.name}"))
    words = f"{found.message}\n{found.help}" if found.help else found.message
    written = ",".join(f"{key}={_property(value)}" for key, value in properties)
    return f"::{_COMMANDS.get(found.severity, 'notice')} {written}::{_data(words)}"


def _data(text: str) -> str:
    return escape(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""`--output-format concise`: a line for each finding, for editors and greps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report import summary
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.paint import painter

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.report.paint import Paint
    from lbcheck.results import Finding, Result


def render(result: Result, options: Options) -> str:
    """Return `path:line:col: severity CODE message (help)` lines and the summary."""
    paint = painter(color=options.color)
    lines = [_line(found, paint) for found in result.findings]
    lines.append(summary.headline(result))
    return "\n".join(lines) + "\n"


def _line(found: Finding, paint: Paint) -> str:
    place = found.place
    where = paint("bold", f"{shown_path(place.path)}:{place.line}:{place.column}:")
    advice = f" ({escape(found.help)})" if found.help else ""
    return f"{where} {paint(found.severity, found.severity)} {escape(found.code)} {escape(found.message)}{advice}"

"""`--output-format json`: the whole run as one object, described by check.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Result


def render(result: Result, options: Options) -> str:
    """Return one JSON object, with a line for each finding and each place that was not checked."""
    del options
    members = (
        ("version", dumps(objects.VERSION)),
        ("tool", dumps(objects.tool())),
        ("summary", dumps(objects.summary(result))),
        ("findings", listed([objects.finding(found) for found in result.findings])),
        ("not_checked", listed([objects.not_checked(note) for note in result.not_checked])),
    )
    return lines(members) + "\n"

"""`--output-format json-lines`: an object a line, for streams.

Each line has a `type`: first every `finding`, then every `not_checked` place, both with the keys that they have in the
`json` format, and last one `summary` with `version`, `tool` and `summary`. A reader that saw no summary saw a run that
did not end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Result


def render(result: Result, options: Options) -> str:
    """Return findings, places not checked and the summary, each as one line of JSON."""
    del options
    lines = [dumps({"type": "finding", **objects.finding(found)}) for found in result.findings]
    lines += [dumps({"type": "not_checked", **objects.not_checked(note)}) for note in result.not_checked]
    lines.append(
        dumps(
            {
                "type": "summary",
                "version": objects.VERSION,
                "tool": objects.tool(),
                "summary": objects.summary(result),
            }
        )
    )
    return "\n".join(lines) + "\n"

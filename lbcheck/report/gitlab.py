"""`--output-format gitlab`: a Code Quality report, which GitLab shows in merge requests.

The format is the part of Code Climate's that GitLab reads: https://docs.gitlab.com/ci/testing/code_quality/
("Code Quality report format"). Places that were not checked have no room in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report.escape import escape
from lbcheck.report.jsontext import listed

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.results import Finding, Result

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def render(result: Result, options: Options) -> str:
    """Return a JSON array of issues."""
    del options
    used: dict[str, int] = {}
    return listed([_issue(found, _unique(found.fingerprint, used)) for found in result.findings]) + "\n"


def _issue(found: Finding, fingerprint: str) -> dict[str, Any]:
    place = found.place
    words = f"{found.message} ({found.help})" if found.help else found.message
    return {
        "description": escape(words),
        "check_name": f"{found.code} {found.name}",
        "fingerprint": fingerprint,
        "severity": _SEVERITIES.get(found.severity, "info"),
        "location": {
            "path": place.path.removeprefix("./"),
            "lines": {"begin": place.line, "end": max(place.line, place.end_line)},
        },
    }


def _unique(fingerprint: str, used: dict[str, int]) -> str:
    """Return the fingerprint, told apart from earlier equal ones: GitLab shows only the first of two.

    `used` holds the fingerprints that were returned, and how far each was counted.
    """
    candidate = fingerprint
    while candidate in used:
        used[fingerprint] += 1
        candidate = f"{fingerprint}-{used[fingerprint]}"
    used[candidate] = 1
    return candidate

"""A baseline: the findings that were there when lbcheck came, so that only new ones fail a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lbcheck.files import FileTree
    from lbcheck.results import Finding, Result

#: The format's version. Additions are allowed, changes not.
VERSION = 1
#: What no baseline may hide: that lbcheck itself failed, and that a config was not read.
NEVER = frozenset({"E00"})


class BaselineError(Exception):
    """A baseline that cannot be used: one line that names the file and the reason."""


def text(findings: Iterable[Finding]) -> str:
    """Return the baseline that silences these findings, as JSON, in an order that makes small diffs."""
    import json

    counted: dict[tuple[str, str, str], int] = {}
    for finding in findings:
        if finding.code not in NEVER:
            key = (finding.place.path, finding.code, finding.fingerprint)
            counted[key] = counted.get(key, 0) + 1
    entries = [
        {"path": path, "code": code, "fingerprint": fingerprint, "count": count}
        for (path, code, fingerprint), count in sorted(counted.items())
    ]
    return json.dumps({"version": VERSION, "findings": entries}, indent=1) + "\n"


def read(path: str, files: FileTree | None = None) -> dict[str, int]:
    """Return fingerprint → how many findings with it are known; no `files`: on the disk. Raises BaselineError."""
    import json

    from lbcheck.files import UnreadableError, text_at

    try:
        document = json.loads(text_at(path, files))
    except UnreadableError as error:
        raise BaselineError(f"{path}: {error.reason}") from None
    except (ValueError, RecursionError):
        raise BaselineError(f"{path}: not JSON; write it anew with --write-baseline") from None
    try:
        return _counts(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BaselineError(
            f"{path}: not a baseline of version {VERSION}; write it anew with --write-baseline"
        ) from None


def _counts(document: Any) -> dict[str, int]:
    if document["version"] != VERSION:
        raise ValueError(document["version"])
    counts: dict[str, int] = {}
    for entry in document["findings"]:
        fingerprint = entry["fingerprint"]
        if not isinstance(fingerprint, str):
            raise TypeError(fingerprint)
        counts[fingerprint] = counts.get(fingerprint, 0) + int(entry["count"])
    return counts


def apply(result: Result, known: Mapping[str, int]) -> None:
    """Take the known findings out of a result and count them as suppressed; the earlier ones in its order first."""
    left = dict(known)
    kept = []
    for finding in result.findings:
        if left.get(finding.fingerprint, 0) > 0 and finding.code not in NEVER:
            left[finding.fingerprint] -= 1
            result.suppressed += 1
        else:
            kept.append(finding)
    result.findings = kept

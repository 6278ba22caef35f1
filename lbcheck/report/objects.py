"""The result as the plain objects of our own JSON formats. Keys may be added, never changed: scripts read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck import __version__
from lbcheck.findings import SEVERITIES

if TYPE_CHECKING:
    from lbcheck.results import Change, Finding, Note, Result, Unmatched

#: The version of these formats.
VERSION = 1


def tool() -> dict[str, Any]:
    """Return who wrote the report."""
    return {"name": "lbcheck", "version": __version__}


def summary(result: Result) -> dict[str, int]:
    """Return how much was looked at and what came of it, in numbers."""
    return {
        **result.counts._asdict(),
        **{severity: result.count(severity) for severity in SEVERITIES},
        "suppressed": result.suppressed,
        "not_checked": len(result.not_checked),
    }


def finding(found: Finding) -> dict[str, Any]:
    """Return one finding."""
    place = found.place
    return {
        "code": found.code,
        "name": found.name,
        "severity": found.severity,
        "message": found.message,
        "help": found.help,
        "fingerprint": found.fingerprint,
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "config": found.config,
        "dialect": found.dialect,
        "frontend": found.frontend,
        "route": found.route,
        "pool": found.pool,
        "server": found.server,
        "object": found.object,
        "pointer": found.pointer,
        "related": [_related(note) for note in found.related],
        "fix": _fix(found.fix) if found.fix else None,
        "url": found.url or None,
    }


def _related(note: Note) -> dict[str, Any]:
    place = note.place
    return {"path": place.path, "line": place.line, "column": place.column, "message": note.message}


def _fix(change: Change) -> dict[str, Any]:
    edits = [{"path": path, "start": start, "end": end, "text": text} for path, start, end, text in change.edits]
    return {"title": change.title, "safe": change.safe, "edits": edits}


def not_checked(note: Note) -> dict[str, Any]:
    """Return one place that was not checked."""
    return {"path": note.place.path, "line": note.place.line, "reason": note.message}


def unmatched(entry: Unmatched) -> dict[str, Any]:
    """Return an entry of the settings that matches nothing."""
    return {name: getattr(entry, name) for name in ("entry", "value", "problem", "path", "line")}

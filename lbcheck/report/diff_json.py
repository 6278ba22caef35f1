"""`lbcheck diff --output-format json`: what a change moves, described by diff.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes, NotUnderstood, PoolChange, ServerChange
    from lbcheck.report.options import Options
    from lbcheck.traffic.outcome import PoolTraffic


def render(changes: Changes, options: Options) -> str:
    """Return one JSON object, with a line for each pool and each finding."""
    del options
    findings = (
        ("introduced", listed([objects.finding(found) for found in changes.introduced])),
        ("fixed", listed([objects.finding(found) for found in changes.fixed])),
        ("unchanged", dumps(changes.unchanged)),
    )
    members = (
        ("version", dumps(objects.VERSION)),
        ("tool", dumps(objects.tool())),
        ("moved", dumps(None if changes.not_understood else changes.moved)),
        ("moved_unknown", dumps(changes.moved is None or bool(changes.not_understood))),
        ("moved_understood", dumps(changes.moved)),
        ("not_understood", listed([_not_understood(one) for one in changes.not_understood])),
        ("rerouted", dumps(changes.rerouted)),
        ("pools", listed([_pool(pool) for pool in changes.pools])),
        ("findings", lines(findings)),
        ("not_checked", lines([(side, listed(_notes(changes, side))) for side in ("before", "after")])),
        ("unmatched_settings", listed([objects.unmatched(entry) for entry in changes.unmatched])),
    )
    return lines(members) + "\n"


def _not_understood(one: NotUnderstood) -> dict[str, Any]:
    return {
        "path": one.path,
        "line": one.line,
        "config": one.config,
        "name": one.name,
        "field": list(one.field),
        "before": one.before,
        "after": one.after,
        "moved": one.moved,
    }


def _notes(changes: Changes, side: str) -> list[dict[str, Any]]:
    traffic = changes.before if side == "before" else changes.after
    return [objects.not_checked(note) for note in traffic.not_checked]


def _pool(pool: PoolChange) -> dict[str, Any]:
    before, after = pool.before, pool.after
    return {
        "name": pool.name,
        "renamed_from": pool.renamed_from,
        "path": pool.path,
        "line": next(side.line for side in (after, before) if side is not None),
        "dialect": pool.dialect,
        "config": pool.config,
        "protocol": pool.protocol,
        "status": pool.status,
        "moved": pool.moved,
        "reason": pool.reason,
        "exact": all(side is None or side.exact for side in (before, after)),
        "keys_moved": pool.keys_moved,
        "keys_exact": pool.keys_exact,
        "keys_reason": pool.keys_reason,
        "before": _side(before),
        "after": _side(after),
        "servers": [_server(server) for server in pool.servers],
    }


def _side(pool: PoolTraffic | None) -> dict[str, Any] | None:
    """Return what holds of the pool in one version; None where it does not exist, or is not seen, there."""
    if pool is None:
        return None
    return {
        "path": pool.path,
        "line": pool.line,
        "algorithm": pool.algorithm,
        "unserved": pool.unserved,
        "notes": list(pool.notes),
    }


def _server(server: ServerChange) -> dict[str, Any]:
    return {
        "name": server.name,
        "renamed_from": server.renamed_from,
        "address": server.address,
        "address_before": server.address_before,
        "status": server.status,
        "before": server.before,
        "after": server.after,
    }

"""`lbcheck probe --output-format json`: what came of every server, described by probe.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.live.outcome import STATES
from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from lbcheck.live.outcome import Certificate, ProbedPool, ProbedServer, Probes
    from lbcheck.report.options import Options


def render(probes: Probes, options: Options) -> str:
    """Return one JSON object, with a line for each pool."""
    del options
    members = (
        ("version", dumps(objects.VERSION)),
        ("tool", dumps(objects.tool())),
        ("dry_run", dumps(probes.dry_run)),
        ("summary", dumps({state: probes.count(state) for state in STATES})),
        ("pools", listed([_pool(pool) for pool in probes.pools])),
        ("broken", dumps(probes.broken)),
        ("not_checked", listed([objects.not_checked(note) for note in probes.not_checked])),
    )
    return lines(members) + "\n"


def _pool(pool: ProbedPool) -> dict[str, Any]:
    return {
        "path": pool.path,
        "line": pool.line,
        "name": pool.name,
        "config": pool.config,
        "dialect": pool.dialect,
        "open": pool.open,
        "servers": [_server(server) for server in pool.servers],
    }


def _server(server: ProbedServer) -> dict[str, Any]:
    verdict = server.verdict
    return {
        "name": server.name,
        "address": server.address,
        "role": server.role,
        "line": server.line,
        "asked": server.asked,
        "connected_to": verdict.connected_to,
        "state": verdict.state,
        "stage": verdict.stage,
        "reason": verdict.reason,
        "advice": verdict.advice,
        "status": verdict.status,
        "duration_s": verdict.seconds,
        "certificate": _certificate(verdict.certificate),
        "warnings": list(verdict.warnings),
    }


def _certificate(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {**certificate._asdict(), "names": list(certificate.names)}

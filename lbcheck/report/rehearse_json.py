"""`lbcheck rehearse --output-format json`: measured beside predicted, described by rehearse.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.outcome import MeasuredLoss, MeasuredPool, MeasuredReload, MeasuredServer, Rehearsed
    from lbcheck.report.options import Options


def render(rehearsed: Sequence[Rehearsed], options: Options) -> str:
    """Return one JSON object, with a line for each config."""
    del options
    members = (
        ("version", dumps(objects.VERSION)),
        ("tool", dumps(objects.tool())),
        ("passed", dumps(all(one.passed for one in rehearsed))),
        ("judged", dumps(any(one.judged for one in rehearsed))),
        ("configs", listed([_config(one) for one in rehearsed])),
        ("pools", listed([_pool(pool, one) for one in rehearsed for pool in one.pools])),
    )
    return lines(members) + "\n"


def _config(one: Rehearsed) -> dict[str, Any]:
    return {
        "config": one.config,
        "dialect": one.dialect,
        "accepted": one.accepted,
        "passed": one.passed,
        "error": one.error,
        "native": [
            {"path": said.path, "line": said.line, "column": said.column, "text": said.text} for said in one.native
        ],
        "reload": None if one.reload is None else _reload(one.reload, one),
        "rewritten": one.rewritten is not None,
        "rewritten_because": one.rewritten,
        "rewrites": [change._asdict() for change in one.rewrites],
        "made_up": list(one.made_up),
    }


def _pool(pool: MeasuredPool, home: Rehearsed) -> dict[str, Any]:
    return {
        "path": pool.path,
        "line": pool.line,
        "name": pool.name,
        "config": home.config,
        "dialect": home.dialect,
        "algorithm": pool.algorithm,
        "judged": pool.judged,
        "passed": pool.passed,
        "reason": pool.reason,
        "requests": pool.requests,
        "failed": pool.failed,
        "p_value": pool.p_value,
        "wrong_picks": pool.wrong_picks,
        "servers": [_server(server) for server in pool.servers],
        "concurrent": None if pool.concurrent is None else pool.concurrent._asdict(),
        "left_out": pool.left_out,
        "losses": [_loss(loss) for loss in pool.losses],
    }


def _reload(reload: MeasuredReload, home: Rehearsed) -> dict[str, Any]:
    return {
        "from": reload.old,
        "passed": reload.passed,
        "reason": reload.reason,
        "requests": reload.requests,
        "lost": reload.lost,
        "errors": reload.errors,
        "old_processes_s": reload.seconds,
        "pools": [_pool(pool, home) for pool in reload.pools],
    }


def _server(server: MeasuredServer) -> dict[str, Any]:
    return {
        "name": server.name,
        "address": server.address,
        "served": server.served,
        "measured_share": server.measured,
        "predicted_share": server.predicted,
        "p_value": server.p_value,
    }


def _loss(loss: MeasuredLoss) -> dict[str, Any]:
    return {
        "lost": loss.lost,
        "alike": loss.alike,
        "kind": loss.kind,
        "passed": loss.passed,
        "reason": loss.reason,
        "requests": loss.requests,
        "failed": loss.failed,
        "failed_share_until_detected": loss.failed_share,
        "predicted_failed_share_until_detected": loss.predicted_failed_share,
        "predicted_failed_requests": loss.predicted_failed_requests,
        "detection_s": loss.detection_s,
        "predicted_detection_s": loss.predicted_detection_s,
        "last_failure_s": loss.last_failure_s,
        "recovery_s": loss.recovery_s,
        "backups": loss.backups,
        "judged": [aspect._asdict() for aspect in loss.aspects],
        "servers": [_server(server) for server in loss.servers],
    }

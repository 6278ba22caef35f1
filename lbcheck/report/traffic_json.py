"""`lbcheck traffic --output-format json`: shares as full doubles, described by traffic.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.traffic.outcome import (
        FrontendTraffic,
        Loss,
        PoolTraffic,
        RouteTraffic,
        ServerTraffic,
        Survivor,
        TargetTraffic,
        Traffic,
    )


def render(traffic: Traffic, options: Options) -> str:
    """Return one JSON object, with a line for each frontend and each pool."""
    del options
    members = (
        ("version", dumps(objects.VERSION)),
        ("tool", dumps(objects.tool())),
        ("in_flight", dumps(traffic.in_flight)),
        ("frontends", listed([_frontend(frontend) for frontend in traffic.frontends])),
        ("pools", listed([pool_object(pool) for pool in traffic.pools])),
        ("not_checked", listed([objects.not_checked(note) for note in traffic.not_checked])),
        ("unmatched_settings", listed([objects.unmatched(entry) for entry in traffic.unmatched])),
    )
    return lines(members) + "\n"


def _frontend(frontend: FrontendTraffic) -> dict[str, Any]:
    return {
        "path": frontend.path,
        "line": frontend.line,
        "name": frontend.name,
        "config": frontend.config,
        "dialect": frontend.dialect,
        "listeners": list(frontend.listeners),
        "hosts": list(frontend.hosts),
        "unserved": frontend.unserved,
        "demand": frontend.demand,
        "routes": [_route(route) for route in frontend.routes],
    }


def _route(route: RouteTraffic) -> dict[str, Any]:
    return {
        "match": route.match,
        "line": route.line,
        "share": route.share,
        "outcome": route.outcome,
        "unserved": route.unserved,
        "reason": route.reason,
        "targets": [_target(target) for target in route.targets],
    }


def _target(target: TargetTraffic) -> dict[str, Any]:
    return {"pool": target.pool, "share": target.share, "unserved": target.unserved, "reason": target.reason}


def pool_object(pool: PoolTraffic) -> dict[str, Any]:
    """Return one pool with its servers and losses."""
    return {
        "path": pool.path,
        "line": pool.line,
        "name": pool.name,
        "config": pool.config,
        "dialect": pool.dialect,
        "protocol": pool.protocol,
        "algorithm": pool.algorithm,
        "exact": pool.exact,
        "seed": pool.seed,
        "stderr": pool.stderr,
        "reason": pool.reason,
        "busy_reason": pool.busy_reason,
        "busy_unserved": pool.busy_unserved,
        "unserved": pool.unserved,
        "unserved_reason": pool.unserved_reason,
        "open": pool.open,
        "demand": pool.demand,
        "notes": list(pool.notes),
        "servers": [_server(server) for server in pool.servers],
        "losses": [_loss(loss) for loss in pool.losses],
    }


def _server(server: ServerTraffic) -> dict[str, Any]:
    return {
        "name": server.name,
        "address": server.address,
        "role": server.role,
        "enabled": server.enabled,
        "weight": server.weight,
        "alike": server.alike,
        "zone": server.zone,
        "line": server.line,
        "share": server.share,
        "busy_share": server.busy_share,
        "load": server.load,
        "capacity": server.capacity,
        "standing": server.standing,
        "unresolved": server.unresolved,
    }


def _loss(loss: Loss) -> dict[str, Any]:
    return {
        "lost": loss.lost,
        "lost_servers": list(loss.names),
        "alike": loss.alike,
        "kind": loss.kind,
        "detection_s": loss.detection_s,
        "never_detected": loss.never,
        "detection": loss.detection,
        "failed_share_until_detected": loss.failed_share,
        "failed_requests_until_detected": loss.failed_requests,
        "tried_again_s": loss.again_s,
        "delay_s": loss.delay_s,
        "unserved": loss.unserved,
        "backups": loss.backups,
        "exact": loss.exact,
        "stderr": loss.stderr,
        "reason": loss.reason,
        "servers": [_survivor(server) for server in loss.servers],
    }


def _survivor(server: Survivor) -> dict[str, Any]:
    return {
        "name": server.name,
        "address": server.address,
        "share": server.share,
        "load": server.load,
        "capacity": server.capacity,
    }

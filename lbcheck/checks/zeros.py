"""Weights of zero: servers that are in the pool and get nothing, and pools in which nobody gets anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.distribution import ignores_weights
from lbcheck.checks.intent import drained
from lbcheck.checks.pools import loss
from lbcheck.checks.weights import weighted_routes
from lbcheck.findings import WARNING, Hit, Related
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Pool, Route, Server, Setting

#: Dialects whose routes give their weights to pools; in the others a pool's servers have them.
_SPLITTING = frozenset({"kubernetes"})
#: More related places than this are not listed.
_RELATED = 10
#: What a split without a weight does, where it is more than to lose its requests: those of the routes of RDS.
_REFUSED = {"envoy": "Envoy takes none of the routes that stand beside it"}
_HANGS = "; while its checks pass and those of all others fail, Traefik hangs, and goes on hanging"


def weight_zero(config: Config, context: Context) -> Iterator[Hit]:
    """D04: a primary that is in the pool, or a target of a route, and gets nothing, and nobody says why.

    A server that `use-server` names is chosen past the weights, and `weight 0` is HAProxy's own advice for it
    (configuration.txt, use-server). Two servers at 0 and 100 are a blue and a green one.
    """
    del context
    for pool in config.pools:
        zero = _unexplained_zeros(pool)
        if not zero or pool.open or not pool.serving or _blue_green(pool) or ignores_weights(pool, config.dialect):
            continue
        forgotten = [server for server in zero if not drained(server)]
        if not forgotten:
            continue
        enabled = sum(1 for server in pool.primaries if server.enabled)
        args = {
            "server": listed([server.name for server in forgotten]),
            "whole": f"pool {pool.name}",
            "number": len(forgotten),
            "enabled": counted(enabled, "server"),
            "effect": _HANGS if _may_hang(pool, config.dialect) else "",
        }
        yield Hit(
            "D04",
            forgotten[0].weight.span or forgotten[0].span,
            args,
            severity=WARNING if 2 * len(forgotten) > enabled or args["effect"] else None,
            related=[Related(server.span, "weight 0 as well") for server in forgotten[1:_RELATED]],
            pool=pool.name,
            server=forgotten[0].name,
        )
    for frontend, route, weights in weighted_routes(config) if config.dialect in _SPLITTING else ():
        if any(weight.value for weight in weights) and len(weights) > 2:
            yield from _zero_targets(frontend, route)


def _zero_targets(frontend: Frontend, route: Route) -> Iterator[Hit]:
    """Yield a finding where a target among three or more gets nothing; of two, one is often the next to come."""
    forgotten = [
        (target, target.weight.span)
        for target in route.targets
        if target.weight is not None and target.weight.written and not target.weight.value and not drained(target)
    ]
    if not forgotten:
        return
    args = {
        "server": listed([target.name for target, _ in forgotten]),
        "whole": f"route {route.label}",
        "number": len(forgotten),
        "enabled": counted(len(route.targets), "target"),
        "effect": "",
    }
    yield Hit(
        "D04",
        forgotten[0][1] or forgotten[0][0].span,
        args,
        severity=WARNING if 2 * len(forgotten) > len(route.targets) else None,
        related=[Related(span or target.span, "weight 0 as well") for target, span in forgotten[1:_RELATED]],
        frontend=frontend.name,
        route=route.label,
        pool=forgotten[0][0].name,
    )


def _may_hang(pool: Pool, dialect: str) -> bool:
    """Say whether such a server that is up keeps Traefik's balancer looking for a server, for ever and locked.

    A good probe puts it among those that are up (wrr.go SetStatus()), where it is not among those that take turns
    (Add()), so that nextServer() never ends. Seen on 3.6.12; 3.7.13 has the same lines.
    """
    return dialect == "traefik" and pool.check is not None and pool.algorithm.name == "wrr"


def _unexplained_zeros(pool: Pool) -> list[Server]:
    return [
        server
        for server in pool.servers
        if not server.weight.value and not server.backup and server.enabled and not chosen_by_name(pool, server)
    ]


def chosen_by_name(pool: Pool, server: Server) -> bool:
    """Say whether a `use-server` rule may choose the server past its weight."""
    names = pool.options.get("use-server")
    return names is not None and (not names.value or server.name in names.value)


def _blue_green(pool: Pool) -> bool:
    return sorted(server.weight.value for server in pool.primaries) == [0, 100]


def weight_all_zero(config: Config, context: Context) -> Iterator[Hit]:
    """D05: no primary that is enabled has a weight above zero, so no new request finds a server; or no target has.

    A backup that is in rotation takes over in HAProxy (src/lb_*.c count only usable servers), which is milder.
    """
    for pool in config.pools:
        if pool.open or pool.serving or ignores_weights(pool, config.dialect):
            continue
        enabled = [server for server in pool.primaries if server.enabled]
        if not enabled or any(chosen_by_name(pool, server) for server in enabled):
            continue
        severity = loss(pool, config, context)
        if severity is None:
            continue
        rescued = [server for server in pool.backups if server.enabled and server.weight.value]
        args = {
            "whole": f"pool {pool.name}",
            "parts": counted(len(enabled), "server"),
            "effect": f"only its backup serves: {listed([server.name for server in rescued])}"
            if rescued
            else "no new request finds a server",
        }
        yield Hit(
            "D05",
            pool.span,
            args,
            severity=WARNING if rescued else severity,
            related=[Related(server.weight.span or server.span, "weight 0") for server in enabled[:_RELATED]],
            pool=pool.name,
        )
    for frontend, route, weights in [*weighted_routes(config), *_lone_zeros(config)]:
        if not any(weight.value for weight in weights):
            args = {
                "whole": f"route {route.label}",
                "parts": counted(len(weights), "pool"),
                "effect": _REFUSED.get(config.dialect, "its requests find no pool"),
            }
            yield Hit("D05", route.span, args, frontend=frontend.name, route=route.label)


def _lone_zeros(config: Config) -> Iterator[tuple[Frontend, Route, list[Setting[int]]]]:
    """Yield the routes whose only target has a weight that leaves it nothing."""
    for frontend in config.frontends:
        for route in frontend.routes:
            if route.outcome == "pools" and len(route.targets) == 1:
                (target,) = route.targets
                if target.weight is not None and target.share == 0:
                    yield frontend, route, [target.weight]

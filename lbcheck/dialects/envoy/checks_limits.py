"""Limits that are reached when a host fails: of ejections, of retries, of the time that one try may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related
from lbcheck.traffic.detection.envoy import may_eject
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Route, Setting

#: From this version on no host is ejected that max_ejection_percent does not allow (before, the first one always was).
_STRICT = (1, 28)
#: A limit below this is a demonstration's (circuit_breaker.proto: 1,024 where nothing is written).
_TINY = 10


def outlier_detection_noop(config: Config, context: Context) -> Iterator[Hit]:
    """H21: outlier detection that may not eject a single host."""
    if context.before("envoy", _STRICT):
        return
    for pool in config.pools:
        written = pool.options.get("outlier_detection")
        count = sum(server.count for server in pool.servers)
        if written is None or pool.open is not None or count < 2 or may_eject(pool) or _by_name(pool):
            continue
        percent = pool.options["max_ejection_percent"]
        args = {
            "pool": pool.name,
            "percent": percent.value,
            "servers": counted(count, "server"),
            "advice": f"set max_ejection_percent to {-(-100 // count)} or more, or always_eject_one_host",
        }
        yield Hit("H21", percent.span or written.span or pool.span, args, pool=pool.name)


def _by_name(pool: Pool) -> bool:
    """Say whether a name may stand for more hosts than one, so that nobody knows how many there are."""
    return any(server.address.kind == "name" for server in pool.servers)


def circuit_breaker_defaults(config: Config, _context: Context) -> Iterator[Hit]:
    """C09: limits of a cluster that one lost host, or a little traffic, is enough to reach."""
    retried = _retried(config)
    for pool in config.pools:
        if pool.open is None and sum(server.count for server in pool.servers) < 2:
            continue
        route = retried.get(id(pool))
        if route is not None and "max_retries" not in pool.options and "retry_budget" not in pool.options:
            yield _few_retries(pool, route)
        for name in ("max_connections", "max_pending_requests", "max_requests"):
            limit = pool.options.get(name)
            if limit is not None and limit.value is not None and limit.value < _TINY:
                yield _tiny(pool, name, limit)
                break


def _retried(config: Config) -> dict[int, Route]:
    """Return the first route that tries requests again, by the pool that it leads to."""
    found: dict[int, Route] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            retry = route.retry
            if retry is None or retry.attempts is None or not retry.attempts.value:
                continue
            if retry.conditions is None or not retry.conditions.value:
                continue
            for target in route.targets:
                if target.pool is not None:
                    found.setdefault(id(target.pool), route)
    return found


def _few_retries(pool: Pool, route: Route) -> Hit:
    args = {
        "pool": pool.name,
        "what": "sets no max_retries, so that no more than 3 requests are tried again at once",
        "effect": "when a server is lost, the retries of all further ones are refused",
        "advice": "set circuit_breakers with max_retries for the retries of a lost server's share, or a retry_budget",
    }
    retry = route.retry
    span = retry.conditions.span if retry is not None and retry.conditions is not None else None
    related = [Related(span, "the route that tries again")] if span is not None else []
    return Hit("C09", pool.span, args, related=related, pool=pool.name)


def _tiny(pool: Pool, name: str, limit: Setting[int]) -> Hit:
    args = {
        "pool": pool.name,
        "what": f"has a {name} of {limit.value} for all of its servers together",
        "effect": "what comes beyond that is answered with 503, with every server idle",
        "advice": f"set {name} to what all servers together can take; it is 1,024 where nothing is written",
    }
    return Hit("C09", limit.span or pool.span, args, pool=pool.name)

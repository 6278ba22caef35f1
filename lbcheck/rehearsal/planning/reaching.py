"""Which routes of a config lead to a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.flow import route_shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.model import Config, Frontend, Pool, Route


def leading_to(config: Config, pool: Pool) -> Iterator[tuple[Frontend, Route]]:
    """Yield the routes that send all that they take to the pool, those without conditions first.

    Behind them, those that send some of it there as their values have it, as `proxy_pass http://$mapped` does.
    """
    found = [
        (frontend, route)
        for frontend in config.frontends
        for route in frontend.routes
        if any(one.pool is pool for one in route.targets)
        and (not shared(route) or all(one.share is None and one.weight is None for one in route.targets))
    ]
    yield from sorted(found, key=lambda pair: (shared(pair[1]), sum(map(len, pair[1].match))))


def shared(route: Route) -> bool:
    """Say whether a route may lead to other pools too."""
    return len(route.targets) > 1 or route.outcome != "pools"


def passed_on(frontend: Frontend) -> bool:
    """Say whether clients speak TLS with the servers: the frontend looks at the name that they ask for, no further."""
    if frontend.protocol != "tcp" or any(listener.tls for listener in frontend.listeners):
        return False
    asked = (one for route in frontend.routes for conditions in route.match for one in conditions)
    return any(one.field == "sni" for one in asked)


def plainly(routes: Iterable[Route]) -> bool:
    """Say whether the conditions of routes are plain words, and nothing that a request only may meet."""
    asked = (one for route in routes for conditions in route.match for one in conditions)
    return all(one.op != "regex" and not one.negated and one.field != "opaque" for one in asked)


def starved(frontend: Frontend, route: Route) -> bool:
    """Say whether routes before this one take every request, as the prediction has it."""
    parts = route_shares(frontend)
    return next((part == 0 for one, part in zip(frontend.routes, parts, strict=True) if one is route), False)


def drawing(config: Config, pool: Pool) -> Iterator[tuple[Frontend, Route]]:
    """Yield the routes that draw the pool for each request, out of several with known shares."""
    for frontend in config.frontends:
        for route in frontend.routes:
            known = all(one.pool is not None and one.share is not None for one in route.targets)
            if route.outcome == "pools" and known and any(one.pool is pool and one.share for one in route.targets):
                yield frontend, route

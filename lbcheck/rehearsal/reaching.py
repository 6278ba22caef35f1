"""Which routes of a config lead to a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Config, Frontend, Pool, Route


def leading_to(config: Config, pool: Pool) -> Iterator[tuple[Frontend, Route]]:
    """Yield the routes that send all that they take to the pool, those without conditions first."""
    found = [
        (frontend, route)
        for frontend in config.frontends
        for route in frontend.routes
        if route.outcome == "pools" and len(route.targets) == 1 and route.targets[0].pool is pool
    ]
    yield from sorted(found, key=lambda pair: sum(map(len, pair[1].match)))


def drawing(config: Config, pool: Pool) -> Iterator[tuple[Frontend, Route]]:
    """Yield the routes that draw the pool for each request, out of several with known shares."""
    for frontend in config.frontends:
        for route in frontend.routes:
            known = all(one.pool is not None and one.share is not None for one in route.targets)
            if route.outcome == "pools" and known and any(one.pool is pool and one.share for one in route.targets):
                yield frontend, route

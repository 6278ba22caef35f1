"""Where a route sends its requests: to compare two routes, and to say it in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from lbcheck.model import Route

#: What R01 advises where the order of the routes decides.
NARROWER_FIRST = "put the narrower route first: above the broader one"
#: More related places than this are not listed.
_MOST = 10


def destination(route: Route) -> tuple[object, ...]:
    """Return what two routes have in common that send their requests to the same place."""
    targets = sorted((target.name, target.weight.value if target.weight else 1) for target in route.targets)
    return (route.outcome, "" if targets else route.expression, *targets)


def words(*routes: Route) -> str:
    """Return where routes send to: "api", "api and web", "an answer of its own"."""
    names = sorted({target.name for route in routes for target in route.targets})
    if names:
        return listed(names)
    return next((route.expression for route in routes if route.expression), "an answer of its own")


def related(winners: list[Route], *losers: Route) -> list[Related]:
    """Name the routes that win, and the pools that idle: what else is said of those is an echo."""
    places = [Related(winner.span, "takes the requests first") for winner in winners[:_MOST]]
    idle = {target.name: target.pool for route in losers for target in route.targets if target.pool is not None}
    return places + [Related(pool.span, "gets nothing through this route") for pool in list(idle.values())[:_MOST]]

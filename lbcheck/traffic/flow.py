"""How requests spread over a frontend's routes and over the pools behind each, where the config itself decides it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lbcheck.model import EVERY_REQUEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Condition, Config, Frontend, Match, Pool, Route, WeightedTarget
    from lbcheck.traffic.scenario import Demand

#: What is left of shares that sum to 1 but for the rounding of doubles.
_ROUNDING = 1e-9
#: Regular expressions that match every text.
_ANYTHING = frozenset({".*", "^.*", ".*$", "^.*$"})


def route_shares(frontend: Frontend) -> list[float | None]:
    """Return each route's part of the frontend's requests; None for all where only the clients decide it.

    It is known where one route takes every request: alone, or written before the others where the first match wins.
    A named location is reached from inside nginx, nobody knows how often. What no connection is for gets none.
    """
    routes = frontend.routes
    if "no connections" in frontend.options:
        return [0.0] * len(routes)
    first = next((at for at, route in enumerate(routes) if _takes_all(route.match)), None)
    if first is None or (first and frontend.order == "first") or (len(routes) > 1 and frontend.order != "first"):
        return [None] * len(routes)
    return [1.0 if at == first else 0.0 for at in range(len(routes))]


def _takes_all(match: Match) -> bool:
    return match == EVERY_REQUEST or any(all(map(_always, conditions)) for conditions in match)


def _always(condition: Condition) -> bool:
    """Say whether every request meets the condition: all paths begin with "/", and any text is `.*`."""
    if condition.negated or condition.field not in {"path", "host"}:
        return False
    if condition.op == "regex":
        return not _ANYTHING.isdisjoint(condition.values)
    return condition.field == "path" and condition.op in {"prefix", "path_prefix"} and condition.values == {"/"}


def target_shares(route: Route) -> tuple[list[float | None], float]:
    """Return each target's part of the route's requests, and the part that no target takes.

    A part is written (split_clients, weights), or whole for a single target; None where it is known only at run time.
    What the proxy answers itself is served.
    """
    targets = route.targets
    if route.outcome in {"unknown", "answer"}:
        return [None] * len(targets), 0.0
    if len(targets) == 1 and targets[0].share is None:
        return [1.0], 0.0
    shares = [target.share for target in targets]
    if any(share is None for share in shares):
        return [None] * len(targets), 0.0
    left = 1.0 - sum(share for share in shares if share is not None)
    return shares, left if left > _ROUNDING else 0.0


def pool_demands(config: Config, demands: Sequence[Demand]) -> dict[int, float]:
    """Return id(pool) → the declared peak that reaches it, as far as the config and the declarations say.

    A pool's own declaration (native `demand`) comes first. Otherwise what is known of each frontend's peak is added
    up; routes whose part is not known add nothing, unless all of the frontend's requests end in the one pool.
    """
    found: dict[int, float] = {}
    for frontend in config.frontends if demands else ():
        for pool, rate in _rates(frontend, demands):
            found[id(pool)] = found.get(id(pool), 0.0) + rate
    for pool in config.pools:
        own = pool.options.get("demand")
        if own is not None:
            found[id(pool)] = own.value
    return found


def frontend_demand(frontend: Frontend, demands: Sequence[Demand]) -> float | None:
    """Return the peak that is declared for a frontend as a whole, by its name or one of its hosts."""
    for demand in demands:
        if demand.route is None and names(frontend, demand):
            return demand.peak
    return None


def names(frontend: Frontend, demand: Demand) -> bool:
    """Say whether a demand is declared for a frontend, by its name or one of its hosts."""
    return any(fnmatchcase(name, demand.frontend) for name in (frontend.name, *frontend.hosts))


def undealt(frontend: Frontend, demands: Sequence[Demand]) -> str | None:
    """Return why not all of a frontend's declared peak can be dealt to pools; None where it can, or there is none."""
    declared = [demand for demand in demands if names(frontend, demand)]
    if not declared or not frontend.routes:
        return None
    whole = frontend_demand(frontend, demands)
    if whole is not None and _only_pool(frontend) is not None:
        return None
    own = [demand.route or "" for demand in declared if demand.route is not None]
    split: list[Route] = []
    for route, share in zip(frontend.routes, route_shares(frontend), strict=True):
        wanted = any(fnmatchcase(route.label, pattern) for pattern in own)
        if not wanted and share is None and whole is not None and route.outcome != "answer":
            return (
                f"the demand on {frontend.name or 'this frontend'} is not dealt to its pools: only the clients decide "
                "how many requests take which of its routes; declare a [[demand]] with a `route` for each"
            )
        if (wanted or (share and whole is not None)) and None in target_shares(route)[0]:
            split.append(route)
    if split:
        return f"the demand on {split[0].label} is not dealt to its pools: how it is split is known only at run time"
    return None


def _rates(frontend: Frontend, demands: Sequence[Demand]) -> list[tuple[Pool, float]]:
    whole = frontend_demand(frontend, demands)
    own = [demand for demand in demands if demand.route is not None and names(frontend, demand)]
    alone = _only_pool(frontend)
    if whole is not None and alone is not None:
        return [(alone, whole)]
    found = []
    for route, share in zip(frontend.routes, route_shares(frontend), strict=True):
        declared = next((demand.peak for demand in own if fnmatchcase(route.label, demand.route or "")), None)
        rate = declared if declared is not None else None if whole is None or share is None else whole * share
        if rate is None:
            continue
        for target, part in zip(route.targets, target_shares(route)[0], strict=True):
            if target.pool is not None and part is not None and not _refused(target):
                found.append((target.pool, rate * part))
    return found


def _refused(target: WeightedTarget) -> bool:
    """Say whether what a target gets surely never comes to its pool."""
    return target.unserved is not None and target.unserved.sure


def _only_pool(frontend: Frontend) -> Pool | None:
    """Return the pool in which every request of the frontend ends, if there is one."""
    targets = [target for route in frontend.routes for target in route.targets]
    pools = {id(target.pool): target.pool for target in targets}
    elsewhere = any(map(_refused, targets)) or any(route.outcome != "pools" for route in frontend.routes)
    if len(pools) != 1 or elsewhere or "no connections" in frontend.options:
        return None
    whole = all(target_shares(route)[1] == 0.0 for route in frontend.routes)
    return next(iter(pools.values())) if whole and any(_takes_all(route.match) for route in frontend.routes) else None

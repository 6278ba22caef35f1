"""How much of all traffic a change moves, where the weight of each pool is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.changes.outcome import UNCHANGED
from lbcheck.changes.routing import ALIKE, ELSEWHERE, OTHERWISE, same_routing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import ConfigChange, PoolChange, Version
    from lbcheck.traffic.outcome import FrontendTraffic, PoolTraffic, RouteTraffic, Traffic


def moved(changes: Sequence[ConfigChange], before: Traffic, after: Traffic) -> float | None:
    """Return the part of all requests that change their server, None where it is not known.

    Half the sum of the absolute differences over every server of every pool, and over what reaches none, each pool
    weighing as much as requests reach it: as declared, or as the routes of the only frontend say. So requests that a
    route sends to another pool count as well. Where nothing moves, no weights are needed. Nothing is known of configs
    that were not seen, nor where another host, path or port may meet a route now. Nothing moves only if every request
    is known to be decided alike.
    """
    if not changes or not all(map(_seen, changes)):
        return None
    pools = [pool for change in changes for pool in change.pools]
    if any(pool.status != UNCHANGED and not _known(pool) for pool in pools):
        return None
    routed = routing(changes, before, after)
    if routed == ALIKE and not any(pool.moved for pool in pools):
        return 0.0
    alike = _routes(before, named=False) == _routes(after, named=False)
    was, now = _weights(before, alike=alike), _weights(after, alike=alike)
    if routed == OTHERWISE or was is None or now is None:
        return None
    whole = abs(sum(was.values()) - sum(now.values())) + sum(_distance(pool, was, now) for pool in pools)
    if routed != ALIKE and not whole:
        return None  # routes lead elsewhere, which the weights of the pools do not tell
    return min(1.0, whole / 2)


def routing(changes: Sequence[ConfigChange], before: Traffic, after: Traffic) -> str:
    """Return the worst of the words of lbcheck.changes.routing; of a config that is new or gone its routes tell."""
    both = [change for change in changes if change.before is not None and change.after is not None]
    found = set(map(same_routing, both))
    if len(both) < len(changes) and _routes(before) != _routes(after):
        found.add(ELSEWHERE)
    return next((word for word in (OTHERWISE, ELSEWHERE) if word in found), ALIKE)


def _seen(change: ConfigChange) -> bool:
    """Say whether both versions of a config were seen in full, or are the same whatever is in them."""
    before, after = change.before, change.after
    if all(side is None or side.unseen is None for side in (before, after)):
        return True
    return before is not None and after is not None and _texts(before) == _texts(after) != []


def _texts(version: Version) -> list[str]:
    return [source.text for source in version.config.files if source.text]


def _known(pool: PoolChange) -> bool:
    sides = (pool.before, pool.after)
    return pool.reason is None and all(side is None or side.unserved is not None for side in sides)


def _distance(pool: PoolChange, was: dict[int, float], now: dict[int, float]) -> float:
    before, after = _weight(pool.before, was), _weight(pool.after, now)
    if not _known(pool):  # the shares are the same on both sides, whatever they are, and sum to 1
        return abs(before - after)
    unserved = [
        0.0 if side is None else (side.unserved or 0.0) * weight
        for side, weight in ((pool.before, before), (pool.after, after))
    ]
    return abs(unserved[0] - unserved[1]) + sum(
        pair.distance((server.before or 0.0) * before, (server.after or 0.0) * after)
        for pair, server in zip(pool.pairs, pool.servers, strict=True)
    )


def _weight(pool: PoolTraffic | None, weights: dict[int, float]) -> float:
    return 0.0 if pool is None else weights.get(id(pool), 0.0)


def _weights(traffic: Traffic, *, alike: bool) -> dict[int, float] | None:
    """Return id of a pool's traffic → its part of all requests; None where that is not known.

    `alike`: the routes of the other version are the same, so that whatever reaches an only pool is the whole.
    """
    fronts = [front for front in traffic.frontends if any(map(_leads_on, front.routes))]
    reached = {target.at for front in fronts for route in front.routes for target in route.targets}
    asked = [pool for at, pool in enumerate(traffic.pools) if at in reached] or traffic.pools
    if traffic.frontends and not fronts:
        return {}
    if alike and len(traffic.pools) == 1:
        return {id(traffic.pools[0]): 1.0}
    if asked and all(pool.demand is not None for pool in asked):
        whole = sum(pool.demand or 0.0 for pool in asked)
        return {id(pool): (pool.demand or 0.0) / whole for pool in asked} if whole else None
    return _by_routes(fronts[0], traffic) if len(fronts) == 1 else None


def _leads_on(route: RouteTraffic) -> bool:
    """Say whether requests of the route may reach a pool."""
    return bool(route.targets) or route.outcome == "unknown"


def _by_routes(frontend: FrontendTraffic, traffic: Traffic) -> dict[int, float] | None:
    """Return the weights of the pools behind one frontend whose routes say how many requests each takes.

    What goes to a pool that does not exist reaches none.
    """
    found: dict[int, float] = {}
    nowhere = False
    for route in frontend.routes:
        if route.share is None or route.outcome == "unknown":
            return None
        for target in route.targets:
            if target.missing:
                nowhere = True
                continue
            if target.share is None or target.at is None or target.doubtful:
                return None
            pool = id(traffic.pools[target.at])
            found[pool] = found.get(pool, 0.0) + route.share * target.share
    return found if found or nowhere else None


def _routes(traffic: Traffic, *, named: bool = True) -> list[str]:
    """Return where the routes send requests: to pools of what names (unless not `named`), and which of these exist."""
    return sorted(
        repr(
            (
                front.name,
                route.match if named else unnamed(route),
                route.share,
                [(to.pool if named else "", to.share, to.at is None, to.doubtful) for to in route.targets],
            )
        )
        for front in traffic.frontends
        for route in front.routes
    )


def unnamed(route: RouteTraffic) -> str:
    """Return what a route matches without the names of its pools: "default_backend app" has one."""
    words = route.match
    for target in route.targets:
        words = words.replace(target.pool, "")
    return words

"""Whether one config's routing says the same in two versions: listeners, hosts, conditions, their order, and pools.

Two versions in one dialect that say the same decide the same, also where nobody can compute what they decide (regular
expressions, headers). What they say differently may still decide the same: lbcheck.changes.decisions knows some of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.changes.decisions import DEFAULT, as_run, same_decisions
from lbcheck.changes.pairing import across
from lbcheck.model import EVERY_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from lbcheck.changes.outcome import ConfigChange
    from lbcheck.model import Condition, Config, Frontend, Listener, Route

#: Every request is decided as before.
ALIKE = "alike"
#: The same requests meet the same routes, of which some lead to other pools, or in other shares.
ELSEWHERE = "elsewhere"
#: Which requests meet which route has changed, or nobody knows.
OTHERWISE = "otherwise"


def same_routing(change: ConfigChange) -> str:
    """Say how the routing of a config that both versions have compares: ALIKE, ELSEWHERE or OTHERWISE."""
    if change.before is None or change.after is None:
        return OTHERWISE
    old, new, same = change.before.config, change.after.config, counterparts(change)
    written = not across(change.before, change.after)
    if written and _routing(old, same) == _routing(new, same):
        return ALIKE
    differ = written and (_hosts(old) != _hosts(new) or _filters(old) != _filters(new))
    if not differ and same_decisions(old, new, same):
        return ALIKE
    return ELSEWHERE if written and _matches(old) == _matches(new) else OTHERWISE


def _hosts(config: Config) -> set[str]:
    """Return the names that frontends answer for, and what leads there. Where these change, so may who asks."""
    names = {host.lower() for frontend in config.frontends for host in frontend.hosts}
    return names | {_way_in(frontend) for frontend in config.frontends}


def _way_in(frontend: Frontend) -> str:
    """Return what leads to a frontend besides its listeners, as its dialect writes it: gateways, a class, a match."""
    return " ".join(filter(None, (_option(frontend, "entrance"), _option(frontend, "class"), reading(frontend))))


def reading(frontend: Frontend) -> str:
    """Return how a frontend reads requests before it matches them, such as a host without its port; "": as they are."""
    return _option(frontend, "reading")


def _option(frontend: Frontend, name: str) -> str:
    return str(frontend.options[name].value) if name in frontend.options else ""


def _filters(config: Config) -> list[str]:
    """Return the routes some of whose requests may be answered on the way, each with what may answer."""
    routes = [route for frontend in config.frontends for route in frontend.routes]
    return sorted(repr(_match(route)) for route in routes if "filters" in route.options)


def counterparts(change: ConfigChange) -> dict[int, int]:
    """Return id of a pool of either version → the place of the two in the change's pools."""
    sides = ((number, side) for number, pool in enumerate(change.pools) for side in (pool.before, pool.after))
    return {id(side.pool): number for number, side in sides if side is not None}


def _routing(config: Config, same: Mapping[int, int]) -> list[str]:
    """Return what the frontends say, in an order of their own."""
    return _said(config, lambda routes: [(_match(route), _target(route, same)) for route in routes])


def _matches(config: Config) -> list[str]:
    """Return the same without where routes lead; frontends all of whose routes take every request are alike."""
    return _said(config, lambda routes: [] if all(map(_takes_all, routes)) else list(map(_match, routes)))


def _said(config: Config, told: Callable[[Sequence[Route]], object]) -> list[str]:
    defaults = _defaults(config)
    return sorted(
        repr((_entrance(one, default=id(one) in defaults), told(_ordered(one, config.dialect))))
        for one in config.frontends
    )


def _takes_all(route: Route) -> bool:
    return route.match == EVERY_REQUEST and route.outcome != "unknown"


def _defaults(config: Config) -> set[int]:
    """Return the ids of nginx's server blocks that also serve the names that no block of their listener has."""
    if config.dialect != "nginx":
        return set()
    found: dict[Hashable, tuple[bool, int]] = {}
    for frontend in config.frontends:
        for listener in frontend.listeners:
            said = not DEFAULT.isdisjoint(listener.options)
            door = _door(listener)
            if door not in found or (said and not found[door][0]):
                found[door] = (said, id(frontend))
    return {frontend for _, frontend in found.values()}


def _entrance(frontend: Frontend, *, default: bool) -> object:
    doors = sorted(repr(_door(listener)) for listener in frontend.listeners)
    return (
        frontend.protocol,
        frontend.order,
        doors or entry_point(frontend),
        sorted(host.lower() for host in frontend.hosts),
        default,
        frontend.branch,
        _way_in(frontend),
    )


def entry_point(frontend: Frontend) -> str:
    """Return how a frontend without listeners is called: a lone file of routers knows entry points by names only."""
    return str(frontend.options["entry point"].value) if "entry point" in frontend.options else frontend.name


def _door(listener: Listener) -> tuple[str, bool, Hashable, int | None]:
    where = listener.address
    return (listener.transport, listener.tls, where.key if where.known else where.text, listener.port_end)


def _ordered(frontend: Frontend, dialect: str) -> Sequence[Route]:
    """Return the routes in the order that counts; that of writing counts for nginx's regular expressions alone."""
    if dialect == "haproxy" or frontend.order == "first":
        return as_run(frontend.routes, dialect)
    return sorted(frontend.routes, key=lambda route: "" if _in_turn(route) else repr(_match(route)))


def _in_turn(route: Route) -> bool:
    return any(one.op == "regex" or one.field == "opaque" for conditions in route.match for one in conditions)


def _match(route: Route) -> Hashable:
    """Return what a route matches, whatever it is called; its text where that is not understood."""
    alternatives = sorted(sorted(map(_condition, conditions)) for conditions in route.match)
    unknown = (route.expression, route.label) if route.outcome == "unknown" else None
    filters = route.options["filters"].value if "filters" in route.options else None
    return (route.outcome == "answer", repr(alternatives), unknown, filters)


def _condition(one: Condition) -> tuple[str, str, list[str], bool, bool, str]:
    values = sorted(value.lower() if one.field == "host" and one.op == "exact" else value for value in one.values)
    return (one.field, one.op, values, one.negated, one.ignore_case, one.strength)


def _target(route: Route, same: Mapping[int, int]) -> list[str]:
    return sorted(map(repr, _targets(route, same)))


def _targets(route: Route, same: Mapping[int, int]) -> Iterator[Hashable]:
    """Yield where a route leads: the pool's place (its name where there is none), its share, and whether it is served.

    That is None where nothing but the pool decides it.
    """
    for target in route.targets:
        pool = None if target.pool is None else same.get(id(target.pool))
        share = None if target.share is None else round(target.share, 12)
        yield (target.name if pool is None else pool, share, None if target.unserved is None else target.unserved.sure)

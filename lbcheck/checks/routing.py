"""Routes that can never win, that contradict each other, or that leave requests without a pool."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.checks import locations
from lbcheck.checks.coverage import Test, steady
from lbcheck.checks.seen import Alternative, Seen
from lbcheck.findings import INFO, WARNING, Hit, Related
from lbcheck.model import EVERY_REQUEST, Condition
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Route

#: A condition list is taken apart into single values up to so many combinations.
_UNITS = 256


def route_shadowed(config: Config, _context: Context) -> Iterator[Hit]:
    """R01: a route that earlier or stronger ones leave nothing, so its pool idles."""
    for frontend in config.frontends:
        if frontend.order == "nginx":
            yield from locations.shadowed(frontend)
        elif frontend.order == "first" and len(frontend.routes) > 1:
            yield from _shadowed_in_order(frontend)


def route_duplicate_conflict(config: Config, _context: Context) -> Iterator[Hit]:
    """R02: the same requests are given to two pools; which one gets them is a matter of order."""
    for frontend in config.frontends:
        if frontend.order == "first":
            yield from _duplicates(frontend)
    if config.dialect == "nginx" and config.open is None:
        yield from locations.contested_names(config)


def default_route_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """R03: requests that match no route find no pool."""
    for frontend in config.frontends:
        if frontend.order != "first" or frontend.protocol != "http" or config.open is not None:
            continue
        routes = [route for route in frontend.routes if route.outcome != "answer"]
        if not any(route.match not in (EVERY_REQUEST, ()) for route in routes) or _ends(frontend):
            continue
        args = {
            "frontend": frontend.name,
            "routes": len(routes),
            "pools": listed(sorted({target.name for route in routes for target in route.targets})),
        }
        yield Hit("R03", frontend.span, args, frontend=frontend.name)


def _ends(frontend: Frontend) -> bool:
    """Say whether some rule takes whatever is left: unconditional, or a pair of `if x` and `unless x`."""
    seen = Seen()
    for number, route in enumerate(frontend.routes):
        for alternative in route.match:
            seen.add(number, tuple(map(Test, alternative)))
    return seen.everything is not None


class _Shadow(NamedTuple):
    """What is left of a route: `by` the numbers of the routes that take it, `parts` the parts that are lost."""

    by: list[int]
    parts: list[Alternative]
    whole: bool


def _shadowed_in_order(frontend: Frontend) -> Iterator[Hit]:
    routes = frontend.routes
    seen = Seen()
    flood: list[Route] = []
    duplicates = {id(later) for _, later in _same_matches(frontend)}
    for number, route in enumerate(routes):
        alternatives = [tuple(map(Test, alternative)) for alternative in route.match]
        if id(route) not in duplicates and route.outcome != "answer" and number:
            shadow = _shadow(seen, alternatives)
            if shadow is not None and _differs(route, [routes[by] for by in shadow.by]):
                if shadow.whole and shadow.by == [seen.everything]:
                    flood.append(route)
                else:
                    yield _shadow_hit(frontend, route, shadow)
        if _takes(route):
            for alternative in alternatives:
                seen.add(number, alternative)
    if flood and seen.everything is not None:
        yield _flood_hit(frontend, routes[seen.everything], flood)


def _same_matches(frontend: Frontend) -> list[tuple[Route, Route]]:
    """Return (earlier, later) for each two routes that test exactly the same, opaque and changing tests left out."""
    first: dict[frozenset[frozenset[object]], Route] = {}
    found = []
    for route in frontend.routes:
        if route.outcome == "answer" or not route.match or route.match == EVERY_REQUEST:
            continue
        if not all(steady(condition) for alternative in route.match for condition in alternative):
            continue
        key = frozenset(frozenset(condition.key for condition in alternative) for alternative in route.match)
        earlier = first.setdefault(key, route)
        if earlier is not route:
            found.append((earlier, route))
    return found


def _duplicates(frontend: Frontend) -> Iterator[Hit]:
    for earlier, later in _same_matches(frontend):
        if not _takes(earlier):
            continue
        same = locations.destination(earlier) == locations.destination(later)
        args = {
            "what": later.label,
            "first": ", ".join(locations.destination(earlier)),
            "second": ", ".join(locations.destination(later)),
        }
        related = [Related(earlier.span, "this one comes first and wins")]
        yield Hit(
            "R02", later.span, args, severity=INFO if same else None, related=related,
            frontend=frontend.name, route=later.label,
        )  # fmt: skip


def _shadow_hit(frontend: Frontend, route: Route, shadow: _Shadow) -> Hit:
    winners = [frontend.routes[number] for number in shadow.by]
    args = {
        "route": route.label,
        "by": listed([winner.label for winner in winners[:3]]),
        "pools": ", ".join(locations.destination(route)),
        "frontend": frontend.name,
    }
    return Hit(
        "R01",
        route.span,
        args,
        severity=None if shadow.whole else WARNING,
        related=[Related(winner.span, "this one takes its requests") for winner in winners[:3]],
        frontend=frontend.name,
        route=route.label,
        pool=route.targets[0].name if route.targets and shadow.whole else None,
    )


def _flood_hit(frontend: Frontend, winner: Route, flood: list[Route]) -> Hit:
    """Report an unconditional route once, however many come after it."""
    args = {
        "route": listed([route.label for route in flood[:3]]) + (" and others" if len(flood) > 3 else ""),
        "by": winner.label,
        "pools": ", ".join(sorted({name for route in flood for name in locations.destination(route)})),
        "frontend": frontend.name,
    }
    return Hit(
        "R01",
        flood[0].span,
        args,
        related=[Related(winner.span, "this one takes every request")],
        frontend=frontend.name,
        route=flood[0].label,
        pool=flood[0].targets[0].name if flood[0].targets else None,
    )


def _takes(route: Route) -> bool:
    """Say whether what matches a route surely ends there, in a pool.

    A dynamic name may fall through. Rules that answer run before those that choose a pool, whatever their place in the
    text, and are meant to (`redirect scheme https unless …`).
    """
    return route.outcome == "pools" and bool(route.targets)


def _shadow(seen: Seen, alternatives: list[Alternative]) -> _Shadow | None:
    by: set[int] = set()
    parts = []
    left = 0
    for alternative in alternatives:
        numbers = _taken(seen, alternative)
        if numbers:
            by |= numbers
            parts.append(alternative)
            continue
        lost = _lost_values(seen, alternative)
        by.update(number for number, _ in lost)
        parts += [unit for _, unit in lost]
        left += 1
    return _Shadow(sorted(by), parts, left == 0) if parts else None


def _taken(seen: Seen, alternative: Alternative) -> set[int]:
    """Return the routes that take all of an alternative between them; none where something is left."""
    whole = seen.cover(alternative)
    if whole is not None:
        return {whole[0]}
    numbers = set()
    for unit in _units(alternative):
        cover = seen.cover(unit)
        if cover is None:
            return set()
        numbers.add(cover[0])
    return numbers


def _units(alternative: Alternative) -> list[Alternative]:
    """Take an alternative apart into single values, where that gives no more than a few hundred."""
    sizes = [len(test.condition.values) if _divisible(test) else 1 for test in alternative]
    if not 1 < prod(sizes) <= _UNITS:
        return [alternative]
    return [tuple(unit) for unit in product(*(_single(test) if _divisible(test) else [test] for test in alternative))]


def _divisible(test: Test) -> bool:
    return test.condition.op != "regex" and test.exactly is not None


def _single(test: Test) -> list[Test]:
    one = test.condition
    return [
        Test(Condition(one.field, one.op, (value,), ignore_case=one.ignore_case, strength=one.strength))
        for value in sorted(one.values)
    ]


def _lost_values(seen: Seen, alternative: Alternative) -> list[tuple[int, Alternative]]:
    """Return the values of a lone condition that an earlier, broader condition takes (/api/v2 after /api).

    An earlier route for the very same value is how exceptions are written, and no defect.
    """
    if len(alternative) != 1:
        return []
    lost = []
    for unit in _units(alternative) if len(alternative[0].condition.values) > 1 else ():
        cover = seen.cover(unit)
        if cover is not None and len(cover[1]) == 1 and cover[1][0].exactly not in (unit[0].exactly, None):
            broad = cover[1][0].exactly
            if broad is not None and (
                broad[0] != unit[0].condition.op or unit[0].condition.values.isdisjoint(broad[1])
            ):
                lost.append((cover[0], unit))
    return lost


def _differs(route: Route, others: list[Route]) -> bool:
    """Say whether any of the routes that win sends the requests elsewhere."""
    return any(locations.destination(other) != locations.destination(route) for other in others)

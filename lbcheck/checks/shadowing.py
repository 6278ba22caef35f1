"""Routes of which the first that matches wins: which of them are left nothing by those before."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.checks.coverage import Test, steady
from lbcheck.checks.destinations import NARROWER_FIRST, destination, related, words
from lbcheck.checks.seen import Alternative, Seen
from lbcheck.findings import ERROR, WARNING, Edit, Fix, Hit
from lbcheck.model import EVERY_REQUEST, Condition
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.model import Frontend, Route

#: What R01 advises where a rule answers before any route is looked at.
_SPARE = "give that rule a condition that spares these requests: it runs before every route, wherever it stands"
#: … and for routes that all take everything, of which none is narrower.
_ALL_TAKE_ALL = "delete all but one of them, or give each a listener of its own"
#: Lists of values are taken apart into single ones up to so many combinations.
_UNITS = 256


class _Shadow(NamedTuple):
    """What earlier routes take from one: their numbers, the parts of its match that are lost, and whether all are."""

    by: list[int]
    parts: list[str]
    whole: bool


def shadowed(frontend: Frontend, *, movable: bool, in_order: bool = False) -> Iterator[Hit]:
    """Yield R01 for every route that is left nothing, and for every one that is left a part.

    `movable` says that each route is a line of its own, which a fix may move; `in_order` that a route which answers
    by itself has its turn where it stands.
    """
    routes = frontend.routes
    if not in_order:
        yield from _answered(frontend)
    doubles = {id(later) for _, later in duplicates(frontend)}
    seen = Seen()
    drowned: list[Route] = []
    for number, route in enumerate(routes):
        alternatives = [tuple(map(Test, alternative)) for alternative in route.match]
        shadow = None if id(route) in doubles or not _chooses(route) else _shadow(seen, alternatives)
        if shadow is not None and any(tied(routes[by], route) for by in shadow.by):
            shadow = None  # it wins at some starts
        if shadow is not None and _elsewhere(route, [routes[by] for by in shadow.by]):
            if shadow.by == [seen.everything]:
                drowned.append(route)
            else:
                yield _hit(frontend, route, shadow, movable=movable)
        if _takes(route) or (in_order and route.outcome == "answer"):
            for alternative in alternatives:
                seen.add(number, alternative)
    winner = routes[seen.everything] if drowned and seen.everything is not None else None
    if winner is not None and not (seen.paired and all(route.match == EVERY_REQUEST for route in drowned)):
        alike = all(route.match == EVERY_REQUEST for route in drowned)
        yield _drowned(frontend, winner, drowned, _ALL_TAKE_ALL if alike else NARROWER_FIRST)


def _answered(frontend: Frontend) -> Iterator[Hit]:
    """Report the conditional routes of a frontend that answers every request before it looks for a pool.

    A lone `default_backend` behind `redirect scheme https` is a leftover that misleads nobody.
    """
    answer = next(
        (route for route in frontend.routes if route.outcome == "answer" and route.match == EVERY_REQUEST), None
    )
    dead = [route for route in frontend.routes if route.targets and route.match not in (EVERY_REQUEST, ())]
    if answer is not None and dead:
        yield _drowned(frontend, answer, dead, _SPARE)


def duplicates(frontend: Frontend) -> Iterator[tuple[Route, Route]]:
    """Yield (first, later) for routes to pools that ask for exactly the same, in whatever order of words.

    One route that a frontend has twice (two parents of an HTTPRoute mean one listener) is no duplicate of itself.
    """
    first: dict[frozenset[object], Route] = {}
    for route in frontend.routes:
        if route.outcome != "pools" or not route.targets or route.match in (EVERY_REQUEST, ()):
            continue
        if not all(steady(condition) for alternative in route.match for condition in alternative):
            continue
        key = frozenset(frozenset(condition.key for condition in alternative) for alternative in route.match)
        known = first.setdefault(key, route)
        if known is not route:
            yield known, route


def tied(first: Route, later: Route) -> bool:
    """Say whether nothing decides between two routes: Traefik's routers of one priority are in no order."""
    one, other = first.options.get("priority"), later.options.get("priority")
    return one is not None and other is not None and one.value == other.value


def _chooses(route: Route) -> bool:
    """Say whether a route is there to choose a pool. A default that other frontends need too may be left nothing."""
    chosen = bool(route.targets) if route.outcome == "pools" else route.outcome != "answer"
    return chosen and bool(route.match) and "inherited" not in route.options


def _takes(route: Route) -> bool:
    """Say whether what matches a route surely ends there, in a pool.

    A dynamic name may fall through. Rules that answer under a condition run before those that choose a pool, whatever
    their place in the text, and are meant to (`redirect scheme https unless …`).
    """
    return route.outcome == "pools" and bool(route.targets)


def _shadow(seen: Seen, alternatives: list[Alternative]) -> _Shadow | None:
    by: set[int] = set()
    parts: list[str] = []
    whole = True
    for alternative in alternatives:
        numbers = _taken(seen, alternative)
        if numbers:
            by |= numbers
            parts.append(_text(alternative))
            continue
        whole = False
        for number, part in _lost_values(seen, alternative):
            by.add(number)
            parts.append(part)
    return _Shadow(sorted(by), parts, whole) if parts else None


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
    choices = [_singles(test) for test in alternative]
    return [*product(*choices)] if 1 < prod(map(len, choices)) <= _UNITS else [alternative]


def _singles(test: Test) -> list[Test]:
    one = test.condition
    if not 1 < len(one.values) <= _UNITS or one.op == "regex" or test.exactly is None:
        return [test]
    return [Test(Condition(one.field, one.op, (value,), ignore_case=one.ignore_case)) for value in sorted(one.values)]


def _lost_values(seen: Seen, alternative: Alternative) -> Iterator[tuple[int, str]]:
    """Yield the values of a lone condition that an earlier, broader condition takes (/api/v2 after /api).

    An earlier route for the very same value is how exceptions are written, and no defect.
    """
    if len(alternative) != 1 or len(alternative[0].condition.values) < 2:
        return
    for (unit,) in _units(alternative):
        cover = seen.cover((unit,))
        if unit.exactly is None or cover is None or len(cover[1]) != 1:
            continue
        broad = cover[1][0].exactly
        if broad is not None and (broad[0] != unit.exactly[0] or unit.exactly[1].isdisjoint(broad[1])):
            yield cover[0], _text((unit,))


def _text(alternative: Alternative) -> str:
    return " and ".join(f"{test.condition.field} {listed(sorted(test.condition.values))}" for test in alternative)


def _elsewhere(route: Route, others: Sequence[Route]) -> bool:
    """Say whether any of the routes that win sends the requests to another place."""
    return any(destination(other) != destination(route) for other in others)


def _hit(frontend: Frontend, route: Route, shadow: _Shadow, *, movable: bool) -> Hit:
    winners = [frontend.routes[by] for by in shadow.by]
    args = {
        "route": route.label if shadow.whole else f"{listed(shadow.parts)} of {route.label}",
        "by": listed([winner.label for winner in winners]),
        "line": winners[0].span.line,
        "winner": words(*winners),
        "pools": words(route),
        "advice": NARROWER_FIRST,
    }
    return Hit(
        "R01",
        route.span,
        args,
        severity=ERROR if shadow.whole else WARNING,
        related=related(winners, route) if shadow.whole else related(winners),
        fix=_behind(winners[0], route) if movable and shadow.whole and len(winners) == 1 else None,
        frontend=frontend.name,
        route=route.label,
        pool=route.targets[0].name if route.targets and shadow.whole else None,
    )


def _drowned(frontend: Frontend, winner: Route, routes: list[Route], advice: str) -> Hit:
    """One finding for all the routes behind one that takes everything; a warning where that one answers by itself."""
    answers = winner.outcome == "answer"
    more = f" and {counted(len(routes) - 1, 'route')} behind it" if len(routes) > 1 else ""
    args = {
        "route": routes[0].label + more,
        "by": winner.label,
        "line": winner.span.line,
        "winner": words(winner),
        "pools": words(*routes),
        "advice": advice,
    }
    return Hit(
        "R01",
        routes[0].span,
        args,
        severity=WARNING if answers else ERROR,
        related=related([winner], *routes),
        frontend=frontend.name,
        route=routes[0].label,
        pool=routes[0].targets[0].name if routes[0].targets else None,
    )


def _behind(winner: Route, route: Route) -> Fix | None:
    """Move the broad route's line behind the narrow one's: what its conditions name is defined above it already."""
    source = winner.span.source
    if source is not route.span.source or winner.span.start > route.span.start:
        return None
    start, end = _whole_lines(source.text, winner.span.start, winner.span.end)
    _, behind = _whole_lines(source.text, route.span.start, route.span.end)
    between = source.text[end:behind]
    if not between.endswith("\n") or any(line.lstrip().startswith(".") for line in between.splitlines()):
        return None
    edits = [Edit(source.span(start, end), ""), Edit(source.span(behind, behind), source.text[start:end])]
    return Fix("move the broader route behind the narrower one", edits)


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range of the whole lines that hold [start, end), the last one's end included."""
    stop = text.find("\n", max(start, end - 1))
    return text.rfind("\n", 0, start) + 1, len(text) if stop < 0 else stop + 1

"""nginx's way to choose a location: exact, `^~`, regular expressions in order, longest prefix.

Source: src/http/ngx_http_core_module.c, ngx_http_core_find_location.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from lbcheck.checks.coverage import Test
from lbcheck.checks.destinations import NARROWER_FIRST, destination, related, words
from lbcheck.checks.seen import Seen
from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Condition, Frontend, Route


def shadowed(frontend: Frontend) -> Iterator[Hit]:
    """Yield R01 for locations that never win.

    A regular expression loses to an earlier one that takes all it takes, and to a `^~` prefix; a prefix loses to a
    regular expression that takes all that begins with it.
    """
    routes = frontend.routes
    conditions = [_path(route) for route in routes]
    if not any(one is not None and one.op == "regex" for one in conditions):
        return
    tests = [None if one is None else Test(one) for one in conditions]
    prefixes = _Prefixes([(number, test) for number, test in enumerate(tests) if test is not None])
    expressions = Seen()
    for number, test in enumerate(tests):
        if test is None or test.condition.op != "regex":
            continue
        over = prefixes.barrier(test)
        if over is None and (cover := expressions.cover((test,))) is not None:
            over = cover[0]
        if over is not None:
            yield from _hit(frontend, routes[number], routes[over])
        expressions.add(number, (test,))
    for number, test in enumerate(tests):
        if test is not None and test.condition.op == "prefix" and test.condition.strength == "":
            cover = expressions.cover((test,))
            if cover is not None:
                yield from _hit(frontend, routes[number], routes[cover[0]])


def _path(route: Route) -> Condition | None:
    """Return the one condition of a location that is no other's child, or None."""
    if len(route.match) != 1 or len(route.match[0]) != 1 or route.match[0][0].field != "path":
        return None
    return route.match[0][0]


class _Prefixes:
    """The prefix locations of a server: which of them stop nginx from looking at regular expressions."""

    __slots__ = ("_lengths", "_plain", "_stops")

    def __init__(self, tests: list[tuple[int, Test]]) -> None:
        self._plain: list[str] = []
        self._stops: dict[str, int] = {}
        for number, test in tests:
            if test.condition.op == "prefix":
                value = next(iter(test.condition.values))
                if test.condition.strength == "^~":
                    self._stops.setdefault(value, number)
                else:
                    self._plain.append(value)
        self._plain.sort()
        self._lengths = sorted({len(value) for value in self._stops}, reverse=True)

    def barrier(self, test: Test) -> int | None:
        """Return the number of the `^~` location that hides a regular expression for good, or None."""
        start = _start(test)
        if start is None:
            return None
        for length in self._lengths:
            number = self._stops.get(start[:length]) if length <= len(start) else None
            if number is not None:
                return None if self._plain_within(start, length) else number
        return None

    def _plain_within(self, start: str, length: int) -> bool:
        """Say whether a longer prefix without `^~` lets regular expressions in for some path that begins with start."""
        plain = self._plain
        at = bisect_left(plain, start)
        if at < len(plain) and plain[at].startswith(start):
            return True
        return any(
            (at := bisect_left(plain, start[:end])) < len(plain) and plain[at] == start[:end]
            for end in range(length + 1, len(start) + 1)
        )


def _start(test: Test) -> str | None:
    """Return what every path that a regular expression takes begins with, to the letter."""
    if test.at_most is None or test.at_most[0] not in ("exact", "prefix", "path_prefix") or len(test.at_most[1]) != 1:
        return None
    start = next(iter(test.at_most[1]))
    return None if test.ignore_case and start.lower() != start.upper() else start


def _hit(frontend: Frontend, route: Route, over: Route) -> Iterator[Hit]:
    """Yield the finding where it is about pools: two locations that both answer by themselves are not ours."""
    if destination(route) == destination(over):
        return
    args = {
        "route": route.label,
        "by": over.label,
        "line": over.span.line,
        "winner": words(over),
        "pools": words(route),
        "advice": NARROWER_FIRST,
    }
    yield Hit(
        "R01",
        route.span,
        args,
        related=related([over], route),
        frontend=frontend.name,
        route=route.label,
        pool=route.targets[0].name if route.targets else None,
    )

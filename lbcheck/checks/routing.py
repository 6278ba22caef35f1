"""Routes that can never win, that contradict each other, or that leave requests without a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks import locations, server_names, shadowing
from lbcheck.checks.coverage import Test, every_path, steady
from lbcheck.checks.destinations import destination, words
from lbcheck.checks.seen import Seen
from lbcheck.findings import INFO, Hit, Related
from lbcheck.model import EVERY_REQUEST, Condition
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Route


#: Dialects whose routes that answer by themselves have their turn where they stand.
_IN_ORDER = frozenset({"envoy", "traefik", "kubernetes"})
_DEFAULT = (
    "name a `default_backend`; to refuse the rest, name a backend whose only rule is `http-request deny` (in the "
    "frontend itself that rule comes before all routes)"
)


def route_shadowed(config: Config, _context: Context) -> Iterator[Hit]:
    """R01: a route that earlier or stronger ones leave nothing, so its pool idles."""
    for frontend in config.frontends:
        if len(frontend.routes) < 2 or "several protocols" in frontend.options:
            continue
        if frontend.order == "nginx":
            yield from locations.shadowed(frontend)
        elif frontend.order == "first":
            for hit in shadowing.shadowed(
                frontend, movable=config.dialect == "haproxy", in_order=config.dialect in _IN_ORDER
            ):
                if any("priority" in route.options for route in frontend.routes):
                    hit.args = {**hit.args, "advice": "give the narrower router the higher `priority`"}
                yield hit


def route_duplicate_conflict(config: Config, _context: Context) -> Iterator[Hit]:
    """R02: the same requests are given to two pools; which one gets them is a matter of order."""
    told: set[tuple[int, int]] = set()  # a route of the Gateway API is one of several listeners
    for frontend in config.frontends:
        for first, later in shadowing.duplicates(frontend) if frontend.order in ("first", "longest") else ():
            if (id(first), id(later)) in told or (config.apart and not _of_one_object(config, first, later)):
                continue
            told.add((id(first), id(later)))
            yield _duplicate(frontend, first, later)
    if config.dialect == "nginx" and config.open is None:
        yield from server_names.contested(config)


def _of_one_object(config: Config, first: Route, later: Route) -> bool:
    """Say whether both stand in one object; others may be versions of one, of which only one is applied."""
    one, other = first.span, later.span
    return one.source is other.source and config.subject(one)[0] == config.subject(other)[0]


def default_route_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """R03: requests that match no route find no pool."""
    for frontend in config.frontends:
        if frontend.order != "first" or frontend.protocol != "http" or config.open is not None:
            continue
        if config.dialect == "envoy":
            continue  # hosts decide there, and a check of its own says so
        routes = [route for route in frontend.routes if route.outcome != "answer"]
        answered = any(route.outcome == "answer" and route.match for route in frontend.routes)
        if not any(route.match not in (EVERY_REQUEST, ()) for route in routes) or _ends(frontend):
            continue
        pools = sorted({target.name for route in routes for target in route.targets})
        args = {
            "frontend": frontend.name,
            "routes": len(routes),
            "pools": listed(pools) or "pools chosen at run time",
            "unanswered": "no rule answers and that " if answered else "",
            "default": "`default_backend`",
            "status": 503,
            "advice": _DEFAULT,
        }
        yield Hit("R03", frontend.span, args, frontend=frontend.name)


def _ends(frontend: Frontend) -> bool:
    """Say whether some rule takes whatever is left.

    That is an unconditional one, a pair of `if x` and `unless x`, or `unless x or y` beside routes for x and for y.
    """
    seen = Seen()
    refusals = []
    for number, route in enumerate(frontend.routes):
        for alternative in route.match:
            seen.add(number, tuple(Test(condition) for condition in alternative if not every_path(condition)))
            if alternative and all(condition.negated and steady(condition) for condition in alternative):
                refusals.append(alternative)
    return seen.everything is not None or any(
        all(seen.cover((Test(one),)) is not None for condition in refusal for one in _opposites(condition))
        for refusal in refusals
    )


def _opposites(condition: Condition) -> Iterator[Condition]:
    """Yield what a negated condition leaves, one for each value, since a route may take only some of the values."""
    parts = [frozenset({value}) for value in condition.values] if condition.field != "opaque" else []
    for values in parts or [condition.values]:
        yield Condition(
            condition.field, condition.op, values, ignore_case=condition.ignore_case, strength=condition.strength
        )


def _verdict(first: Route, later: Route) -> str:
    if destination(first) == destination(later):
        return f"both lead to {words(first)}"
    if "replaced" in later.options:
        return f"Traefik makes one router of both: {words(first)} gets the requests, {words(later)} never does"
    if shadowing.tied(first, later):
        priority = first.options["priority"].value
        return f"chance decides at each start between {words(first)} and {words(later)}: both have priority {priority}"
    why = f"line {first.span.line} {'has the higher priority' if 'priority' in first.options else 'comes first'}"
    return f"{words(first)} gets the requests ({why}), {words(later)} never does"


def _duplicate(frontend: Frontend, first: Route, later: Route) -> Hit:
    args = {"what": later.label, "verdict": _verdict(first, later)}
    beside = "the other one" if shadowing.tied(first, later) else "this one comes first and wins"
    if "replaced" in later.options:
        beside = "this one takes its place"
    return Hit(
        "R02",
        later.span,
        args,
        severity=INFO if destination(first) == destination(later) else None,
        related=[Related(first.span, beside)],
        frontend=frontend.name,
        route=later.label,
        pool=later.targets[0].name,
    )

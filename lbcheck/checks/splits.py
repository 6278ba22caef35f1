"""Requests shared out among pools by weight: what the weights come to for each server, and what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.fairness import ABOVE, times
from lbcheck.checks.weights import weighted_routes
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import counted, listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Route, Server, Setting, WeightedTarget

#: A target with up to so large a part of the requests is a trial of something new, however few servers it has.
_CANARY = 0.2
#: Sums that people took for 100 lie within so much of it.
_NEAR = 15


def size_mismatch(config: Config, context: Context) -> Iterator[Hit]:
    """D15: pools get parts of the requests that do not follow their numbers of servers.

    Silent where a number is not known or only the dialect's default, and for targets of a canary's size.
    """
    limit = context.option("D15", "max_ratio", 3)
    for frontend, route, weights in weighted_routes(config):
        total = sum(weight.value for weight in weights)
        taking = [target for target in route.targets if target.weight is not None and target.weight.value]
        sizes = [_size(target.pool) for target in taking]
        if len(taking) < 2 or not total or not all(sizes) or len({id(target.pool) for target in taking}) < len(taking):
            continue
        parts = [target.weight.value / total for target in taking if target.weight is not None]
        each = [part / (size or 1) for part, size in zip(parts, sizes, strict=True)]
        if min(parts) <= _CANARY * ABOVE or max(each) <= limit * min(each) * ABOVE:
            continue
        yield _mismatch(frontend.name, route, taking, each, [size or 1 for size in sizes])


def _size(pool: Pool | None) -> int | None:
    """Return how many servers take a pool's requests, None where that is not known: a host name may mean any number."""
    if pool is None or pool.open or any(map(_of_unknown_count, pool.servers)):
        return None
    return sum(server.count for server in pool.serving)


def _of_unknown_count(server: Server) -> bool:
    return server.address.kind == "name" or "default count" in server.options


def _mismatch(
    frontend: str, route: Route, taking: Sequence[WeightedTarget], each: Sequence[float], sizes: Sequence[int]
) -> Hit:
    most, least = each.index(max(each)), each.index(min(each))
    args = {
        "route": route.label,
        "pool": taking[most].name,
        "share": percent(each[most]),
        "other": taking[least].name,
        "least": percent(each[least]),
        "ratio": times(each[most] / each[least]),
        "sizes": listed(
            [f"{target.name} has {counted(size, 'server')}" for target, size in zip(taking, sizes, strict=True)]
        ),
        "weights": listed([f"{target.name} {size}" for target, size in zip(taking, sizes, strict=True)]),
    }
    other, weight = taking[least], taking[most].weight
    return Hit(
        "D15",
        (weight.span if weight is not None else None) or taking[most].span,
        args,
        related=[Related(other.span, f"each server of {other.name} gets {percent(each[least])}")],
        frontend=frontend,
        route=route.label,
        pool=taking[most].name,
    )


def degenerate(config: Config, _context: Context) -> Iterator[Hit]:
    """R06: weights that look like percentages and do not sum to 100: the shares are not those that are written."""
    for frontend, route, weights in weighted_routes(config):
        if not _percentages(weights):
            continue
        values = [weight.value for weight in weights]
        total = sum(values)
        parts = [f"{target.name} {percent(value / total)}" for target, value in zip(route.targets, values, strict=True)]
        yield Hit(
            "R06",
            weights[0].span or route.span,
            {"route": route.label, "sum": total, "parts": listed(parts, 5)},
            severity=INFO if len(set(values)) == 1 else None,
            frontend=frontend.name,
            route=route.label,
        )


def _percentages(weights: Sequence[Setting[int]]) -> bool:
    values = [weight.value for weight in weights]
    total = sum(values)
    near = 100 - _NEAR <= total <= 100 + _NEAR and total != 100
    return near and max(values) <= 100 and all(weight.written for weight in weights) and min(values) > 0

"""Routes that share their requests out over several pools: what the weights come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.fairness import ABOVE, times
from lbcheck.checks.weights import weighted_routes
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import counted, listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Route, WeightedTarget

#: So far from 100 the sum of percentages may be that somebody added up wrongly.
_NEAR = 15
#: A pool with no more than this part of the requests is a trial, and small on purpose.
_TRIAL = 0.2


def weighted_split_degenerate(config: Config, _context: Context) -> Iterator[Hit]:
    """R06: weights that look like percentages, and are none, for they do not add up to 100."""
    for frontend, route, weights in weighted_routes(config):
        values = [weight.value for weight in weights]
        total = sum(values)
        if total == 100 or abs(total - 100) > _NEAR or max(values) > 100 or not all(one.written for one in weights):
            continue
        largest = max(route.targets, key=lambda target: target.weight.value if target.weight is not None else 0)
        share = max(values) / total
        args = {
            "route": route.label,
            "weights": "/".join(map(str, values)),
            "total": total,
            "pool": largest.name,
            "written": max(values),
            "share": percent(share),
        }
        equal = len(set(values)) == 1
        span = weights[0].span or route.span
        yield Hit("R06", span, args, severity=INFO if equal else None, frontend=frontend.name, route=route.label)


def children_size_mismatch(config: Config, context: Context) -> Iterator[Hit]:
    """D15: pools of unlike size get parts that make the servers of one work many times as much as the others'."""
    limit = context.option("D15", "max_ratio", 3)
    for frontend, route, _ in weighted_routes(config):
        loads = [(target, load) for target in route.targets if (load := _each(target)) is not None]
        if len(loads) < 2 or len(loads) < sum(1 for target in route.targets if target.share):
            continue
        if min(target.share or 0.0 for target, _ in loads) <= _TRIAL * ABOVE:
            continue
        most, least = max(loads, key=lambda one: one[1]), min(loads, key=lambda one: one[1])
        if most[1] > limit * least[1] * ABOVE:
            yield _mismatch(frontend.name, route, most[0], least[0], most[1] / least[1])


def _each(target: WeightedTarget) -> float | None:
    """Return the part of the route's requests that each server of a target gets; None where it is not known."""
    pool = target.pool
    if pool is None or not target.share or pool.open is not None or _by_name(pool):
        return None
    count = sum(server.count for server in pool.serving)
    return target.share / count if count else None


def _by_name(pool: Pool) -> bool:
    """Say whether a name may stand for any number of servers."""
    return any(server.address.kind == "name" for server in pool.servers)


def _mismatch(frontend: str, route: Route, most: WeightedTarget, least: WeightedTarget, ratio: float) -> Hit:
    sizes = [
        f"{target.name} {percent(target.share or 0.0)} for {counted(len(target.pool.serving), 'server')}"
        for target in (most, least)
        if target.pool is not None
    ]
    args = {"route": route.label, "pool": most.name, "other": least.name, "ratio": times(ratio), "sizes": listed(sizes)}
    span = (most.weight.span if most.weight is not None else None) or most.span
    related = [Related(least.span, "the other one")]
    return Hit("D15", span, args, related=related, frontend=frontend, route=route.label, pool=most.name)

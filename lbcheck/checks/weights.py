"""Weights as they are written: a slipped digit, a forgotten weight.

What the weights come to in traffic is judged in `distribution`. Where the algorithm never reads a weight (D06),
how it was written does not matter, and the rules here are silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.checks.distribution import ignores_weights
from lbcheck.checks.edits import set_weight, unsafe
from lbcheck.checks.fairness import choices, lower_median, serving_shares, times
from lbcheck.checks.intent import canary, trial
from lbcheck.findings import Hit, Related
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Pool, Route, Server, Setting

#: From this median on, a server at the default weight of 1 gets a trickle that nobody would have asked for.
_HEAVY = 5
#: More related places than this are not listed.
_RELATED = 10


def weight_outlier(config: Config, context: Context) -> Iterator[Hit]:
    """D02: all weights but one are the same, and the odd one is that with a zero more or less.

    Only exact powers of ten, and never up from 1: among weights of 1 there is no digit to slip, 10/1/1 is D01's.
    """
    for pool, members in context.once(config, choices):
        if len(members) < 3 or not all(server.weight.written for server in members):
            continue
        odd = _odd_one(members)
        if odd is None or ignores_weights(pool, config.dialect) or canary(odd, pool):
            continue
        common = lower_median([server.weight.value for server in members])
        weight = odd.weight.value
        if not _slipped(weight, common) or _worth(odd, members, weight / common):
            continue
        args = {
            "server": odd.name,
            "pool": pool.name,
            "weight": weight,
            "common": common,
            "others": counted(len(members) - 1, "other server"),
            "ratio": times(_times_in_traffic(pool, config, context, odd, members) or weight / common),
        }
        fix = unsafe(f"weight {common}, as the others have", [set_weight(odd, config.dialect, common)])
        yield Hit("D02", odd.weight.span or odd.span, args, fix=fix, pool=pool.name, server=odd.name)


def _times_in_traffic(
    pool: Pool, config: Config, context: Context, one: Server, others: Sequence[Server]
) -> float | None:
    """Return how many times the others' share a server gets; None where the shares cannot be known.

    A consistent hash follows the weights only about: 1 to 10 may be 1 to 9.6.
    """
    share = {id(server): part for server, part in serving_shares(pool, context.shares(pool, config.dialect))}
    common = lower_median([share[id(server)] for server in others if server is not one]) if share else 0
    return share[id(one)] / common if common else None


def _odd_one(members: Sequence[Server]) -> Server | None:
    """Return the one server whose weight differs from the one that all others share."""
    common = lower_median([server.weight.value for server in members])
    odd = [server for server in members if server.weight.value != common]
    return odd[0] if len(odd) == 1 else None


def _slipped(weight: int, common: int) -> bool:
    """Say whether one weight is the other with one or two zeros more."""
    if common > 1 and weight in (10 * common, 100 * common):
        return True
    return common in (10 * weight, 100 * weight)


def _worth(odd: Server, members: Sequence[Server], ratio: float) -> bool:
    """Say whether declared capacities explain the ratio, to within a factor of 1.5."""
    others = [server.capacity.value for server in members if server is not odd and server.capacity is not None]
    if odd.capacity is None or not others or not min(others) > 0:
        return False
    declared = odd.capacity.value / lower_median(others)
    return ratio / 1.5 <= declared <= ratio * 1.5


def weight_implicit(config: Config, context: Context) -> Iterator[Hit]:
    """D03: the odd server without a weight among servers with large ones; so too among the targets of a route.

    Where more servers have none than have one, the weight that is written is the odd thing, which D01 measures.
    """
    for pool, members in context.once(config, choices):
        weights = [server.weight for server in members]
        if not _some_forgotten(weights) or ignores_weights(pool, config.dialect):
            continue
        forgotten = [server for server in members if not server.weight.written and not canary(server, pool)]
        if not forgotten:
            continue
        args = _implicit_args(weights, f"pool {pool.name}", [server.name for server in forgotten])
        written = [server for server in members if server.weight.written]
        share = _times_in_traffic(pool, config, context, forgotten[0], written)
        if share:
            args["ratio"] = times(1 / share)
        edits = [set_weight(server, config.dialect, args["typical"]) for server in forgotten]
        yield Hit(
            "D03",
            forgotten[0].span,
            args,
            related=[Related(server.span, "nor has this one") for server in forgotten[1:_RELATED]],
            fix=unsafe(f"weight {args['typical']}, as its neighbours have", edits),
            pool=pool.name,
            server=forgotten[0].name,
        )
    for frontend, route, weights in weighted_routes(config):
        forgotten_pools = [target for target in route.targets if target.weight and not target.weight.written]
        if _some_forgotten(weights) and not any(trial(target.name, target.span) for target in forgotten_pools):
            args = _implicit_args(weights, f"route {route.label}", [target.name for target in forgotten_pools])
            yield Hit("D03", forgotten_pools[0].span, args, frontend=frontend.name, route=route.label)


def weighted_routes(config: Config) -> Iterator[tuple[Frontend, Route, list[Setting[int]]]]:
    """Yield the routes that share their requests out by weight, with the weights of their targets."""
    for frontend in config.frontends:
        for route in frontend.routes:
            if len(route.targets) > 1 and route.outcome == "pools":
                weights = [target.weight for target in route.targets if target.weight is not None]
                if len(weights) == len(route.targets):
                    yield frontend, route, weights


def _some_forgotten(weights: Sequence[Setting[int]]) -> bool:
    """Say whether some weights are not written, no more than are, and the written ones are large."""
    explicit = [weight.value for weight in weights if weight.written]
    return len(weights) > len(explicit) >= len(weights) / 2 and lower_median(explicit) >= _HEAVY


def _implicit_args(weights: Sequence[Setting[int]], whole: str, names: list[str]) -> dict[str, Any]:
    typical = lower_median([weight.value for weight in weights if weight.written])
    default = next(weight.value for weight in weights if not weight.written)
    return {
        "server": listed(names),
        "has": "has" if len(names) == 1 else "have",
        "it": "it" if len(names) == 1 else "each",
        "whole": whole,
        "weight": default,
        "typical": typical,
        "ratio": times(typical / max(default, 1)),
    }

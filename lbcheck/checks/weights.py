"""Weights as they are written: a slipped digit, a forgotten weight, weights of zero.

What the weights come to in traffic is judged in `distribution`. Where the algorithm never reads a weight (D06),
how it was written does not matter, and the rules here are silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.distribution import ignores_weights
from lbcheck.checks.edits import set_weight, unsafe
from lbcheck.checks.fairness import choices, lower_median, times
from lbcheck.checks.intent import canary, drained
from lbcheck.checks.pools import receives
from lbcheck.findings import WARNING, Hit, Related
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

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
            "ratio": times(weight / common),
        }
        fix = unsafe(f"weight {common}, as the others have", [set_weight(odd, config.dialect, common)])
        yield Hit("D02", odd.weight.span or odd.span, args, fix=fix, pool=pool.name, server=odd.name)


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
    """D03: the odd server without a weight among servers with large ones.

    Where more servers have none than have one, the weight that is written is the odd thing, which D01 measures.
    """
    for pool, members in context.once(config, choices):
        explicit = [server.weight.value for server in members if server.weight.written]
        implicit = [server for server in members if not server.weight.written]
        if not implicit or len(explicit) < len(implicit) or lower_median(explicit) < _HEAVY:
            continue
        forgotten = [server for server in implicit if not canary(server, pool)]
        if not forgotten or ignores_weights(pool, config.dialect):
            continue
        typical = lower_median(explicit)
        args = {
            "server": listed([server.name for server in forgotten]),
            "pool": pool.name,
            "weight": forgotten[0].weight.value,
            "typical": typical,
            "ratio": times(typical / max(forgotten[0].weight.value, 1)),
        }
        edits = [set_weight(server, config.dialect, typical) for server in forgotten]
        yield Hit(
            "D03",
            forgotten[0].span,
            args,
            related=[Related(server.span, "nor has this one") for server in forgotten[1:_RELATED]],
            fix=unsafe(f"weight {typical}, as its neighbours have", edits),
            pool=pool.name,
            server=forgotten[0].name,
        )


def weight_zero(config: Config, context: Context) -> Iterator[Hit]:
    """D04: a primary that is in the pool and gets nothing, and nobody says why.

    A server that `use-server` names is chosen past the weights, and `weight 0` is HAProxy's own advice for it
    (configuration.txt, use-server). Two servers at 0 and 100 are a blue and a green one.
    """
    del context
    for pool in config.pools:
        zero = _unexplained_zeros(pool)
        if not zero or pool.open or not pool.serving or _blue_green(pool):
            continue
        forgotten = [server for server in zero if not drained(server)]
        if not forgotten:
            continue
        enabled = sum(1 for server in pool.primaries if server.enabled)
        args = {
            "server": listed([server.name for server in forgotten]),
            "pool": pool.name,
            "number": len(forgotten),
            "enabled": counted(enabled, "server"),
        }
        yield Hit(
            "D04",
            forgotten[0].weight.span or forgotten[0].span,
            args,
            severity=WARNING if 2 * len(forgotten) > enabled else None,
            related=[Related(server.span, "weight 0 as well") for server in forgotten[1:_RELATED]],
            pool=pool.name,
            server=forgotten[0].name,
        )


def _unexplained_zeros(pool: Pool) -> list[Server]:
    return [
        server
        for server in pool.servers
        if not server.weight.value and not server.backup and server.enabled and not chosen_by_name(pool, server)
    ]


def chosen_by_name(pool: Pool, server: Server) -> bool:
    """Say whether a `use-server` rule may choose the server past its weight."""
    names = pool.options.get("use-server")
    return names is not None and (not names.value or server.name in names.value)


def _blue_green(pool: Pool) -> bool:
    return sorted(server.weight.value for server in pool.primaries) == [0, 100]


def weight_all_zero(config: Config, context: Context) -> Iterator[Hit]:
    """D05: no primary that is enabled has a weight above zero, so no new request finds a server.

    A backup that is in rotation takes over in HAProxy (src/lb_*.c count only usable servers), which is milder.
    """
    for pool in config.pools:
        enabled = [server for server in pool.primaries if server.enabled]
        if pool.open or not enabled or any(server.weight.value or chosen_by_name(pool, server) for server in enabled):
            continue
        if not receives(pool, config, context):
            continue
        rescued = [server for server in pool.backups if server.enabled and server.weight.value]
        args = {
            "pool": pool.name,
            "servers": counted(len(enabled), "server"),
            "effect": f"only its backup serves: {listed([server.name for server in rescued])}"
            if rescued
            else "no new request finds a server",
        }
        yield Hit(
            "D05",
            pool.span,
            args,
            severity=WARNING if rescued else None,
            related=[Related(server.weight.span or server.span, "weight 0") for server in enabled[:_RELATED]],
            pool=pool.name,
        )

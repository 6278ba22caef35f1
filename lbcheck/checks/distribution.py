"""What the weights come to: shares as the proxy's algorithm computes them, held against a fair share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lbcheck.checks.edits import replace_word, unsafe
from lbcheck.checks.fairness import ABOVE, choices, equal_weights, lower_median, serving_shares, times
from lbcheck.checks.hashing import overflowing
from lbcheck.checks.intent import canary
from lbcheck.findings import ERROR, INFO, Hit, Related
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Span

    Shared = Sequence[tuple[Server, float]]

#: HAProxy picks by something else than weight: src/lb_fas.c goes by id and maxconn, src/lb_ss.c by the last choice.
#: Envoy's RANDOM draws all hosts alike (random_lb.cc). Traefik's p2c has no weights (p2c.go; seen on 3.7.13).
_IGNORING = {
    "haproxy": frozenset({"first", "sticky"}),
    "envoy": frozenset({"random"}),
    "traefik": frozenset({"p2c"}),
}
#: Algorithms of nginx, HAProxy and Traefik whose shares are weight / sum of weights (as traffic.algorithms has it).
_BY_WEIGHT = frozenset({"round_robin", "least_conn", "roundrobin", "static-rr", "wrr"})


def ignores_weights(pool: Pool, dialect: str) -> bool:
    """Say whether the pool's algorithm never looks at weights above zero."""
    return pool.algorithm.name in _IGNORING.get(dialect, ())


def weight_skew(config: Config, context: Context) -> Iterator[Hit]:
    """D01: one server gets many times the traffic of another, or more than its declared capacity is worth.

    Equal weights are never its business: a skew that the algorithm itself makes is D07's, D08's or D21's.
    """
    limit = context.option("D01", "max_share_ratio", 4)
    for pool, members in context.once(config, choices):
        if pool.algorithm.name == "random_two" or overflowing(pool, config.dialect):
            continue
        capacities = _capacities(members)
        if capacities is None and (equal_weights(members) or _moderate(pool, members, limit)):
            continue
        shared = serving_shares(pool, context.shares(pool, config.dialect))
        if not shared:
            continue
        hit = _skewed(pool, shared, limit) if capacities is None else _overloaded(pool, shared, capacities)
        if hit is not None:
            yield hit


def _moderate(pool: Pool, members: Sequence[Server], limit: float) -> bool:
    """Say whether shares need no computing: they follow the weights, and no weight is `limit` times another."""
    weights = [server.weight.value for server in members]
    return pool.algorithm.name in _BY_WEIGHT and max(weights) <= limit * min(weights)


def _capacities(members: Sequence[Server]) -> list[float] | None:
    """Return every member's declared capacity, or None where one has none: then shares alone are judged."""
    values = [server.capacity.value for server in members if server.capacity is not None]
    return values if len(values) == len(members) and all(value > 0 for value in values) else None


def _skewed(pool: Pool, shared: Shared, limit: float) -> Hit | None:
    """Return the finding for a pool whose largest share is more than `limit` times the smallest above zero."""
    receiving = sorted((pair for pair in shared if pair[1] > 0), key=lambda pair: pair[1])
    if len(receiving) < 2 or receiving[-1][1] <= limit * receiving[0][1] * ABOVE or _trial(pool, receiving):
        return None
    least, most = receiving[0], receiving[-1]
    middle = lower_median([share for _, share in receiving])
    (server, share), other = (most, least) if most[1] / middle >= middle / least[1] else (least, most)
    weight = lower_median([peer.weight.value for peer, _ in shared if peer is not server])
    return _hit(pool, server, share, share * len(shared), str(weight), other)


def _trial(pool: Pool, receiving: Shared) -> bool:
    """Say whether the smallest share is a canary's: the others alike, and a name, a comment or round sums say so."""
    (smallest, share), others = receiving[0], receiving[1:]
    if share * ABOVE < 0.01 or share > 0.2 * ABOVE or others[-1][1] > 1.5 * others[0][1] * ABOVE:
        return False
    weights = [server.weight for server, _ in receiving]
    if all(weight.written for weight in weights) and sum(weight.value for weight in weights) in (10, 100, 1000):
        return True
    return canary(smallest, pool)


def _overloaded(pool: Pool, shared: Shared, capacities: Sequence[float]) -> Hit | None:
    """Return the finding for the member whose share is most beyond its part of the declared capacity."""
    whole = sum(capacities)
    loads = [share * whole / capacity for (_, share), capacity in zip(shared, capacities, strict=True)]
    index = max(range(len(loads)), key=loads.__getitem__)
    server, share = shared[index]
    demand = pool.options.get("demand")
    short = demand is not None and share * demand.value > capacities[index] * ABOVE
    if not short and loads[index] <= 1.5 * sum(loads) / len(loads) * ABOVE:
        return None
    unit = sum(peer.weight.value for peer, _ in shared) / whole
    weight = max(1, round(unit * capacities[index]))
    idlest = shared[min(range(len(loads)), key=loads.__getitem__)]
    hit = _hit(pool, server, share, loads[index], f"{weight}, which its capacity is worth", idlest)
    hit.severity = ERROR if short else None
    return hit


def _hit(pool: Pool, server: Server, share: float, ratio: float, weight: str, other: tuple[Server, float]) -> Hit:
    args = {"server": server.name, "pool": pool.name, "share": percent(share), "ratio": times(ratio), "weight": weight}
    related = [Related(other[0].span, f"{other[0].name} gets {percent(other[1])}")]
    return Hit("D01", server.weight.span or server.span, args, related=related, pool=pool.name, server=server.name)


def weight_ignored(config: Config, context: Context) -> Iterator[Hit]:
    """D06: the weights differ, and the algorithm does not read them, or not while the pool is idle.

    HAProxy's leastconn compares (connections + 1) * 4096 / weight only for servers that have connections; each idle
    one has key 0, whatever its weight (src/lb_fwlc.c fwlc_get_key), so quiet pools are shared out evenly.
    """
    if config.dialect not in _IGNORING:
        return
    dialect = config.dialect
    inherited = Counter(pool.algorithm.span for pool in config.pools if _reads_no_weight(pool, dialect))
    for pool, members in context.once(config, choices) if inherited else ():
        if not _reads_no_weight(pool, dialect) or equal_weights(members):
            continue
        name, span = pool.algorithm.name, pool.algorithm.span
        idle = name == "leastconn"
        how, instead = _BALANCE[dialect]
        args = {
            "pool": pool.name,
            "algorithm": how.format(name),
            "instead": how.format(instead),
            "weights": listed([f"{server.name} {server.weight.value}" for server in members]),
            "effect": _EFFECTS.get(name, "the first server that has a free slot gets all requests"),
        }
        written = span.text if dialect == "envoy" and span is not None else name
        fix = unsafe("share by weight", [replace_word(span, written, instead)]) if _fixable(dialect, span) else None
        yield Hit(
            "D06",
            span or pool.span,
            args,
            severity=INFO if idle else None,
            fix=None if idle or inherited[span] > 1 else fix,
            pool=pool.name,
        )


#: How each dialect writes an algorithm, and the one that reads weights.
_BALANCE = {
    "haproxy": ("balance {}", "roundrobin"),
    "envoy": ("lb_policy {}", "ROUND_ROBIN"),
    "traefik": ("strategy: {}", "wrr"),
}
_EFFECTS = {
    "leastconn": "while a server has no connection, each gets the same number of requests",
    "random": "each server gets the same number of requests",
    "p2c": "of two servers drawn at random the one with fewer requests gets the next one",
}


def _fixable(dialect: str, span: Span | None) -> bool:
    """Say whether another word in the algorithm's place does it: a typed policy of Envoy is a message of its own."""
    return dialect != "envoy" or (span is not None and span.text.isupper())


def _reads_no_weight(pool: Pool, dialect: str) -> bool:
    return (pool.algorithm.name == "leastconn" and dialect == "haproxy") or ignores_weights(pool, dialect)

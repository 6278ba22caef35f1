"""Hashing: rings with too few points to be fair, and the hashes that do not reach all weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.edits import set_weight, unsafe
from lbcheck.checks.fairness import ABOVE, choices, serving_shares, times
from lbcheck.findings import ERROR, Hit, NotChecked, Related
from lbcheck.model import Pool, Server, Setting
from lbcheck.traffic.algorithms import MAX_RING_POINTS, ring_points, shares
from lbcheck.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config

#: How many first values nginx's hashes have: ip_hash takes % 6271, hash takes 15 bits
#: (src/http/modules/ngx_http_upstream_ip_hash_module.c, ngx_http_upstream_hash_module.c).
_RANGES = {"ip_hash": 6271, "hash": 32768}
#: The largest weight worth writing: HAProxy accepts no larger one, nginx builds 160 points for each unit.
_HEAVIEST = {"nginx": 1000, "haproxy": 256}
#: Advice is tried before it is given, on rings that take milliseconds.
_TRIAL_POINTS = 200_000


def overflowing(pool: Pool, dialect: str) -> int | None:
    """Return how many first values an nginx pool's hash has if its weights sum to more; None where all is well."""
    reach = _RANGES.get(pool.algorithm.name) if dialect == "nginx" else None
    if reach is None:
        return None
    return reach if sum(server.weight.value for server in pool.primaries) > reach else None


def hash_ring_imbalance(config: Config, context: Context) -> Iterator[Hit]:
    """D08: the arcs of a consistent hash give one server far more of the keys than its weight is worth."""
    for pool, _ in context.once(config, choices):
        points = ring_points(pool, config.dialect)
        if not points or pool.algorithm.name == "random":
            continue
        if points > MAX_RING_POINTS:
            reason = f"its ring of {points:,} points is not computed (limit {MAX_RING_POINTS:,})"
            config.unmodelled.append(NotChecked(pool.algorithm.span or pool.span, reason))
            continue
        worst = _worst(serving_shares(pool, context.shares(pool, config.dialect)))
        if worst is not None and worst[0] > 1.25 * ABOVE:
            yield _unfair(pool, config.dialect, *worst)


def _worst(shared: Sequence[tuple[Server, float]]) -> tuple[float, Server, float] | None:
    """Return (ratio to a fair share, server, share) of the server that is most beyond its weight's worth.

    None where shares are not known; where lines of one address share one arc on nginx's ring, so that it is not
    their weights that count (P04); and where a constant key sends everything to one server, ring or no ring.
    """
    addresses = {server.address.key for server, _ in shared}
    if len(addresses) < len(shared) or sum(1 for _, share in shared if share > 0) < 2:
        return None
    total = sum(server.weight.value for server, _ in shared)
    return max(
        ((share * total / server.weight.value, server, share) for server, share in shared), key=lambda found: found[0]
    )


def _unfair(pool: Pool, dialect: str, ratio: float, server: Server, share: float) -> Hit:
    factor = _factor(pool, dialect) if dialect in _HEAVIEST else None
    args = {
        "pool": pool.name,
        "server": server.name,
        "share": percent(share),
        "ratio": times(ratio),
        "hash": f"the ring ({ring_points(pool, dialect):,} points)",
        "advice": _advice(factor, dialect),
    }
    edits = [set_weight(peer, dialect, peer.weight.value * factor) for peer in pool.servers] if factor else []
    return Hit(
        "D08",
        pool.algorithm.span or pool.span,
        args,
        severity=ERROR if ratio > 1.5 * ABOVE else None,
        related=[Related(server.span, f"gets {percent(share)}")],
        fix=unsafe(f"multiply every weight by {factor}", edits),
        pool=pool.name,
        server=server.name,
    )


def _advice(factor: int | None, dialect: str) -> str:
    if factor:
        return f"multiply every weight by {factor}, for more points on the ring; keys move once"
    if dialect == "envoy":
        return "give the ring a minimum_ring_size of some 1,000 for each server, or use MAGLEV; keys move once"
    return "use another algorithm, or as many points as the largest weights give"


def _factor(pool: Pool, dialect: str) -> int | None:
    """Return the smallest of a few factors that makes the ring fair to within 10 %, or None where none is known to.

    The factors are tried on the ring itself: more points are fairer on the whole, not with every step.
    """
    heaviest = max(server.weight.value for server in pool.servers)
    for factor in (2, 5, 10, 20, 50, 100, 200):
        scaled = _scaled(pool, factor)
        points = ring_points(scaled, dialect)
        if heaviest * factor > _HEAVIEST[dialect] or points > _TRIAL_POINTS:
            return None
        worst = _worst(serving_shares(scaled, shares(scaled, dialect, points)))
        if worst is not None and worst[0] <= 1.1:
            return factor
    return None


def _scaled(pool: Pool, factor: int) -> Pool:
    """Return a pool of the same servers and algorithm with all weights multiplied."""
    servers = [
        Server(
            server.name,
            server.address,
            server.span,
            Setting(server.weight.value * factor, server.weight.span),
            server.role,
            disabled=server.disabled,
            count=server.count,
            options=server.options,
        )
        for server in pool.servers
    ]
    return Pool(pool.name, pool.span, servers, pool.algorithm, scope=pool.scope, options=pool.options)

"""The share of requests that each server of a pool gets, as that proxy's own algorithm computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.model import Pool

#: Beyond this many points a consistent-hash ring is not looked at (nginx accepts `weight=100000`: 16 million points).
MAX_RING_POINTS = 2_000_000


class Shares:
    """Shares of a pool's requests at low load.

    `servers` has one fraction per server of `Pool.servers`, in that order (backups and disabled ones 0.0), or is
    None with a `reason` where it cannot be known. `unserved` is the fraction that no server takes (1.0 when nothing
    serves). `exact` is False for values that are not computed to the end: simulated ones carry `seed` and `stderr`,
    estimated ones (the arcs of a large ring) `stderr` alone. `stderr` is the largest one of any server's share.
    """

    __slots__ = ("exact", "reason", "seed", "servers", "stderr", "unserved")

    def __init__(
        self,
        servers: list[float] | None,
        *,
        unserved: float = 0.0,
        exact: bool = True,
        reason: str | None = None,
        seed: int | None = None,
        stderr: float | None = None,
    ) -> None:
        self.servers = servers
        self.unserved = unserved
        self.exact = exact
        self.reason = reason
        self.seed = seed
        self.stderr = stderr

    def __repr__(self) -> str:
        return f"Shares({self.servers if self.reason is None else self.reason!r}, unserved={self.unserved})"


def shares(pool: Pool, dialect: str, exact_points: int | None = None) -> Shares:
    """Return each server's share of the pool's requests in normal operation at low load.

    `exact_points` is the size up to which a consistent-hash ring is walked arc by arc, at about 1 µs a point.
    None is the economical choice (`ring.worth_walking`): rings whose arcs may be far from the weights are walked,
    rings of so many points that chance evens them out are estimated from the weights, with their standard error.
    """
    if pool.open is not None:
        return Shares(None, reason=pool.open)
    points = ring_points(pool, dialect)
    if points > MAX_RING_POINTS:
        return Shares(None, reason=f"not computed: {points:,} ring points, more than the limit of {MAX_RING_POINTS:,}")
    if dialect == "nginx":
        from lbcheck.traffic.algorithms import nginx

        return nginx.shares(pool, points, exact_points)
    if dialect == "haproxy":
        from lbcheck.traffic.algorithms import haproxy

        return haproxy.shares(pool, points, exact_points)
    if dialect == "native":
        from lbcheck.traffic.algorithms import native

        return native.shares(pool)
    return Shares(None, reason=f"the algorithms of {dialect} are not emulated")


def ring_points(pool: Pool, dialect: str) -> int:
    """Return how many points the pool's consistent-hash ring has; 0 where its algorithm needs no ring.

    A sum over the weights, so that callers may ask before they have a ring built.
    """
    algorithm = pool.algorithm
    if dialect == "nginx" and algorithm.name == "hash_consistent":
        from lbcheck.traffic.algorithms.ketama import POINTS_PER_WEIGHT

        return POINTS_PER_WEIGHT * sum(server.weight.value for server in pool.servers if not server.backup)
    if dialect == "haproxy":
        from lbcheck.traffic.algorithms import haproxy

        return haproxy.ring_points(pool)
    return 0

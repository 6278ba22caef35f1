"""The share of requests that each server of a pool gets, as that proxy's own algorithm computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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


class Balancer(Protocol):
    """What shares a pool's requests out among its members, one for each server that a line stands for.

    `interchangeable`: members of one weight and role are; what the others get after a loss does not depend on which of
    them is lost.
    """

    @property
    def interchangeable(self) -> bool:
        """Whether nothing but weight and role tells members apart."""

    def shares(self, lost: Collection[int] = ...) -> Shares:
        """Return the pool's shares; the members at the places `lost` (`members.members`) are gone."""


def shares(pool: Pool, dialect: str, exact_points: int | None = None, lost: Collection[int] = frozenset()) -> Shares:
    """Return each server's share of the pool's requests at low load; the servers at the places `lost` are gone.

    Gone means that the proxy has noticed: nginx skips them as it skips `down` ones, and goes on from there in its
    hashes; HAProxy takes them out of map, tree and ring. Where no primary is left, the backups come in.

    `exact_points` is the size up to which a consistent-hash ring is walked arc by arc, at about 1 µs a point.
    None is the economical choice (`ring.worth_walking`): rings whose arcs may be far from the weights are walked,
    rings of so many points that chance evens them out are estimated from the weights, with their standard error.
    """
    found = balancer(pool, dialect, exact_points)
    if isinstance(found, Shares):
        return found
    if not lost:
        return found.shares()
    from lbcheck.traffic.algorithms.members import members

    return found.shares({place for place, member in enumerate(members(pool)) if member.index in lost})


def balancer(pool: Pool, dialect: str, exact_points: int | None = None) -> Balancer | Shares:
    """Return what shares a pool's requests out, to be asked for many losses; the answer where nothing can be known.

    It remembers what its answers have in common: all shares after the loss of one server take little longer than
    those after one loss.
    """
    decided = _decided_before(pool)
    if decided is not None:
        return decided
    points = ring_points(pool, dialect)
    if points > MAX_RING_POINTS:
        return Shares(None, reason=f"not computed: {points:,} ring points, more than the limit of {MAX_RING_POINTS:,}")
    make = _MAKERS.get(dialect)
    if make is None:
        return Shares(None, reason=f"the algorithms of {dialect} are not emulated")
    return make(pool, points, exact_points)


def _nginx(pool: Pool, points: int, exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import nginx

    return nginx.Upstream(pool, points, exact_points)


def _haproxy(pool: Pool, points: int, exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import haproxy

    return haproxy.Backend(pool, points, exact_points)


def _envoy(pool: Pool, _points: int, exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import envoy

    return envoy.Cluster(pool, exact_points)


def _traefik(pool: Pool, _points: int, _exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import traefik

    return traefik.Balancer(pool)


def _kubernetes(pool: Pool, _points: int, _exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import kubernetes

    return kubernetes.Balancer(pool)


def _native(pool: Pool, _points: int, _exact_points: int | None) -> Balancer:
    from lbcheck.traffic.algorithms import native

    return native.Balancer(pool)


#: What makes each dialect's balancer; imported on use.
_MAKERS: dict[str, Callable[[Pool, int, int | None], Balancer]] = {
    "nginx": _nginx,
    "haproxy": _haproxy,
    "envoy": _envoy,
    "traefik": _traefik,
    "kubernetes": _kubernetes,
    "native": _native,
}


def _decided_before(pool: Pool) -> Shares | None:
    """Return the answer where members are not known, or where not every request comes to the algorithm.

    In HAProxy a `use-server` rule that applies takes its server whatever the algorithm says; a disabled backend
    answers 503 (configuration.txt, `use-server` and `disabled`).
    """
    if pool.deserted is not None:
        return Shares([0.0] * len(pool.servers), unserved=1.0)
    if pool.open is not None:
        return Shares(None, reason=pool.open)
    if "disabled" in pool.options:
        return Shares([0.0] * len(pool.servers), unserved=1.0)
    if "use-server" in pool.options:
        return Shares(None, reason="`use-server` rules choose servers past its algorithm")
    return None


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
    if dialect == "envoy":
        from lbcheck.traffic.algorithms import envoy

        return envoy.ring_points(pool)
    return 0

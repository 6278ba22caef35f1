"""nginx's shares, by load balancing method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares, draws, ketama, modulo, rehash, ring
from lbcheck.traffic.algorithms.members import Member, all_to, members, nobody, proportional, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.rehash import Tries


class Upstream:
    """A pool's primaries as a method sees them.

    `down` are places in the lists of those that are `down`, which keep their places in all of them.
    """

    __slots__ = (
        "_continuum",
        "_places",
        "backups",
        "down",
        "exact_points",
        "named_once",
        "names",
        "peers",
        "points",
        "pool",
        "weights",
    )

    def __init__(self, pool: Pool, points: int, exact_points: int | None) -> None:
        self.pool = pool
        self.peers: list[Member] = []
        self.backups: list[tuple[int, Member]] = []
        self._places: list[int] = []
        for place, member in enumerate(members(pool)):
            backup = member.server.backup
            self._places.append(-1 if backup else len(self.peers))
            if backup:
                self.backups.append((place, member))
            else:
                self.peers.append(member)
        self.weights = [peer.weight for peer in self.peers]
        self.names = [peer.server.name for peer in self.peers]
        self.down = frozenset(at for at, peer in enumerate(self.peers) if not peer.server.serving)
        self.points = points
        self.exact_points = exact_points
        self.named_once = len(set(self.names)) == len(self.names)
        self._continuum: ketama.Continuum | None = None

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return the pool's shares when the members at the places `lost` are taken for failed: skipped as if `down`."""
        down = self.down.union(at for place in lost if (at := self._places[place]) >= 0) if lost else self.down
        if len(down) == len(self.peers):
            return _backups(self, lost)
        method = _METHODS.get(self.pool.algorithm.name)
        if method is None:
            name = self.pool.algorithm.name
            return Shares(None, reason=_UNKNOWN.get(name, f"{name} is not emulated"))
        return method(self, down)

    @property
    def interchangeable(self) -> bool:
        """Whether nothing but the weight tells servers apart: neither order nor arcs nor another one of that name."""
        algorithm = self.pool.algorithm.name
        if algorithm == "hash_consistent":
            walked = ring.worth_walking(self.points, len(self.peers), self.exact_points)
            return self.named_once and not walked and constant_key(self.pool) is None
        return algorithm in ("round_robin", "least_conn", "random", "random_two")

    @property
    def continuum(self) -> ketama.Continuum:
        """The ring of `hash KEY consistent`."""
        if self._continuum is None:
            self._continuum = ketama.Continuum(self.names, self.weights)
        return self._continuum


_UNKNOWN = {"least_time": "least_time chooses by measured response times"}


def _backups(upstream: Upstream, lost: Collection[int]) -> Shares:
    """Backups take turns by weight whatever the method: all methods end in round robin's own function."""
    pool = upstream.pool
    taking = [peer for place, peer in upstream.backups if peer.server.enabled and peer.weight > 0 and place not in lost]
    return spread(pool, taking, proportional([peer.weight for peer in taking])) if taking else nobody(pool)


def _by_weight(upstream: Upstream, down: Collection[int]) -> Shares:
    """Smooth weighted round robin; least_conn, whose ties it breaks; random, which draws anew for unusable servers."""
    weights = upstream.weights
    if down:
        weights = weights.copy()
        for at in down:
            weights[at] = 0
    return spread(upstream.pool, upstream.peers, proportional(weights))


def _random_two(upstream: Upstream, down: Collection[int]) -> Shares:
    return spread(upstream.pool, upstream.peers, draws.random_two_shares(upstream.weights, down))


def _hash(upstream: Upstream, down: Collection[int]) -> Shares:
    key = constant_key(upstream.pool)
    if key is None:
        return _modulo(upstream, down, modulo.HASH_VALUES, rehash.of_keys)
    server = modulo.server_for(modulo.hash_values(key), upstream.weights, down) if key else None
    return _by_weight(upstream, down) if server is None else all_to(upstream.pool, upstream.peers[server])


def _ip_hash(upstream: Upstream, down: Collection[int]) -> Shares:
    return _modulo(upstream, down, modulo.IP_HASH_VALUES, rehash.of_addresses)


def _modulo(upstream: Upstream, down: Collection[int], values: int, tries: Callable[[], Tries]) -> Shares:
    if len(upstream.peers) < 2:  # a single server is not hashed for
        return _by_weight(upstream, down)
    if not down:
        return spread(upstream.pool, upstream.peers, modulo.first_try_shares(upstream.weights, values))
    fractions, error = rehash.shares(upstream.weights, tries(), down)
    found = spread(upstream.pool, upstream.peers, fractions)
    if error is not None:
        found.exact, found.seed, found.stderr = False, rehash.SEED, error
    return found


def _hash_consistent(upstream: Upstream, down: Collection[int]) -> Shares:
    key = constant_key(upstream.pool)
    if key == b"":
        return _by_weight(upstream, down)
    if key is None and not ring.worth_walking(upstream.points, len(upstream.peers), upstream.exact_points):
        if upstream.named_once:
            found = _by_weight(upstream, down)
        else:
            fractions = ketama.estimated_shares(upstream.names, upstream.weights, down)
            found = spread(upstream.pool, upstream.peers, fractions)
        found.exact, found.stderr = False, ring.standard_error(found.servers or (), upstream.points)
        return found
    continuum = upstream.continuum
    if key is None:
        return spread(upstream.pool, upstream.peers, continuum.shares(down))
    server = continuum.server_for(key, down)
    if server is None:
        return _by_weight(upstream, down)
    turns = continuum.turns(server, down)
    taking = [upstream.peers[at] for at in turns]
    return spread(upstream.pool, taking, proportional([peer.weight for peer in taking]))


def constant_key(pool: Pool) -> bytes | None:
    """Return the key that all requests share; None where it has a variable (or is not known)."""
    key = pool.algorithm.key
    if key is None or "$" in key.value:
        return None
    return key.value.encode("utf-8", "surrogateescape")


_METHODS: dict[str, Callable[[Upstream, Collection[int]], Shares]] = {
    "round_robin": _by_weight,
    "least_conn": _by_weight,
    "random": _by_weight,
    "random_two": _random_two,
    "hash": _hash,
    "ip_hash": _ip_hash,
    "hash_consistent": _hash_consistent,
}

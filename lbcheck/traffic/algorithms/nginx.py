"""nginx's shares, by load balancing method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares, draws, ketama, modulo, ring
from lbcheck.traffic.algorithms.members import Member, all_to, members, nobody, proportional, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from lbcheck.model import Pool


class Upstream:
    """The primaries of a pool as a method sees them; `down` are places in the lists, for `down` servers keep theirs."""

    __slots__ = ("down", "exact_points", "names", "peers", "points", "pool", "weights")

    def __init__(self, pool: Pool, peers: list[Member], points: int, exact_points: int | None) -> None:
        self.pool = pool
        self.peers = peers
        self.weights = [peer.weight for peer in peers]
        self.names = [peer.server.name for peer in peers]
        self.down = frozenset(at for at, peer in enumerate(peers) if not peer.server.serving)
        self.points = points
        self.exact_points = exact_points


def shares(pool: Pool, points: int, exact_points: int | None) -> Shares:
    """Return an nginx pool's shares; `points` is the size of its ring, if any."""
    peers = members(pool)
    primaries = [peer for peer in peers if not peer.server.backup]
    upstream = Upstream(pool, primaries, points, exact_points)
    if len(upstream.down) == len(primaries):
        return _backups(pool, peers)
    method = _METHODS.get(pool.algorithm.name)
    if method is None:
        return Shares(None, reason=_UNKNOWN.get(pool.algorithm.name, f"{pool.algorithm.name} is not emulated"))
    return method(upstream)


_UNKNOWN = {"least_time": "least_time chooses by measured response times"}


def _backups(pool: Pool, peers: list[Member]) -> Shares:
    """Backups take turns by weight whatever the method: all methods end in round robin's own function."""
    taking = [peer for peer in peers if peer.server.backup and peer.server.enabled and peer.weight > 0]
    return spread(pool, taking, proportional([peer.weight for peer in taking])) if taking else nobody(pool)


def _by_weight(upstream: Upstream) -> Shares:
    """Smooth weighted round robin; least_conn, whose ties it breaks; random, which draws anew for unusable servers."""
    weights = [0 if at in upstream.down else weight for at, weight in enumerate(upstream.weights)]
    return spread(upstream.pool, upstream.peers, proportional(weights))


def _random_two(upstream: Upstream) -> Shares:
    return spread(upstream.pool, upstream.peers, draws.random_two_shares(upstream.weights, upstream.down))


def _hash(upstream: Upstream) -> Shares:
    key = _constant_key(upstream.pool)
    if key is None:
        return _modulo(upstream, modulo.HASH_VALUES, modulo.random_key)
    server = modulo.server_for(modulo.hash_values(key), upstream.weights, upstream.down) if key else None
    return _by_weight(upstream) if server is None else all_to(upstream.pool, upstream.peers[server])


def _ip_hash(upstream: Upstream) -> Shares:
    return _modulo(upstream, modulo.IP_HASH_VALUES, modulo.random_address)


def _modulo(upstream: Upstream, values: int, request: Callable[[Random], Iterator[int]]) -> Shares:
    if len(upstream.peers) < 2:  # a single server is not hashed for
        return _by_weight(upstream)
    if not upstream.down:
        return spread(upstream.pool, upstream.peers, modulo.first_try_shares(upstream.weights, values))
    fractions, error = modulo.shares_with_down(upstream.weights, values, request, upstream.down)
    found = spread(upstream.pool, upstream.peers, fractions)
    found.exact, found.seed, found.stderr = False, modulo.SEED, error
    return found


def _hash_consistent(upstream: Upstream) -> Shares:
    key = _constant_key(upstream.pool)
    if key == b"":
        return _by_weight(upstream)
    if key is None and not ring.worth_walking(upstream.points, len(upstream.peers), upstream.exact_points):
        fractions = ketama.estimated_shares(upstream.names, upstream.weights, upstream.down)
        found = spread(upstream.pool, upstream.peers, fractions)
        found.exact, found.stderr = False, ring.standard_error(fractions, upstream.points)
        return found
    continuum = ketama.Continuum(upstream.names, upstream.weights)
    if key is None:
        return spread(upstream.pool, upstream.peers, continuum.shares(upstream.down))
    server = continuum.server_for(key, upstream.down)
    if server is None:
        return _by_weight(upstream)
    turns = continuum.turns(server, upstream.down)
    taking = [upstream.peers[at] for at in turns]
    return spread(upstream.pool, taking, proportional([peer.weight for peer in taking]))


def _constant_key(pool: Pool) -> bytes | None:
    """Return the key that all requests share; None where it has a variable (or is not known)."""
    key = pool.algorithm.key
    if key is None or "$" in key.value:
        return None
    return key.value.encode("utf-8", "surrogateescape")


_METHODS: dict[str, Callable[[Upstream], Shares]] = {
    "round_robin": _by_weight,
    "least_conn": _by_weight,
    "random": _by_weight,
    "random_two": _random_two,
    "hash": _hash,
    "ip_hash": _ip_hash,
    "hash_consistent": _hash_consistent,
}

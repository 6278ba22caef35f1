"""HAProxy's shares, by `balance` algorithm and `hash-type`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares, maps, ring
from lbcheck.traffic.algorithms.chash import Tree
from lbcheck.traffic.algorithms.hashes import FUNCTIONS, key_hash
from lbcheck.traffic.algorithms.members import Member, all_to, members, nobody, proportional, spread
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.model import Pool

_HASHES = ("source", "uri", "url_param", "hdr", "hash", "rdp-cookie")


class Backend:
    """The servers among which an algorithm chooses."""

    __slots__ = ("exact_points", "ids", "points", "pool", "taking", "weights")

    def __init__(self, pool: Pool, taking: list[Member], points: int, exact_points: int | None) -> None:
        self.pool = pool
        self.taking = taking
        self.ids = [member.number for member in taking]
        self.weights = [member.weight for member in taking]
        self.points = points
        self.exact_points = exact_points


def shares(pool: Pool, points: int, exact_points: int | None) -> Shares:
    """Return a HAProxy backend's shares; `points` is the size of its ring, if any."""
    taking = acting(pool)
    if not taking:
        return nobody(pool)
    if len(taking) == 1:
        return all_to(pool, taking[0])
    algorithm = _ALGORITHMS.get(pool.algorithm.name)
    if algorithm is None:
        return Shares(None, reason=f"balance {pool.algorithm.name} is not emulated")
    return algorithm(Backend(pool, taking, points, exact_points))


def acting(pool: Pool) -> list[Member]:
    """Return the servers that requests are shared out among when all are up.

    The primaries; where none serves, the first backup, or all backups with `option allbackups`.
    """
    usable = [member for member in members(pool) if member.server.enabled and member.weight > 0]
    primaries = [member for member in usable if not member.server.backup]
    if primaries:
        return primaries
    every = pool.options.get("allbackups")
    return usable if every is not None and every.value else usable[:1]


def ring_points(pool: Pool) -> int:
    """Return the points of a backend's ring; 0 where it has none."""
    algorithm = pool.algorithm
    if algorithm.name != "random" and not (algorithm.consistent and algorithm.name in _HASHES):
        return 0
    primaries = sum(server.weight.value * server.count for server in pool.servers if server.serving)
    backups = sum(server.weight.value * server.count for server in pool.servers if server.backup and server.enabled)
    return WEIGHT_SCALE * (primaries or backups)


def _by_weight(backend: Backend) -> Shares:
    return spread(backend.pool, backend.taking, proportional(backend.weights))


def _in_turns(backend: Backend) -> Shares:
    """The key of an idle server under leastconn is 0 whatever its weight."""
    return spread(backend.pool, backend.taking, proportional([1] * len(backend.taking)))


def _lowest_id(backend: Backend) -> Shares:
    return all_to(backend.pool, min(backend.taking, key=lambda member: member.number))


def _first(backend: Backend) -> Shares:
    return all_to(backend.pool, backend.taking[0])


def _other_key(backend: Backend) -> Shares | None:
    """Return the answer for a ring on which the servers do not stand by their ids (`hash-key`, 3.0 and newer)."""
    for member in backend.taking:
        key = member.server.options.get("hash-key")
        if key is not None and key.value != "id":
            return Shares(None, reason=f"hash-key {key.value} is not emulated")
    return None


def _ring(backend: Backend) -> Shares:
    unknown = _other_key(backend)
    if unknown is not None:
        return unknown
    if ring.worth_walking(backend.points, len(backend.taking), backend.exact_points):
        return spread(backend.pool, backend.taking, Tree(backend.ids, backend.weights).shares())
    found = _by_weight(backend)
    found.exact, found.stderr = False, ring.standard_error(proportional(backend.weights), backend.points)
    return found


def _hash(backend: Backend) -> Shares:
    algorithm = backend.pool.algorithm
    constant = _constant_hash(backend.pool)
    if constant is not None:
        unknown = _other_key(backend) if algorithm.consistent else None
        return unknown or all_to(backend.pool, backend.taking[_server_for(backend, constant)])
    if not algorithm.consistent:
        return _by_weight(backend)
    if algorithm.avalanche or (algorithm.function == "crc32" and algorithm.name != "source"):
        return _ring(backend)
    what = "client addresses" if algorithm.name == "source" else f"{algorithm.function or 'sdbm'} hashes"
    return Shares(None, reason=f"{what} without avalanche do not spread over the ring: the shares depend on the keys")


def _server_for(backend: Backend, value: int) -> int:
    if backend.pool.algorithm.consistent:
        return Tree(backend.ids, backend.weights).server_for(value)
    return maps.server_for(maps.slots(backend.weights), value)


def _constant_hash(pool: Pool) -> int | None:
    """Return the hash that all requests share (`balance hash str(x)`), or None."""
    algorithm = pool.algorithm
    text = algorithm.key.value.strip() if algorithm.key is not None else ""
    function = FUNCTIONS.get(algorithm.function or "sdbm")
    if algorithm.name != "hash" or not text.startswith("str(") or text.find(")") != len(text) - 1 or function is None:
        return None
    return key_hash(text[4:-1].encode("utf-8", "surrogateescape"), function, avalanche=algorithm.avalanche)


_ALGORITHMS: dict[str, Callable[[Backend], Shares]] = {
    "roundrobin": _by_weight,
    "static-rr": _by_weight,
    "leastconn": _in_turns,
    "first": _lowest_id,
    "sticky": _first,
    "random": _ring,
    **dict.fromkeys(_HASHES, _hash),
}

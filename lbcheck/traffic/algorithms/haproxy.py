"""HAProxy's shares, by `balance` algorithm and `hash-type`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares, maps, ring
from lbcheck.traffic.algorithms.chash import Tree
from lbcheck.traffic.algorithms.hashes import FUNCTIONS, key_hash
from lbcheck.traffic.algorithms.members import Member, all_to, members, nobody, proportional, spread
from lbcheck.traffic.algorithms.serverkeys import server_key
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lbcheck.model import Algorithm, Pool

#: The algorithms that hash something of the request.
HASHES = ("source", "uri", "url_param", "hdr", "hash", "rdp-cookie")


class Backend:
    """A pool's usable servers, and the ring of those that act when all are up."""

    __slots__ = ("_tree", "acting", "backups", "exact_points", "points", "pool", "primaries")

    def __init__(self, pool: Pool, points: int, exact_points: int | None) -> None:
        self.pool = pool
        self.primaries: list[tuple[int, Member]] = []
        self.backups: list[tuple[int, Member]] = []
        for place, member in enumerate(members(pool)):
            if member.server.enabled and member.weight > 0:
                (self.backups if member.server.backup else self.primaries).append((place, member))
        self.acting = self.taking(())
        self.points = points
        self.exact_points = exact_points
        self._tree: Tree | None = None

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return the pool's shares when the members at the places `lost` are down: they leave map, tree and ring."""
        taking = self.taking(lost) if lost else self.acting
        if not taking:
            return nobody(self.pool)
        if len(taking) == 1:
            return all_to(self.pool, taking[0])
        algorithm = _ALGORITHMS.get(self.pool.algorithm.name)
        if algorithm is None:
            return Shares(None, reason=f"balance {self.pool.algorithm.name} is not emulated")
        return algorithm(self, taking)

    def taking(self, lost: Collection[int]) -> list[Member]:
        """Return the servers that requests are shared out among.

        The primaries; where none serves, the first backup, or all backups with `option allbackups`.
        """
        primaries = [member for place, member in self.primaries if place not in lost]
        if primaries:
            return primaries
        backups = [member for place, member in self.backups if place not in lost]
        every = self.pool.options.get("allbackups")
        return backups if every is not None and every.value else backups[:1]

    @property
    def interchangeable(self) -> bool:
        """Whether nothing but the weight tells servers apart: neither order nor ids nor arcs."""
        algorithm = self.pool.algorithm
        if algorithm.name in HASHES and (constant_hash(self.pool) is not None or not algorithm.consistent):
            return constant_hash(self.pool) is None
        if algorithm.name in HASHES or algorithm.name == "random":
            return not ring.worth_walking(self.points, len(self.acting), self.exact_points)
        return algorithm.name not in ("first", "sticky")

    @property
    def tree(self) -> Tree:
        """The ring of those that act when all are up."""
        if self._tree is None:
            self._tree = tree_of(self.acting)
        return self._tree


def ring_points(pool: Pool) -> int:
    """Return the points of a backend's ring; 0 where it has none."""
    algorithm = pool.algorithm
    if algorithm.name != "random" and not (algorithm.consistent and algorithm.name in HASHES):
        return 0
    primaries = sum(server.weight.value * server.count for server in pool.servers if server.serving)
    backups = sum(server.weight.value * server.count for server in pool.servers if server.backup and server.enabled)
    return WEIGHT_SCALE * (primaries or backups)


def _by_weight(backend: Backend, taking: list[Member]) -> Shares:
    return spread(backend.pool, taking, proportional([member.weight for member in taking]))


def _in_turns(backend: Backend, taking: list[Member]) -> Shares:
    """The key of an idle server under leastconn is 0 whatever its weight."""
    return spread(backend.pool, taking, proportional([1] * len(taking)))


def _lowest_id(backend: Backend, taking: list[Member]) -> Shares:
    return all_to(backend.pool, min(taking, key=lambda member: member.number))


def _first(backend: Backend, taking: list[Member]) -> Shares:
    return all_to(backend.pool, taking[0])


def _unplaced(taking: list[Member]) -> Shares | None:
    """Return the answer for a ring on which nobody knows where some server stands (`hash-key`, 3.0 and newer)."""
    for member in taking:
        key = member.server.options.get("hash-key")
        if key is not None and server_key(member) is None:
            return Shares(None, reason=f"hash-key {key.value} of {member.server.name} is not known before it runs")
    return None


def _ring(backend: Backend, taking: list[Member]) -> Shares:
    unknown = _unplaced(taking)
    if unknown is not None:
        return unknown
    acting = backend.acting
    if ring.worth_walking(backend.points, len(acting), backend.exact_points):
        return _walked(backend, taking)
    found = _by_weight(backend, taking)
    points = WEIGHT_SCALE * sum(member.weight for member in taking)
    found.exact, found.stderr = False, ring.standard_error(found.servers or (), points)
    return found


def _walked(backend: Backend, taking: list[Member]) -> Shares:
    """Return the ring's arcs. One server fewer than usual is quick to say: it is found out for all at once."""
    acting = backend.acting
    if taking is acting:
        return spread(backend.pool, acting, backend.tree.shares())
    if len(taking) == len(acting) - 1 and taking[0] in (acting[0], acting[1]):
        gone = next(at for at, member in enumerate(acting) if at == len(taking) or member is not taking[at])
        return spread(backend.pool, acting, backend.tree.shares_without(gone))
    return spread(backend.pool, taking, tree_of(taking).shares())


def _hash(backend: Backend, taking: list[Member]) -> Shares:
    algorithm = backend.pool.algorithm
    constant = constant_hash(backend.pool)
    if constant is not None:
        unknown = _unplaced(taking) if algorithm.consistent else None
        return unknown or all_to(backend.pool, taking[_server_for(algorithm, taking, constant)])
    if not algorithm.consistent:
        return _by_weight(backend, taking)
    if algorithm.avalanche or (algorithm.function == "crc32" and algorithm.name != "source"):
        return _ring(backend, taking)
    what = "client addresses" if algorithm.name == "source" else f"{algorithm.function or 'sdbm'} hashes"
    return Shares(None, reason=f"{what} without avalanche do not spread over the ring: the shares depend on the keys")


def _server_for(algorithm: Algorithm, taking: list[Member], value: int) -> int:
    if algorithm.consistent:
        return tree_of(taking).server_for(value)
    return maps.server_for(maps.slots([member.weight for member in taking]), value)


def tree_of(taking: list[Member]) -> Tree:
    """Return the ring on which these servers stand."""
    keys = [server_key(member) or 0 for member in taking]
    return Tree([member.number for member in taking], [member.weight for member in taking], keys)


def constant_hash(pool: Pool) -> int | None:
    """Return the hash that all requests share (`balance hash str(x)`), or None."""
    algorithm = pool.algorithm
    text = algorithm.key.value.strip() if algorithm.key is not None else ""
    function = FUNCTIONS.get(algorithm.function or "sdbm")
    if algorithm.name != "hash" or not text.startswith("str(") or text.find(")") != len(text) - 1 or function is None:
        return None
    return key_hash(text[4:-1].encode("utf-8", "surrogateescape"), function, avalanche=algorithm.avalanche)


_ALGORITHMS: dict[str, Callable[[Backend, list[Member]], Shares]] = {
    "roundrobin": _by_weight,
    "static-rr": _by_weight,
    "leastconn": _in_turns,
    "first": _lowest_id,
    "sticky": _first,
    "random": _ring,
    **dict.fromkeys(HASHES, _hash),
}

"""Where a pool that hashes sends each hash value: what has to be compared to say which keys change their server."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING
from zlib import crc32

from lbcheck.traffic.algorithms import envoy, haproxy, ketama, maps, modulo, ring_points
from lbcheck.traffic.algorithms.members import Member, members
from lbcheck.traffic.algorithms.ring import CIRCLE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from lbcheck.model import Pool


class UnknownKeysError(Exception):
    """Where keys go cannot be known; the text says why."""


class KeyMap:
    """Which server each value of a hash goes to.

    `variable` says what is hashed and how: of two maps with the same one, a request has the same value in both.
    None: there is only one server to choose. `ends` cuts the values into stretches, each with one of `owners`; None:
    `owners` is a table, and a value's place in it is its remainder. Owners are places in `servers`, -1 where something
    else than the value decides. `servers` are (place in `Pool.servers`, which of those that the line stands for).
    `pick` finds the owner for a whole key, where its value alone does not decide.
    """

    __slots__ = ("ends", "owners", "pick", "servers", "variable")

    def __init__(
        self,
        variable: Hashable,
        owners: Sequence[int],
        servers: Sequence[tuple[int, int]],
        ends: Sequence[int] | None = None,
        pick: Callable[[bytes], int | None] | None = None,
    ) -> None:
        self.variable = variable
        self.owners = owners
        self.servers = servers
        self.ends = ends
        self.pick = pick

    def owner(self, key: bytes) -> int:
        """Return the owner for a whole key. Only of maps whose keys nginx hashes."""
        if self.pick is not None:
            found = self.pick(key)
            return -1 if found is None else found
        value = next(modulo.ip_hash_values(key)) if self.variable == IP_HASH else crc32(key)
        return self.owners[0] if self.ends is None else self.owners[bisect_right(self.ends, value)]


IP_HASH = ("nginx", "ip_hash")


def hashes(pool: Pool, dialect: str) -> bool:
    """Say whether a pool chooses by a hash of the request."""
    return dialect in _MAKERS and pool.algorithm.name in _MAKERS[dialect][0]


def key_map(pool: Pool, dialect: str) -> KeyMap | None:
    """Return the map of a pool, None where it does not choose by a hash of the request. Raises UnknownKeysError."""
    if not hashes(pool, dialect):
        return None
    if pool.open is not None:
        raise UnknownKeysError(pool.open)
    return _MAKERS[dialect][1](pool)


def _named(taking: Sequence[Member]) -> list[tuple[int, int]]:
    """Return each member's place in the pool, and which of the servers that its line stands for it is."""
    seen: dict[int, int] = {}
    found = []
    for member in taking:
        ordinal = seen[member.index] = seen.get(member.index, -1) + 1
        found.append((member.index, ordinal))
    return found


def _nginx(pool: Pool) -> KeyMap | None:
    peers = [peer for peer in members(pool) if not peer.server.backup]
    down = frozenset(at for at, peer in enumerate(peers) if not peer.server.serving)
    if len(down) == len(peers):  # backups take turns
        return None
    servers = _named(peers)
    if len(peers) == 1:
        return KeyMap(None, [0], servers)
    weights = [peer.weight for peer in peers]
    name, key = pool.algorithm.name, pool.algorithm.key
    if name == "ip_hash":
        return _modulo(IP_HASH, weights, down, servers)
    if key is None or "$" not in key.value:
        raise UnknownKeysError("all requests have one hash key")
    variable = ("nginx", "crc32", key.value)
    if name == "hash":
        return _modulo(variable, weights, down, servers)
    ends, owners = ketama.Continuum([peer.server.name for peer in peers], weights).stretches(down)
    return KeyMap(variable, owners, servers, ends)


def _modulo(
    variable: Hashable, weights: Sequence[int], down: frozenset[int], servers: Sequence[tuple[int, int]]
) -> KeyMap:
    """Return nginx's map of remainders; of `hash`, whose value is the upper half of the CRC, as stretches of CRCs."""
    bounds = list(accumulate(weights))
    by_address = variable == IP_HASH
    values = modulo.IP_HASH_VALUES if by_address else modulo.HASH_VALUES
    owners = [bisect_right(bounds, value % bounds[-1]) for value in range(values)]
    hashes = modulo.ip_hash_values if by_address else modulo.hash_values
    pick = (lambda key: modulo.server_for(hashes(key), weights, down)) if down else None
    if by_address:
        return KeyMap(variable, owners, servers, range(1, values + 1), pick)
    step = CIRCLE // (2 * values)  # the highest bit of the CRC does not count, so all of it comes twice
    return KeyMap(variable, owners * 2, servers, range(step, CIRCLE + 1, step), pick)


def _haproxy(pool: Pool) -> KeyMap | None:
    backend = haproxy.Backend(pool, ring_points(pool, "haproxy"), 0)
    taking = backend.acting
    if not taking:
        return None
    servers = _named(taking)
    if len(taking) == 1:
        return KeyMap(None, [0], servers)
    algorithm = pool.algorithm
    reason = backend.shares().reason
    if reason is not None:
        raise UnknownKeysError(reason)
    if haproxy.constant_hash(pool) is not None:
        raise UnknownKeysError("all requests have one hash key")
    options = frozenset(
        (name, str(setting.value)) for name, setting in algorithm.options.items() if name != "hash-type"
    )
    variable = (
        "haproxy",
        algorithm.name,
        algorithm.key.value if algorithm.key is not None else None,
        None if algorithm.name == "source" else algorithm.function or "sdbm",
        algorithm.avalanche,
        options,
    )
    weights = [member.weight for member in taking]
    if not algorithm.consistent:
        return KeyMap(variable, maps.slots(weights), servers)
    ends, owners = backend.tree.ring.nearest_stretches()
    return KeyMap(variable, owners, servers, ends)


def _envoy(pool: Pool) -> KeyMap | None:
    cluster = envoy.Cluster(pool)
    if cluster.reason is not None:
        raise UnknownKeysError(cluster.reason)
    key = pool.algorithm.key
    if key is None:
        raise UnknownKeysError("its routes do not agree on a hash key")
    taking = cluster.acting()
    if taking is None:
        raise UnknownKeysError("its requests are split over several priorities")
    servers = _named([host.member for host, _ in taking])
    if len(taking) < 2:
        return KeyMap(None, [0], servers) if taking else None
    names = [host.key for host, _ in taking]
    if None in names:
        raise UnknownKeysError("which hosts its names resolve to is not known")
    keys, parts = tuple(name or "" for name in names), tuple(part for _, part in taking)
    variable = ("envoy", "xxh64", key.value)
    if pool.algorithm.name == "ring_hash":
        ends, owners = cluster.ring(keys, parts).clockwise_stretches()
        return KeyMap(variable, owners, servers, ends)
    return KeyMap(variable, cluster.table(keys, parts), servers)


_MAKERS: dict[str, tuple[tuple[str, ...], Callable[[Pool], KeyMap | None]]] = {
    "nginx": (("hash", "ip_hash", "hash_consistent"), _nginx),
    "haproxy": (haproxy.HASHES, _haproxy),
    "envoy": (envoy.HASHES, _envoy),
}

"""Which server HAProxy sends a hashed request to, computed for the key that the request carries."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, hashes, maps
from lbcheck.traffic.algorithms.haproxy import Backend, tree_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.proxies.seam import Pick

#: Words of `balance uri` that take more or less than the path for the key.
_PART_OF_URI = frozenset({"whole", "path-only", "len", "depth"})


def picker(pool: Pool, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to the index in `pool.servers` (`seam.Adapter.picker`)."""
    backend = balancer(pool, "haproxy", MAX_RING_POINTS)
    if not isinstance(backend, Backend):
        return None
    algorithm = pool.algorithm
    acting = backend.taking(lost)
    if algorithm.name not in {"source", "uri", "url_param", "hdr"} or len(acting) < 2:
        return None
    function = hashes.FUNCTIONS.get(algorithm.function or "sdbm")
    if function is None or any("hash-key" in member.server.options for member in acting):
        return None
    if pool.protocol == "tcp" and algorithm.name != "source":
        return lambda _: None  # there is no such key in plain connections
    tree = tree_of(acting) if algorithm.consistent else None
    slots = maps.slots([member.weight for member in acting]) if tree is None else []

    def pick(ask: Ask) -> int | None:
        if algorithm.name == "source":
            if not ask.source:
                return None
            value = hashes.source_hash(ipaddress.ip_address(ask.source).packed, avalanche=algorithm.avalanche)
        else:
            key = _key(pool, ask)
            if key is None:
                return None
            value = hashes.key_hash(key, function, avalanche=algorithm.avalanche)
        server = tree.server_for(value) if tree is not None else maps.server_for(slots, value)
        return acting[server].index

    return pick


def _key(pool: Pool, ask: Ask) -> bytes | None:
    path, _, arguments = ask.path.partition("?")
    algorithm = pool.algorithm
    name = algorithm.key.value if algorithm.key is not None else ""
    if algorithm.name == "uri":
        return None if _PART_OF_URI & algorithm.options.keys() else path.encode()
    if algorithm.name == "url_param":
        query = dict(pair.partition("=")[::2] for pair in arguments.split("&"))
        return query[name].encode() if query.get(name) else None
    headers = {key.lower(): value for key, value in ask.headers}
    return headers[name.lower()].encode() if name.lower() in headers else None

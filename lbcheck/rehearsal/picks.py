"""Which server a hashed request has to go to: the proxy's own choice, computed for the key that the request carries."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, hashes, maps, modulo
from lbcheck.traffic.algorithms.haproxy import Backend, tree_of
from lbcheck.traffic.algorithms.nginx import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lbcheck.model import Pool
    from lbcheck.rehearsal.load import Ask

    Pick = Callable[[Ask], int | None]

#: Words of `balance uri` that take more or less than the path for the key.
_PART_OF_URI = frozenset({"whole", "path-only", "len", "depth"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def picker(pool: Pool, dialect: str, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to the index in `pool.servers`; None where the pool does not hash.

    The servers at the places `lost` are gone, as in `traffic.algorithms.shares`. The function returns None for a
    request of which the choice is not known.
    """
    if any(server.count != 1 for server in pool.servers):
        return None
    found = balancer(pool, dialect, MAX_RING_POINTS)
    if isinstance(found, Upstream):
        return _nginx(pool, found, lost)
    return _haproxy(pool, found, lost) if isinstance(found, Backend) else None


def _nginx(pool: Pool, upstream: Upstream, lost: Collection[int]) -> Pick | None:
    name = pool.algorithm.name
    expression = pool.algorithm.key.value if pool.algorithm.key is not None else ""
    places = [peer.index for peer in upstream.peers]
    down = upstream.down.union(at for at, place in enumerate(places) if place in lost)
    if len(places) < 2 or len(down) == len(places):  # nobody hashes for a single server, nor among backups
        return None

    def place(server: int | None) -> int | None:
        return None if server is None else places[server]

    def by_address(ask: Ask) -> int | None:
        if not ask.source:
            return None
        values = modulo.ip_hash_values(ipaddress.ip_address(ask.source).packed)
        return place(modulo.server_for(values, upstream.weights, down))

    def by_key(ask: Ask) -> int | None:
        key = _nginx_key(expression, ask)
        return None if key is None else place(modulo.server_for(modulo.hash_values(key), upstream.weights, down))

    def by_point(ask: Ask) -> int | None:
        key = _nginx_key(expression, ask)
        return None if key is None else place(upstream.continuum.server_for(key, down))

    found: dict[str, Pick] = {"ip_hash": by_address, "hash": by_key}
    if upstream.named_once:
        found["hash_consistent"] = by_point
    return found.get(name)


def _nginx_key(expression: str, ask: Ask) -> bytes | None:
    """Return the value of nginx's hash expression for a request; None where a variable is not known."""
    path, _, arguments = ask.path.partition("?")
    headers = {name.lower().replace("-", "_"): value for name, value in ask.headers}
    cookies = dict(pair.partition("=")[::2] for pair in headers.get("cookie", "").split("; "))
    query = dict(pair.partition("=")[::2] for pair in arguments.split("&"))
    plain = {"request_uri": ask.path, "uri": path, "args": arguments, "remote_addr": ask.source}
    plain.update({"host": headers.get("host", "").lower(), "http_host": headers.get("host", "")})

    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        name = match[1] or match[2]
        for prefix, table in (("arg_", query), ("cookie_", cookies), ("http_", headers)):
            if name.startswith(prefix) and name[len(prefix) :] in table:
                return table[name[len(prefix) :]]
        if not plain.get(name):
            unknown = True
        return plain.get(name, "")

    key = _VARIABLE.sub(value, expression).encode("latin-1", "replace")
    return None if unknown or not key else key


def _haproxy(pool: Pool, backend: Backend, lost: Collection[int]) -> Pick | None:
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
            key = _haproxy_key(pool, ask)
            if key is None:
                return None
            value = hashes.key_hash(key, function, avalanche=algorithm.avalanche)
        server = tree.server_for(value) if tree is not None else maps.server_for(slots, value)
        return acting[server].index

    return pick


def _haproxy_key(pool: Pool, ask: Ask) -> bytes | None:
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

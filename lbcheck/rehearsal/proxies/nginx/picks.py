"""Which server nginx sends a hashed request to, computed for the key that the request carries."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, modulo
from lbcheck.traffic.algorithms.nginx import Upstream

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.proxies.seam import Pick

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def picker(pool: Pool, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to the index in `pool.servers` (`seam.Adapter.picker`)."""
    upstream = balancer(pool, "nginx", MAX_RING_POINTS)
    if not isinstance(upstream, Upstream):
        return None
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
        key = _key(expression, ask)
        return None if key is None else place(modulo.server_for(modulo.hash_values(key), upstream.weights, down))

    def by_point(ask: Ask) -> int | None:
        key = _key(expression, ask)
        return None if key is None else place(upstream.continuum.server_for(key, down))

    found: dict[str, Pick] = {"ip_hash": by_address, "hash": by_key}
    if upstream.named_once:
        found["hash_consistent"] = by_point
    return found.get(name)


def _key(expression: str, ask: Ask) -> bytes | None:
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

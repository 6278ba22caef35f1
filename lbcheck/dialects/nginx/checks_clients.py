"""Who the client is: behind another proxy, its address is the proxy's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.passes import passes_by_pool
from lbcheck.dialects.nginx.variables import names_in
from lbcheck.findings import Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config, Pool

#: Variables that hold the address of whoever opened the connection, unless the realip module replaced it.
_PEER = frozenset({"remote_addr", "binary_remote_addr"})
#: Headers that the proxy in front writes, and conditions on which say that there is one.
_FORWARDED = frozenset({"http_x_forwarded_for", "http_x_forwarded_proto"})


def hash_source_behind_proxy(config: Config, context: Context) -> Iterator[Hit]:
    """S05: the client's address is hashed where connections come from another proxy.

    What says so is a listener that wants the PROXY protocol, or an `if` about a forwarded header, in a server whose
    locations trust no address to say who the client is (`set_real_ip_from`).
    """
    if config.open is not None:
        return
    for pool in config.pools:
        if not _by_peer(pool) or sum(server.count for server in pool.enabled) < 2:
            continue
        for one in passes_by_pool(config, context).get(id(pool), ()):
            found = None if one.scope.inherited_all("set_real_ip_from") else _outer(one.scope)
            if found is not None:
                yield _behind(pool, *found)
                break


def _by_peer(pool: Pool) -> bool:
    algorithm = pool.algorithm
    if algorithm.name == "ip_hash":
        return True
    key = algorithm.key
    return key is not None and bool(names := set(names_in(key.value))) and names <= _PEER


def _outer(scope: Scope) -> tuple[str, Directive] | None:
    """Return what says that a proxy stands in front of the server around a block: words and place."""
    server = scope.enclosing("server")
    if server is None:
        return None
    listens = [one for one in server.all("listen") if one.args]
    if listens and all("proxy_protocol" in one.args for one in listens):
        return "its connections come through a proxy (`listen … proxy_protocol`)", listens[0]
    for inside in server.scopes("if"):
        asked = inside.directive
        if asked is not None and _FORWARDED.intersection(names_in(" ".join(asked.args))):
            return "a proxy in front writes X-Forwarded headers (`if` asks for them)", asked
    return None


def _behind(pool: Pool, why: str, place: Directive) -> Hit:
    method = "ip_hash" if pool.algorithm.name == "ip_hash" else "hash"
    args = {
        "pool": pool.name,
        "method": method,
        "why": why,
        "advice": "trust that proxy with `set_real_ip_from` and `real_ip_header`, or hash a cookie",
    }
    where = pool.algorithm.span or pool.span
    return Hit("S05", where, args, related=[Related(place.span, "what says so")], pool=pool.name)

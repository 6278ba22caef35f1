"""Loops: a pool member that is the balancer itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.addresses import place
from lbcheck.checks.coverage import every_path
from lbcheck.findings import WARNING, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.checks.addresses import Key
    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Listener, Pool, Route, Server

    #: Who listens at a place.
    Heard = dict[Key, list[tuple[Frontend, Listener]]]

_WILDCARDS = {"ipv4": "0.0.0.0", "ipv6": "::"}  # noqa: S104 - a word in the config, nothing is bound
_EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104
#: Algorithms that send a key to its server every time, whatever happened to the request before.
_HASHES = frozenset({"ip_hash", "hash", "hash_consistent", "source", "uri", "url_param", "hdr", "rdp-cookie"})


def proxy_loop(config: Config, context: Context) -> Iterator[Hit]:
    """P10: a server of a pool is a listener of this config from which every request comes back to the pool.

    Two tiers in one process (TLS in front of a local virtual host) are common and no loop, so all that arrives at
    that listener has to lead to the same pool: then it does not matter which host and path the request has by then.
    Of a listener on all addresses only loopback and addresses that this config binds elsewhere are known to be it.
    """
    del context
    suspects = _suspects(config)
    if not suspects:
        return
    places = heard(config)
    own = addresses_of(places)
    for pool, servers in suspects:
        found = [(server, listening(server, places, own)) for server in servers]
        looping = [
            (server, listeners[0][1]) for server, listeners in found if listeners and _returns(pool, server, listeners)
        ]
        themselves = {id(server) for server, _ in looping}
        whole = all(id(server) in themselves for server in pool.serving)
        for server, listener in looping:
            yield _loop(pool, server, listener, whole=whole)


def _suspects(config: Config) -> list[tuple[Pool, list[Server]]]:
    """Return the servers that get requests on a port that the config listens on, or on a socket's path, by pool."""
    ports = {listener.address.port for frontend in config.frontends for listener in frontend.listeners}
    found = []
    for pool in config.pools if ports else ():
        servers = [
            server
            for server in pool.servers
            if (server.address.port in ports or server.address.kind == "unix")
            and server.enabled
            and (server.weight.value or server.backup)
        ]
        if servers:
            found.append((pool, servers))
    return found


def heard(config: Config) -> Heard:
    """Return who listens at which host and port; "" as the host of every address of a family."""
    found: Heard = {}
    for frontend in config.frontends:
        for listener in frontend.listeners:
            where = place(listener.address)
            if where is None or listener.transport != "tcp" or listener.port_end is not None:
                continue
            found.setdefault(where, []).append((frontend, listener))
    return found


def addresses_of(places: Heard) -> set[str]:
    """Return the addresses that the config binds by name: those are this machine's."""
    return {host for host, _ in places if host not in _EVERYWHERE}


def listening(server: Server, places: Heard, own: Iterable[str]) -> list[tuple[Frontend, Listener]]:
    """Return who answers when the server's address is called on this machine; the exact address before a wildcard."""
    where = place(server.address)
    if where is None:
        return []
    exact = places.get(where)
    if exact is not None:
        return exact
    host, port = where
    if not (server.address.loopback or host in own) or server.address.kind == "unix":
        return []
    family = _WILDCARDS.get(server.address.kind)
    names = ("", "*", family) if family is not None else ("", "*", *_WILDCARDS.values())
    return [entry for name in names for entry in places.get((name, port), ())]


def _returns(pool: Pool, server: Server, listeners: Iterable[tuple[Frontend, Listener]]) -> bool:
    """Say whether all that arrives at these listeners is understood there, and goes to the pool."""
    for frontend, listener in listeners:
        if frontend.protocol != pool.protocol or frontend.scope != pool.scope:
            return False
        if "accept-proxy" in listener.options or "proxy_protocol" in listener.options:
            return False
        if not any(map(_takes_all, frontend.routes)):
            return False
        if not all(_leads_to(pool, route) and _tls(route, server) == listener.tls for route in frontend.routes):
            return False
    return True


def _takes_all(route: Route) -> bool:
    """Say whether the route matches every request that no other route takes."""
    return any(all(map(every_path, alternative)) for alternative in route.match)


def _leads_to(pool: Pool, route: Route) -> bool:
    """Say whether the route speaks HTTP (or plain TCP) to the pool and to no other."""
    spoken = route.options.get("pass")
    if route.outcome != "pools" or not route.targets or (spoken is not None and spoken.value != "proxy"):
        return False
    return all(target.pool is pool for target in route.targets)


def _tls(route: Route, server: Server) -> bool:
    """Say whether the server is spoken to in TLS; nginx says so at the `proxy_pass`, others at the server."""
    setting = route.options.get("tls") or server.tls
    return setting is not None and bool(setting.value)


def _loop(pool: Pool, server: Server, listener: Listener, *, whole: bool) -> Hit:
    """Return the finding; `whole`: no server of the pool is another one than the proxy itself."""
    alone = whole and not server.backup
    certain = alone or pool.algorithm.name in _HASHES
    args = {
        "server": server.name,
        "pool": pool.name,
        "listener": listener.address.text,
        "effect": "every request goes in circles until connections run out"
        if alone
        else "its share of the requests goes in circles, each round costing two connections",
    }
    return Hit(
        "P10",
        server.span,
        args,
        severity=None if certain else WARNING,
        related=[Related(listener.span, "the listener that it is")],
        pool=pool.name,
        server=server.name,
    )

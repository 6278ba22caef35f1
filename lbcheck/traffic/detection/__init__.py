"""What a proxy does about a lost server: how long until it takes it out, and what becomes of the requests until then.

A lost server refuses connections (its process is gone), lets them hang (nothing answers at its address: the machine is
off, a firewall drops), or answers every request with a 500 (`traffic.scenario.KINDS`). What is not known is None, and
the words say so.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.model import Pool, Route, Server


class Notice(NamedTuple):
    """The longest time in seconds until the proxy takes a lost server out.

    None where it is not known, and where the proxy `never` does. `fails` is how many failed requests take it out, where
    nothing else does; `again` the time after which one request tries it again, None where checks decide about that.
    """

    seconds: float | None
    how: str
    never: bool = False
    fails: int | None = None
    again: float | None = None


class Rescue(NamedTuple):
    """What becomes of a request that meets a lost server before the proxy has noticed.

    `others` is how many other servers it is tried on, 0 where it fails, infinity where on as many as there are, None
    where not known. `delay` is how many seconds pass until the first of them is tried, `again` what each further one
    adds; None where not known. `repeats`: a further try may come back to a lost server that was tried before the last.
    """

    others: float | None
    delay: float | None
    again: float | None
    how: str
    repeats: bool = False


class Neighbours:
    """The pools of a config, to find the server that another one follows (`track`)."""

    __slots__ = ("_pools", "_servers")

    def __init__(self, pools: Iterable[Pool]) -> None:
        self._pools: dict[str, Pool] = {}
        for pool in pools:
            self._pools.setdefault(pool.name, pool)
        self._servers: dict[str, dict[str, Server]] = {}

    def server(self, name: str, home: Pool) -> tuple[Pool, Server] | None:
        """Return what "server" of the same pool or "pool/server" means, with its pool."""
        first, slash, short = name.rpartition("/")
        pool = self._pools.get(first) if slash else home
        if pool is None:
            return None
        servers = self._servers.get(pool.name)
        if servers is None:
            servers = self._servers[pool.name] = {server.name: server for server in pool.servers}
        found = servers.get(short)
        return None if found is None else (pool, found)


def never(why: str) -> Notice:
    """Return the notice of a proxy that does not take the server out, and why not."""
    return Notice(None, why, never=True)


def failing(why: str) -> Rescue:
    """Return the rescue of requests that fail, and why they do."""
    return Rescue(0, None, None, f"its requests fail: {why}")


def unknown(why: str) -> Rescue:
    """Return the rescue of requests of which is not known what becomes of them, and why."""
    return Rescue(None, None, None, f"what becomes of its requests is not known: {why}")


#: Dialects in which nothing but the server's own settings says how its loss is noticed.
_BY_THE_SERVER = frozenset({"native", "traefik", "kubernetes"})


def notice(
    pool: Pool, server: Server, kind: str, dialect: str, routes: Sequence[Route], neighbours: Neighbours
) -> Notice:
    """Return how the proxy notices that a server of the pool is lost. `routes` are those that lead to the pool."""
    if dialect == "haproxy":
        from lbcheck.traffic.detection import haproxy

        return haproxy.notice(pool, server, kind, neighbours)
    if dialect == "nginx":
        from lbcheck.traffic.detection import nginx

        return nginx.notice(pool, server, kind, routes)
    if dialect == "envoy":
        from lbcheck.traffic.detection import envoy

        return envoy.notice(pool, server, kind)
    if dialect in _BY_THE_SERVER:
        found: Notice = import_module(f"lbcheck.traffic.detection.{dialect}").notice(server, kind)
        return found
    return Notice(None, f"how {dialect} notices is not known")


def rescue(pool: Pool, kind: str, dialect: str, routes: Sequence[Route]) -> Rescue:
    """Return what becomes of requests that meet a lost server of the pool; of several routes, of the worst."""
    if dialect == "haproxy":
        from lbcheck.traffic.detection import haproxy

        return haproxy.rescue(pool, kind)
    if dialect == "nginx":
        from lbcheck.traffic.detection import nginx

        return nginx.rescue(pool, kind, routes)
    if dialect == "native":
        from lbcheck.traffic.detection import native

        return native.rescue(pool, kind, routes)
    if dialect == "envoy":
        from lbcheck.traffic.detection import envoy

        return envoy.rescue(pool, kind, routes)
    if dialect == "traefik":
        from lbcheck.traffic.detection import traefik

        return traefik.rescue(pool, kind, routes)
    return unknown(f"how {dialect} tries again is not emulated")

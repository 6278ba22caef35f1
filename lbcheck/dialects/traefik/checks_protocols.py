"""How Traefik speaks to servers: plain HTTP to a port of TLS, gRPC over HTTP/1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import schemes
from lbcheck.dialects.traefik.labels import is_traefik
from lbcheck.findings import ERROR, INFO, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.model import Config, Pool, Route, Server


def scheme_port_mismatch(config: Config, _context: Context) -> Iterator[Hit]:
    """L03: a URL with the scheme http and a port where TLS is spoken, or the other way round.

    A container that labels make a server may listen on any port with whatever it likes, for Traefik ends the TLS before
    it: info. Traefik's own routers lead to itself.
    """
    tree: Tree | None = config.tree
    containers = {} if tree is None or tree.project is None else tree.project.containers.by_name
    for pool in config.pools:
        found = [(server, severity) for server in pool.servers if (severity := _mismatch(server)) is not None]
        if pool.protocol != "http" or not found or len(found) < len(pool.servers):
            continue
        server, severity = found[0]
        container = containers.get(server.address.host or "")
        if container is not None and is_traefik(container):
            continue
        tls = _scheme(server) == "https"
        args = {
            "pool": pool.name,
            "scheme": "TLS" if tls else "plain HTTP",
            "port": server.address.port,
            "effect": "every handshake fails" if tls else "a server that wants TLS refuses every request",
            "advice": f"change the port, or write {'http' if tls else 'https'}://",
        }
        severity = severity if container is None else INFO
        yield Hit("L03", server.span, args, severity=severity, pool=pool.name, server=server.name)


def _scheme(server: Server) -> str:
    said = server.options.get("scheme")
    return "" if said is None else str(said.value)


def _mismatch(server: Server) -> str | None:
    scheme, port = _scheme(server), server.address.port
    known = port is not None and scheme in ("http", "https")
    return schemes.mismatch(port, tls=scheme == "https") if known and port is not None else None


def grpc_without_h2(config: Config, _context: Context) -> Iterator[Hit]:
    """L04: a service whose health check or route is for gRPC, and whose servers are spoken to in HTTP/1.1."""
    told = set()
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                pool = target.pool
                evidence = None if pool is None or id(pool) in told else _evidence(pool, route)
                if pool is None or evidence is None or not pool.servers or {*map(_scheme, pool.servers)} != {"http"}:
                    continue
                told.add(id(pool))
                args = {
                    "pool": pool.name,
                    "evidence": evidence,
                    "speaks": "HTTP/1.1",
                    "advice": "write h2c:// in place of http://",
                }
                related = [Related(pool.servers[0].span, "the scheme http is HTTP/1.1")]
                yield Hit("L04", pool.span, args, severity=ERROR, related=related, pool=pool.name, route=route.label)


def _evidence(pool: Pool, route: Route) -> str | None:
    """Return what says that a pool speaks gRPC. A check of another port says nothing of the servers' own."""
    if pool.check is not None and pool.check.kind == "grpc" and pool.check.port is None:
        return "its health check does"
    conditions = [one for alternative in route.match for one in alternative if one.field == "header:content-type"]
    wanted = {str(value) for one in conditions if one.op == "exact" and not one.negated for value in one.values}
    if any(value.startswith("application/grpc") for value in wanted):
        return f"route {route.label} is for it"
    return None

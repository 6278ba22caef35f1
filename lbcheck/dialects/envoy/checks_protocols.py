"""How a cluster speaks to its servers: TLS without a name, plain HTTP to a port of TLS, gRPC over HTTP/1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import schemes
from lbcheck.findings import ERROR, INFO, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server


def backend_tls_name(config: Config, _context: Context) -> Iterator[Hit]:
    """L02: TLS to servers that are known by name, without saying the name.

    A name of one label is known on this network alone (Compose, a namespace), and mostly has one certificate: info.
    """
    for pool in config.pools:
        bare = pool.options.get("no sni")
        named = next((server for server in pool.servers if server.address.kind == "name"), None)
        if bare is not None and bare.value and named is not None:
            host = named.address.host or ""
            severity = None if "." in host.rstrip(".") else INFO
            yield Hit(
                "L02", bare.span or pool.span, {"pool": pool.name, "host": host}, severity=severity, pool=pool.name
            )


def scheme_port_mismatch(config: Config, _context: Context) -> Iterator[Hit]:
    """L03: plain HTTP to a port where TLS is spoken, or the other way round."""
    for pool in config.pools:
        if pool.protocol != "http" or not pool.servers:
            continue
        found = [(server, verdict) for server in pool.servers if (verdict := _mismatch(server)) is not None]
        if len(found) == len(pool.servers):
            server, (severity, speaks, port) = found[0]
            plain = speaks != "TLS"
            args = {
                "pool": pool.name,
                "scheme": speaks,
                "port": port,
                "effect": "a server that wants TLS refuses every request" if plain else "every handshake fails",
                "advice": f"change the port, or {'give the cluster a' if plain else 'take away its'} transport_socket "
                f"{'with' if plain else 'of'} TLS",
            }
            yield Hit("L03", server.span, args, severity=severity, pool=pool.name, server=server.name)


def _mismatch(server: Server) -> tuple[str, str, int] | None:
    port = server.address.port
    if server.tls is None or port is None:
        return None
    severity = schemes.mismatch(port, tls=server.tls.value)
    return None if severity is None else (severity, "TLS" if server.tls.value else "plain HTTP", port)


def grpc_without_h2(config: Config, _context: Context) -> Iterator[Hit]:
    """L04: a route for gRPC to a cluster that speaks HTTP/1.1."""
    told: set[int] = set()
    for frontend in config.frontends:
        for route in frontend.routes:
            if not any(_grpc(str(value)) for one in route.match for each in one for value in each.values):
                continue
            for target in route.targets:
                pool = target.pool
                if pool is not None and not _may_speak_h2(pool) and id(pool) not in told:
                    told.add(id(pool))
                    related = [Related(pool.span, "it has no http2_protocol_options")]
                    args = {
                        "pool": pool.name,
                        "evidence": f"route {route.label} is for it",
                        "speaks": "HTTP/1.1",
                        "advice": "give the cluster http2_protocol_options in its HttpProtocolOptions",
                    }
                    yield Hit("L04", target.span, args, severity=ERROR, related=related, frontend=frontend.name,
                              route=route.label, pool=pool.name)  # fmt: skip


def _grpc(value: str) -> bool:
    return value.startswith(("grpc ", "application/grpc"))


def _may_speak_h2(pool: Pool) -> bool:
    return bool(pool.options["http2"].value) or pool.options["discovery"].value not in (
        "STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"
    )  # fmt: skip

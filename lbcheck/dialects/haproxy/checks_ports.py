"""Servers without a port: they get the one that the client came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.doors import Doors
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Server

#: "The address that the client wanted", with which its port goes.
_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound
#: More related places than this are not listed.
_RELATED = 10


def port_missing(config: Config, context: Context) -> Iterator[Hit]:
    """P09: a server in HTTP mode gets each connection on the port of the listener that it came through.

    Whoever binds a range of ports, or is transparent, means that.
    """
    known = context.once(config, Doors)
    if known.computed:
        return
    for pool in config.pools:
        bare = [server for server in pool.enabled if _without_port(server)] if pool.protocol == "http" else []
        if not bare:
            continue
        doors = [door for frontend in known.of(pool) for door in frontend.listeners]
        if any(door.port_end is not None or "transparent" in door.options for door in doors):
            continue
        ports = sorted({door.address.port for door in doors if door.address.port is not None})
        if not ports:
            continue
        args = {
            "servers": f"{listed([server.name for server in bare])} of pool {pool.name}",
            "effect": f"requests go to the port that the client came to, {listed([str(port) for port in ports])}",
            "advice": f"write the port: {bare[0].address.text}:{ports[0]}",
        }
        related = [Related(server.span, "this one has no port either") for server in bare[1:_RELATED]]
        severity = None if len(ports) > 1 else INFO
        yield Hit("P09", bare[0].span, args, severity=severity, related=related, pool=pool.name, server=bare[0].name)


def _without_port(server: Server) -> bool:
    """Say whether neither a port nor an offset is written; those of SRV names (`_http._tcp.…`) are looked up."""
    address = server.address
    if address.kind not in ("ipv4", "ipv6", "name") or address.port is not None or address.host in _ANYWHERE:
        return False
    text = address.text.rpartition("]")[2] if "]" in address.text else address.text
    return (":" not in text or address.kind == "ipv6") and not (address.host or "").startswith("_")

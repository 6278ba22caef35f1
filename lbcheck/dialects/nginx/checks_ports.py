"""Servers of an upstream whose line has no port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import unsafe
from lbcheck.dialects.nginx.passes import host_and_port, passes_by_pool
from lbcheck.findings import ERROR, Edit, Hit, Related
from lbcheck.text import Span
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Server

_TLS = frozenset({"https", "grpcs"})
#: More related places than this are not listed.
_RELATED = 10


def port_missing(config: Config, context: Context) -> Iterator[Hit]:
    """P09: TLS to port 80. The default port of an upstream's server is 80, whatever the scheme that passes to it says.

    src/http/ngx_http_upstream.c, ngx_http_upstream_server(): `u.default_port = 80`.
    """
    by_pool = passes_by_pool(config, context)
    for pool in config.pools:
        uses = by_pool.get(id(pool), [])
        over_tls = [one for one in uses if one.scheme in _TLS]
        bare = [server for server in pool.enabled if _without_port(server)] if over_tls else []
        if not bare:
            continue
        first = over_tls[0]
        args = {
            "servers": f"{listed([server.name for server in bare])} of pool {pool.name}",
            "effect": f"`{first.directive.name} {first.text}` speaks TLS to port 80 there, and the handshake fails",
            "advice": f"write the port: {bare[0].name}:443",
        }
        edits = [_port_443(server) for server in bare]
        fix = unsafe("port 443", *edits) if len(over_tls) == len(uses) else None
        related = [Related(first.directive.span, "TLS is spoken here")]
        related += [Related(server.span, "this one has no port either") for server in bare[1:_RELATED]]
        yield Hit("P09", bare[0].span, args, severity=ERROR, related=related, fix=fix, pool=pool.name,
                  server=bare[0].name)  # fmt: skip


def _without_port(server: Server) -> bool:
    """Say whether port 80 is only the default; with `service=` the SRV records name the ports."""
    if server.address.kind not in ("ipv4", "ipv6", "name") or "service" in server.options:
        return False
    return not host_and_port(server.address.text)[1]


def _port_443(server: Server) -> Edit:
    at = server.span.start + server.span.text.index(server.address.text, len("server")) + len(server.address.text)
    return Edit(Span(server.span.source, at, at), ":443")

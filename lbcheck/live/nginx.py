"""What nginx asks a server: it has no check, so a connection as for a request, with TLS where a *_pass says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lbcheck.live.names import literal
from lbcheck.live.target import NO_PROXY, OPENSSL, PROXY_V1, Connect, ImpossibleError, Target, Times, Tls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lbcheck.live.here import Here
    from lbcheck.model import Config, Frontend, Pool, Route, Server, Setting

#: `proxy_ssl_verify_depth` where none is written.
_DEPTH = 1
#: Variables that are the name in the *_pass, with or without a port: nginx cuts that off.
_OWN_NAME = frozenset({"$proxy_host", "${proxy_host}"})


class Asking:
    """Makes the targets of each server of one config."""

    def __init__(self, config: Config, here: Here) -> None:
        self._here = here
        self._folder = os.path.dirname(os.path.abspath(config.path)) if config.path != "-" else "/etc/nginx"
        self._leading: dict[int, list[tuple[Frontend, Route]]] = {}
        for frontend in config.frontends:
            for route in frontend.routes:
                for target in route.targets:
                    if target.pool is not None:
                        self._leading.setdefault(id(target.pool), []).append((frontend, route))

    def targets(self, pool: Pool, server: Server) -> Iterator[Target]:
        """Yield what to try of a server: once for each way in which routes speak to it. Raises ImpossibleError."""
        if "service" in server.options:
            raise ImpossibleError("its servers come from a DNS SRV record")
        leading = self._leading.get(id(pool), [])
        if leading and all(frontend.protocol == "udp" for frontend, _ in leading):
            raise ImpossibleError("it is spoken to in datagrams, which open no connection")
        ways = dict.fromkeys(self._way(pool, route) for _, route in leading) or {(None, NO_PROXY, None, ()): None}
        for tls, proxy, timeout, gaps in ways:
            connect = _place(server)._replace(tls=tls, proxy=proxy)
            asked = "TCP connection" if tls is None else "TLS handshake"
            needs = "" if server.resolve is not None else "nginx"
            yield Target((connect,), asked, Times(timeout), every=True, gaps=gaps, needs_name=needs)

    def _way(self, pool: Pool, route: Route) -> tuple[Tls | None, int, float | None, tuple[str, ...]]:
        connect = route.timeouts.get("connect")
        proxy = PROXY_V1 if _word(route.options, "proxy_protocol") == "on" else NO_PROXY
        tls, gaps = self._tls(pool, route.options) if "tls" in route.options else (None, ())
        return tls, proxy, connect.value or None if connect is not None else None, gaps

    def _tls(self, pool: Pool, options: Mapping[str, Setting[Any]]) -> tuple[Tls, tuple[str, ...]]:
        """Return the TLS of a route (src/http/ngx_http_upstream.c, ngx_http_upstream_ssl_name())."""
        verify = _word(options, "ssl_verify") == "on"
        name = _word(options, "ssl_name")
        gaps: tuple[str, ...] = ()
        if not name or name in _OWN_NAME:
            name = pool.name
        elif "$" in name:
            if verify:
                gaps = (f"the name that its certificate must have, {name}, is known only at run time",)
            name = ""
        name = _without_port(name)
        depth = _word(options, "ssl_verify_depth")
        asks = _word(options, "ssl_server_name") == "on" and not literal(name.strip("[]"))
        made = Tls(
            name if asks else "",
            verify,
            name if verify else "",
            OPENSSL,
            self._file(options, "ssl_trusted_certificate") if verify else "",
            (int(depth) if depth.isdecimal() and len(depth) < 9 else _DEPTH) if verify else None,
            self._file(options, "ssl_certificate"),
            self._file(options, "ssl_certificate_key"),
            ("h2",) if _word(options, "pass") == "grpc" else (),
        )
        return made, gaps

    def _file(self, options: Mapping[str, Setting[Any]], key: str) -> str:
        path = _word(options, key)
        return self._here.path(path, self._folder) if path else ""


def _word(options: Mapping[str, Setting[Any]], key: str) -> str:
    found = options.get(key)
    return "" if found is None else str(found.value)


def _without_port(name: str) -> str:
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def _place(server: Server) -> Connect:
    address = server.address
    if address.kind == "unix" and address.host:
        return Connect("", 0, address.host)
    if not address.known or not address.host or not address.port:
        raise ImpossibleError("its address is filled in elsewhere")
    return Connect(address.host.strip("[]"), address.port)

"""What Envoy asks a server: the cluster's health check over HTTP or TCP, else a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.live.requests import Request
from lbcheck.live.target import Connect, Expect, ImpossibleError, Send, Target, Times, Tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.live.here import Here
    from lbcheck.model import Config, HealthCheck, Pool, Server

_UNVERIFIED = "the certificate was not verified: how this cluster does is not looked at"


class Asking:
    """Makes the target of each server of one config."""

    def __init__(self, config: Config, here: Here) -> None:
        del config, here

    def targets(self, pool: Pool, server: Server) -> Iterator[Target]:
        """Yield what to try of a server. Raises ImpossibleError."""
        traffic = _traffic(pool, server)
        gaps = () if traffic.tls is None else (_UNVERIFIED,)
        every = pool.options["discovery"].value == "STRICT_DNS"
        check = server.check if server.checked is not None and server.checked.value else None
        connect = pool.timeouts.get("connect")
        if check is None:
            asked = "TCP connection" if traffic.tls is None else "TLS handshake"
            yield Target((traffic,), asked, Times(connect.value if connect else None), every=every, gaps=gaps)
            return
        wait = check.timeout.value if check.timeout is not None else None
        opening = _opening(traffic, check)
        talk, asked, more = _talk(pool, check)
        elsewhere = None if opening == traffic else traffic
        times = Times(wait, None, together=wait is not None)
        yield Target((opening, *talk), asked, times, elsewhere, every=every, gaps=(*gaps, *more))


def _traffic(pool: Pool, server: Server) -> Connect:
    address = server.address
    if server.tls is None:
        raise ImpossibleError("its metadata decides how it is spoken to")
    tls = None
    if server.tls.value:
        sni = pool.options["tls context"].value.word("sni") if "tls context" in pool.options else ""
        tls = Tls(sni)
    if address.kind == "unix" and address.host:
        return Connect("", 0, address.host, tls=tls)
    if not address.known or not address.host or not address.port:
        raise ImpossibleError("its address is filled in elsewhere")
    return Connect(address.host, address.port, tls=tls)


def _opening(traffic: Connect, check: HealthCheck) -> Connect:
    host = check.address.value if check.address is not None and check.address.value else traffic.host
    port = check.port.value if check.port is not None else traffic.port
    return Connect(host, port, "" if check.port or check.address else traffic.path, tls=traffic.tls)


def _talk(pool: Pool, check: HealthCheck) -> tuple[tuple[Send | Expect, ...], str, tuple[str, ...]]:
    """Return what is said and waited for, in words too, and what of it cannot be done here."""
    if check.kind != "http":
        gaps = (
            ()
            if check.kind == "tcp" and not check.talks
            else (f"its check was not asked: {check.kind} with a payload",)
        )
        return (), "TCP connection", gaps
    if pool.options["http2"].value:
        return (), "TCP connection", ("its check was not asked: it is spoken in HTTP/2",)
    host = check.host.value if check.host is not None else pool.name  # health_check.proto: the cluster's name
    method = check.method.value if check.method is not None else "GET"
    path = check.path.value if check.path is not None else "/"
    wanted = check.expect.value.removeprefix("status ") if check.expect is not None else "200"
    if wanted == "opaque":
        return (), "TCP connection", ("its check was not asked: which statuses pass is not known",)
    request = Request(method, path, "HTTP/1.1", (("host", host),))
    expect = Expect("status", wanted.encode(), http=True, words=f"status {wanted}")
    return (Send(request.data), expect), f"{method} {path}, {expect.words}", ()

"""What the balancer of a native config asks a server: the health check that is written, else a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.live.requests import Request
from lbcheck.live.target import Connect, Expect, ImpossibleError, Send, Target, Times, Tls
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.live.here import Here
    from lbcheck.model import Config, HealthCheck, Pool, Server

#: What is good where no `expect` is written: what most balancers take.
_GOOD = "200-399"
_STATUS = pattern(r"(?:[1-5][0-9]{2}(?:-[1-5][0-9]{2})?|[1-5]xx)\Z")


class Asking:
    """Makes the target of each server of one config."""

    def __init__(self, config: Config, here: Here) -> None:
        del config, here

    def targets(self, pool: Pool, server: Server) -> Iterator[Target]:
        """Yield what to try of a server. Raises ImpossibleError."""
        if pool.protocol == "udp":
            raise ImpossibleError("it is spoken to in datagrams, which open no connection")
        traffic = _traffic(server)
        check = server.check if server.checked is not None and server.checked.value else None
        connect = pool.timeouts.get("connect")
        if check is None:
            asked = "TCP connection" if traffic.tls is None else "TLS handshake"
            yield Target((traffic,), asked, Times(connect.value if connect is not None else None), every=True)
            return
        wait = check.timeout.value if check.timeout is not None else None
        times = Times(wait, None, together=wait is not None)
        try:
            opening = _opening(server, check)
        except ImpossibleError as error:
            yield Target((traffic,), "TCP connection", times, every=True, gaps=(f"its check was not asked: {error}",))
            return
        elsewhere = None if (opening.host, opening.port, opening.path) == traffic[:3] else traffic
        talk, asked, gaps = _talk(check, opening)
        yield Target((opening, *talk), asked, times, elsewhere, every=True, gaps=gaps)


def _traffic(server: Server) -> Connect:
    address = server.address
    tls = Tls() if server.tls is not None and server.tls.value else None
    if address.kind == "unix" and address.host:
        return Connect("", 0, address.host, tls=tls)
    if not address.known or not address.host:
        raise ImpossibleError("its address is filled in elsewhere")
    if not address.port:
        raise ImpossibleError("no port is written")
    return Connect(address.host, address.port, tls=tls)


def _opening(server: Server, check: HealthCheck) -> Connect:
    traffic = _traffic(server)
    host = check.address.value if check.address is not None else traffic.host
    port = check.port.value if check.port is not None else traffic.port
    if "{" in host or "$" in host:
        raise ImpossibleError("its address is filled in elsewhere")
    path = traffic.path if not (check.address or check.port) else ""
    if not path and not (host and port):
        raise ImpossibleError("it has no address and port of its own, and the server is a socket")
    tls = "tls" in check.options or check.kind == "tls" or (check.kind == "grpc" and traffic.tls is not None)
    return Connect(host, port, path, tls=Tls() if tls else None)


def _talk(check: HealthCheck, opening: Connect) -> tuple[tuple[Send | Expect, ...], str, tuple[str, ...]]:
    """Return what is said and waited for, in words too, and what of it cannot be done here."""
    if check.kind == "grpc":
        return (), "TCP connection", ("its check was not asked: gRPC's is spoken in HTTP/2",)
    if check.kind != "http":
        return (), "TLS handshake" if opening.tls is not None else "TCP connection", ()
    host = check.host.value if check.host is not None else opening.place.removesuffix(":80").removesuffix(":443")
    method = check.method.value if check.method is not None else "GET"
    path = check.path.value if check.path is not None else "/"
    request = Request(method, path, "HTTP/1.1", (("host", "localhost" if opening.path else host),))
    wanted = check.expect.value if check.expect is not None else _GOOD
    expect = _expected(wanted)
    return (Send(request.data), expect), f"{method} {path}, {expect.words}", ()


def _expected(text: str) -> Expect:
    """Return `200`, `2xx` or `200-299,404` as statuses, anything else as a text in the body."""
    parts = [part.strip().lower() for part in text.split(",")]
    if all(map(_STATUS.match, parts)):
        ranges = ",".join(f"{part[0]}00-{part[0]}99" if part.endswith("xx") else part for part in parts)
        return Expect("status", ranges.encode(), http=True, words=f"status {text}")
    return Expect("string", text.encode("utf-8", "surrogateescape"), http=True, words="its text in the body")

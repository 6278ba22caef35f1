"""Counting servers that stand in for the config's own: each answer says which one it comes from."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import socket
import ssl
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.play.script import SLOW
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from lbcheck.rehearsal.isolation.machines import Machines
    from lbcheck.rehearsal.play.script import Stub

#: The header in which a stub names itself, with the time (monotonic): older answers than their requests come from a
#: cache. A TCP stub answers with the number alone.
NAME_HEADER = b"x-lbcheck-stub"
#: What tells a request of ours, with its number, from a health check: a header, or the first word over plain TCP.
ASK_HEADER, HELLO = b"x-lbcheck-ask", b"lbcheck"
_ASK = re.compile(b"(?:%b:|%b) *([0-9]+)" % (ASK_HEADER, HELLO), re.IGNORECASE)
#: How late a slow stub answers, in seconds.
SLOWNESS = 1.0
_PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
#: Kinds of health checks (`HealthCheck.kind`) that a stub answers as its server would.
ANSWERED_CHECKS = frozenset({"http", "tcp", "redis", "tls"})
#: What HAProxy's checks of other protocols say first, and the answers that pass (src/tcpcheck.c): a PING of Redis, in
#: its own framing or as a line; a handshake of TLS, to which an alert is an answer.
_SPOKEN = (
    (re.compile(rb"(?:\*1\r\n\$4\r\n)?PING\r\n"), b"+PONG\r\n"),
    (re.compile(rb"\x16\x03"), b"\x15\x03\x00\x00\x02\x02\x28"),
)


#: Statuses without a body.
_EMPTY = frozenset({204, 304})


class Arrival(NamedTuple):
    """A request of ours at a stub: the stub's number, the request's, when (monotonic)."""

    stub: int
    ask: int
    at: float


class Stubs:
    """All stubs of a rehearsal, on one event loop.

    `arrivals` are our requests as they came.
    """

    def __init__(self, stubs: Sequence[Stub], certificate: str, machines: Machines | None = None) -> None:
        self._stubs = stubs
        self._machines = machines
        self._certificate = certificate
        self._servers: list[asyncio.Server | None] = [None] * len(stubs)
        self._jams: dict[int, list[socket.socket]] = {}
        self.modes = [""] * len(stubs)
        self.connections: dict[asyncio.Transport, int] = {}
        self.arrivals: list[Arrival] = []

    async def start(self) -> None:
        """Listen everywhere. Raises OSError where an address is taken."""
        for number in range(len(self._stubs)):
            await self._listen(number)

    async def _listen(self, number: int) -> None:
        stub = self._stubs[number]
        loop = asyncio.get_running_loop()
        context = None
        if stub.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
        if stub.path:
            _clear(stub.path)
            server = await loop.create_unix_server(lambda: _Stub(self, number), stub.path, ssl=context)
            _open_to_all(stub.path)
        else:
            with self.at(number):
                listener = _bound(stub)
            server = await loop.create_server(lambda: _Stub(self, number), sock=listener, ssl=context, backlog=1024)
        self._servers[number] = server

    def answer(self, number: int, *, check: bool) -> tuple[int, bytes]:
        """Return the status and the body of an answer to a request, or to a health check."""
        stub = self._stubs[number]
        if self.modes[number] == ERRORS:
            return 500, b"%d\n" % number
        return (stub.status, stub.text.encode()) if check else (200, b"%d\n" % number)

    def apart(self, number: int) -> bool:
        """Say whether a stub is on another machine than the proxy."""
        host = self._stubs[number].host
        return self._machines is not None and bool(host) and ipaddress.ip_address(host) in self._machines.hosts

    def at(self, number: int) -> AbstractContextManager[None]:
        """Make sockets on a stub's machine meanwhile."""
        return self._machines.there() if self._machines is not None and self.apart(number) else nullcontext()

    async def lose(self, number: int, kind: str) -> None:
        """Make a stub refuse connections, let them hang, answer every request with a 500, or answer late."""
        self.modes[number] = kind
        if kind in {ERRORS, SLOW}:
            return
        server = self._servers[number]
        if server is not None:
            server.close()
            self._servers[number] = None
        for transport, owner in list(self.connections.items()):
            if owner == number:
                transport.abort()
        if kind == HANGS and not self._stubs[number].path:
            with self.at(number):
                self._jams[number] = _jam(self._stubs[number])

    async def restore(self, number: int) -> None:
        """Let a lost stub answer again."""
        self.modes[number] = ""
        for one in self._jams.pop(number, []):
            one.close()
        if self._servers[number] is None:
            await self._listen(number)


def _clear(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)


def _open_to_all(path: str) -> None:
    """Let the proxy's workers in, whoever they run as; nobody else is in the sandbox."""
    os.chmod(path, 0o666)  # noqa: S103


def _bound(stub: Stub) -> socket.socket:
    """Return a socket that has the stub's address, which a proxy that listens at all of them may have too."""
    found = socket.socket(socket.AF_INET6 if ":" in stub.host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind((stub.host, stub.port))
    except OSError:
        found.close()
        raise
    return found


def _jam(stub: Stub) -> list[socket.socket]:
    """Listen with a full queue that nobody empties: further connections get no answer at all."""
    listener = _bound(stub)
    listener.listen(0)
    held = [listener]
    for _ in range(4):
        one = socket.socket(listener.family)
        one.setblocking(False)
        one.connect_ex((stub.host, stub.port))
        held.append(one)
    return held


class _Stub(asyncio.Protocol):
    """One connection: HTTP/1.1 requests without looking into them, or what we say over plain TCP."""

    def __init__(self, stubs: Stubs, number: int) -> None:
        self._all = stubs
        self._number = number
        self._rest = b""
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self._transport = transport
        self._all.connections[transport] = self._number
        if self._all.modes[self._number] in {REFUSES, HANGS}:
            transport.abort()  # it was accepted just before

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._all.connections.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._heard:
            data = _without_proxy_header(data)
        self._heard = True
        if data.startswith(HELLO):
            self._arrived(data)
            self._write(b"%d\n" % self._number)
            return
        answer = next((answer for said, answer in _SPOKEN if said.match(data)), None)
        if answer is not None:
            self._write(answer)
            return
        *requests, self._rest = data.split(b"\r\n\r\n")
        for request in requests:
            self._answer(request)

    def _arrived(self, request: bytes) -> bool:
        """Note a request of ours; say whether it is one."""
        found = _ASK.search(request)
        if found:
            self._all.arrivals.append(Arrival(self._number, int(found[1]), time.monotonic()))
        return found is not None

    def _answer(self, request: bytes) -> None:
        status, body = self._all.answer(self._number, check=not self._arrived(request))
        if request.startswith(b"HEAD ") or status in _EMPTY:
            body = b""
        name = b"%b: %d %.6f" % (NAME_HEADER, self._number, time.monotonic())
        head = b"HTTP/1.1 %d Stub\r\n%b\r\nContent-Length: %d\r\n" % (status, name, len(body))
        close = b"connection: close" in request.lower() or request.split(b"\r\n", 1)[0].endswith(b"HTTP/1.0")
        self._write(head + (b"Connection: close\r\n\r\n" if close else b"\r\n") + body, close=close)

    def _write(self, data: bytes, *, close: bool = False) -> None:
        """Answer, now or late. A connection that is gone takes nothing, and asyncio does not mind."""
        if self._all.modes[self._number] == SLOW:
            asyncio.get_running_loop().call_later(SLOWNESS, self._finish, data, close)
        else:
            self._finish(data, close)

    def _finish(self, data: bytes, close: bool) -> None:  # noqa: FBT001 - called by the event loop
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if close:
            self._transport.close()


def _without_proxy_header(data: bytes) -> bytes:
    if data.startswith(b"PROXY "):
        return data.partition(b"\r\n")[2]
    if data.startswith(_PROXY_V2) and len(data) >= 16:
        return data[16 + int.from_bytes(data[14:16], "big") :]
    return data

"""Counting servers that stand in for the config's own: each answer says which one it comes from."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING

from lbcheck.rehearsal.script import ERRORS, HANGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.script import Stub

#: The header in which a stub names itself; a TCP stub answers with the number alone.
NAME_HEADER = b"x-lbcheck-stub"
_PROXY_V2 = b"\r\n\r\n\x00\r\nQUIT\n"


class Stubs:
    """All stubs of a rehearsal, on one event loop."""

    def __init__(self, stubs: Sequence[Stub], certificate: str) -> None:
        self._stubs = stubs
        self._certificate = certificate
        self._servers: list[asyncio.Server | None] = [None] * len(stubs)
        self._jams: dict[int, list[socket.socket]] = {}
        self.modes = [""] * len(stubs)
        self.connections: dict[asyncio.Transport, int] = {}

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
            server = await loop.create_server(
                lambda: _Stub(self, number), stub.host, stub.port, ssl=context, reuse_address=True, backlog=1024
            )
        self._servers[number] = server

    async def lose(self, number: int, kind: str) -> None:
        """Make a stub refuse connections, let them hang, or answer every request with a 500."""
        self.modes[number] = kind
        if kind == ERRORS:
            return
        server = self._servers[number]
        if server is not None:
            server.close()
            self._servers[number] = None
        for transport, owner in list(self.connections.items()):
            if owner == number:
                transport.abort()
        if kind == HANGS and not self._stubs[number].path:
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


def _jam(stub: Stub) -> list[socket.socket]:
    """Listen with a full queue that nobody empties: further connections get no answer at all."""
    family = socket.AF_INET6 if ":" in stub.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((stub.host, stub.port))
    listener.listen(0)
    held = [listener]
    for _ in range(4):
        one = socket.socket(family)
        one.setblocking(False)
        one.connect_ex((stub.host, stub.port))
        held.append(one)
    return held


class _Stub(asyncio.Protocol):
    """One connection: HTTP/1.1 requests without looking into them, or any bytes."""

    def __init__(self, stubs: Stubs, number: int) -> None:
        self._all = stubs
        self._number = number
        self._rest = b""
        self._tcp = stubs._stubs[number].protocol == "tcp"  # noqa: SLF001 - one family
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self._transport = transport
        self._all.connections[transport] = self._number

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._all.connections.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._greeted:
            data = _without_proxy_header(data)
        self._greeted = True
        if self._tcp:
            self._transport.write(b"%d\n" % self._number)
            return
        *requests, self._rest = data.split(b"\r\n\r\n")
        for request in requests:
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request[:4] == b"PING" or b"\r\nPING" in request:
            self._transport.write(b"+PONG\r\n")
            return
        wrong = self._all.modes[self._number] == ERRORS
        status = b"500 Lost" if wrong else b"200 OK"
        body = b"" if request.startswith(b"HEAD ") else b"%d\n" % self._number
        head = b"HTTP/1.1 %b\r\n%b: %d\r\nContent-Length: %d\r\n" % (status, NAME_HEADER, self._number, len(body))
        close = b"connection: close" in request.lower() or request.split(b"\r\n", 1)[0].endswith(b"HTTP/1.0")
        self._transport.write(head + (b"Connection: close\r\n\r\n" if close else b"\r\n") + body)
        if close:
            self._transport.close()


def _without_proxy_header(data: bytes) -> bytes:
    if data.startswith(b"PROXY "):
        return data.partition(b"\r\n")[2]
    if data.startswith(_PROXY_V2) and len(data) >= 16:
        return data[16 + int.from_bytes(data[14:16], "big") :]
    return data

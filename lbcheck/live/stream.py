"""One connection to a server: TCP or a Unix socket, a PROXY header where the proxy sends one, and TLS.

Sockets of its own on asyncio's loop, not asyncio's streams: TLS begins behind a PROXY header, each stage fails by its
own name, and a probe that is over leaves nothing to be shut down.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
import stat
from typing import TYPE_CHECKING, Any

from lbcheck.live.failure import FailedError, UnsureError
from lbcheck.live.outcome import TCP, TLS
from lbcheck.live.target import NO_PROXY, PROXY_V2

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.live.target import Connect

#: What is read at once, and at most in all: HAProxy's own buffer (tune.bufsize), whose end is the answer's end.
BLOCK = 16_384
_V2_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
_REASONS = {
    errno.ECONNREFUSED: ("refuses the connection", "start the server, or correct its address or port"),
    errno.EHOSTUNREACH: ("cannot be reached: no route to it from here", "look at the network between them"),
    errno.ENETUNREACH: ("cannot be reached: no route to its network from here", "look at the network between them"),
    errno.ENOENT: ("is not there", "start the server, or correct the socket's path"),
    errno.EACCES: ("may not be opened by this user", "run as the user that the proxy runs as"),
    errno.EPERM: ("may not be reached from here: a firewall of this machine forbids it", "look at its rules"),
}


class Stream:
    """A connection; `read` and `write` speak TLS once `handshake` has been done."""

    def __init__(self, sock: socket.socket, place: str) -> None:
        self.place = place
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    @property
    def tls(self) -> ssl.SSLObject:
        """The TLS side of it, after `handshake` only."""
        assert self._tls is not None  # noqa: S101 - callers have done a handshake
        return self._tls

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end. Raises OSError."""
        if self._tls is None:
            return await self._loop.sock_recv(self._socket, BLOCK)
        try:
            data: bytes = await self._pump(lambda: self.tls.read(BLOCK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        return data

    async def write(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        if self._tls is None:
            await self._loop.sock_sendall(self._socket, data)
        elif data:
            await self._pump(lambda: self.tls.write(data))

    async def handshake(self, context: ssl.SSLContext, sni: str) -> None:
        """Begin TLS. Raises ssl.SSLError and OSError."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=sni or None)
        await self._pump(self._tls.do_handshake)

    async def _pump(self, call: Callable[[], Any]) -> Any:
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._loop.sock_recv(self._socket, BLOCK)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert, so that the server's log says why
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._loop.sock_sendall(self._socket, data)

    async def greet(self, version: int) -> None:
        """Send the header of the PROXY protocol as for a check. Raises OSError."""
        if version == PROXY_V2:
            await self.write(_V2_LOCAL)
        elif version != NO_PROXY:
            await self.write(_v1(self._socket))

    def close(self) -> None:
        """End it at once."""
        self._socket.close()


def _v1(sock: socket.socket) -> bytes:
    if sock.family == socket.AF_UNIX:
        return b"PROXY UNKNOWN\r\n"
    source, target = sock.getsockname(), sock.getpeername()
    family = "TCP6" if sock.family == socket.AF_INET6 else "TCP4"
    return f"PROXY {family} {source[0]} {target[0]} {source[1]} {target[1]}\r\n".encode()


async def opened(connect: Connect) -> Stream:
    """Return a connection to an address that was looked up before. Raises FailedError and UnsureError."""
    family, name = _socket_name(connect)
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        said = os.strerror(error.errno or 0).lower()
        raise UnsureError(
            f"no connection can be opened on this machine: {said}; a lower --concurrency may help"
        ) from None
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, name)
        sock.getpeername()  # a Unix socket whose queue is full looks connected
        stream = Stream(sock, connect.place)
        await stream.greet(connect.proxy)
    except OSError as error:
        sock.close()
        raise refused(connect.place, error) from None
    except OverflowError:
        sock.close()
        raise UnsureError(f"{connect.place} is no port") from None
    except BaseException:
        sock.close()
        raise
    return stream


def _socket_name(connect: Connect) -> tuple[int, Any]:
    if connect.path:
        return socket.AF_UNIX, connect.path
    address = ipaddress.ip_address(connect.host)
    if address.version == 4:
        return socket.AF_INET, (connect.host, connect.port)
    host, _, scope = connect.host.partition("%")
    with contextlib.suppress(OSError):
        return socket.AF_INET6, (host, connect.port, 0, socket.if_nametoindex(scope) if scope else 0)
    return socket.AF_INET6, (host, connect.port, 0, 0)


def refused(place: str, error: OSError) -> FailedError:
    """Return what a failed connection means."""
    number = error.errno or 0
    if number == errno.ENOTCONN:
        return FailedError(TCP, f"{place} accepts no more connections", "the server is overloaded or hangs: look at it")
    reason, advice = _REASONS.get(number, ("", ""))
    if not reason:
        said = os.strerror(number).lower() if number else "no connection"
        reason, advice = f"cannot be connected to: {said}", "look at the server and the network between them"
    return FailedError(TCP, f"{place} {reason}", advice)


def broken_off(stage: str, place: str) -> FailedError:
    """Return what a connection means that the server ends before it has answered."""
    what = "during the TLS handshake" if stage == TLS else "without an answer"
    return FailedError(stage, f"{place} closes the connection {what}", "look at the server's log")


def is_socket(path: str) -> bool:
    """Say whether a Unix socket lies at a path."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False

"""Servers on loopback that behave well or badly, and certificates that are right or wrong in one way each."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading

import proxies
import trustme

_PATIENCE = 10.0
NOW = dt.datetime.now(dt.UTC)


def days(number):
    return NOW + dt.timedelta(days=number)


class Stubs:
    """Makes servers; all are gone at the end of the block. Each is a place, `host:port`."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers, self._sockets, self._tasks = [], [], set()
        self.connections = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()
        for one in self._sockets:
            one.close()

    async def _end(self):
        await asyncio.sleep(0.1)  # connections that have just come get their handlers, or nobody would close them
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    def server(self, behave, tls=None, *, host="127.0.0.1", path=None):
        """Return where a server listens that does `await behave(reader, writer)` with each connection."""
        started = asyncio.run_coroutine_threadsafe(self._start(behave, tls, host, path), self._loop)
        return started.result(_PATIENCE)

    async def _start(self, behave, tls, host, path):
        async def handle(reader, writer):
            task = asyncio.current_task()
            self._tasks.add(task)
            self.connections += 1
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
                await behave(reader, writer)
                await writer.drain()
                writer.close()
                await asyncio.wait_for(writer.wait_closed(), 1)
            writer.transport.abort()
            self._tasks.discard(task)

        if path is not None:
            self._servers.append(await asyncio.start_unix_server(handle, path))
            return path
        server = await asyncio.start_server(handle, host, 0, ssl=tls, backlog=1024)
        self._servers.append(server)
        return "{}:{}".format(*server.sockets[0].getsockname()[:2])

    def closed(self):
        """Return a place at which nothing listens, and nothing will."""
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        self._sockets.append(one)
        return "{}:{}".format(*one.getsockname())

    def full(self):
        """Return a place whose queue of connections is full, so that new ones get no answer."""
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        self._sockets += [one, *proxies._plugs(one.getsockname())]
        return "{}:{}".format(*one.getsockname())


async def head(reader):
    return await reader.readuntil(b"\r\n\r\n")


def says(*pieces, until=head):
    """Answer a request with pieces, sent apart; None waits for ever."""

    async def behave(reader, writer):
        if until is not None:
            await until(reader)
        for piece in pieces:
            if piece is None:
                await asyncio.sleep(3600)
            writer.write(piece)
            await writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.05)

    return behave


def answers(status, body=b"", *headers):
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return says(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def only_if(wanted, good=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", bad=b"HTTP/1.1 400 Bad\r\n\r\n"):
    """Answer well only what holds certain bytes."""

    async def behave(reader, writer):
        writer.write(good if wanted in await head(reader) else bad)

    return behave


async def hangs(reader, _writer):
    await reader.read()
    await asyncio.sleep(3600)


async def closes(_reader, _writer):
    return


def after_proxy(header, behave):
    """Behave so only behind a PROXY header that begins like this."""

    async def guarded(reader, writer):
        start = await reader.readexactly(len(header))
        if start != header:
            return
        if header.startswith(b"PROXY"):
            await reader.readuntil(b"\r\n")
        else:
            rest = await reader.readexactly(16 - len(header))
            await reader.readexactly(int.from_bytes((start + rest)[14:16], "big"))
        await behave(reader, writer)

    return guarded


def talks(*turns):
    """Say and hear in turns: bytes are said, a number is how many are heard."""

    async def behave(reader, writer):
        for turn in turns:
            if isinstance(turn, int):
                await reader.readexactly(turn)
            else:
                writer.write(turn)
                await writer.drain()
        await asyncio.sleep(0.3)

    return behave


class Authority:
    """An authority, and servers' contexts with certificates by it."""

    def __init__(self, folder, name="ca"):
        self._ca = trustme.CA()
        self._folder = folder
        self.path = str(folder / f"{name}.pem")
        self._ca.cert_pem.write_to_path(self.path)

    def below(self, name):
        """Return an authority whose certificate this one signed."""
        other = object.__new__(Authority)
        other._ca, other._folder, other.path = (
            self._ca.create_child_ca(),
            self._folder,
            str(self._folder / f"{name}.pem"),
        )
        other._ca.cert_pem.write_to_path(other.path)
        return other

    def context(self, *names, ends=90, begins=-1, common=None, asks_client=False, sni=None):
        cert = self._ca.issue_cert(*names, common_name=common, not_before=days(begins), not_after=days(ends))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cert.configure_cert(context)
        if asks_client:
            context.load_verify_locations(self.path)
            context.verify_mode = ssl.CERT_REQUIRED
        if sni is not None:
            context.sni_callback = lambda _tls, name, _context: (
                None if name == sni else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            )
        return context

    def client(self, name="client"):
        """Return the path of a certificate with its key, to show to servers."""
        path = str(self._folder / f"{name}.pem")
        self._ca.issue_cert(f"{name}.test").private_key_and_cert_chain_pem.write_to_path(path)
        return path

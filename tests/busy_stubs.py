"""Servers on loopback that keep requests until they are told to answer, and clients that keep so many open."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading

import pytest

#: How long a request may take from the client to a server, and how long none is taken to be coming.
_PATIENCE = 10.0
QUIET = 0.15


class HeldServers:
    """HTTP servers on loopback addresses of their own that answer a request when `answer` is called.

    With a `delay`, they answer by themselves after as many seconds as it returns.
    """

    def __init__(self, count, delay=None):
        self._delay = delay
        self.arrived = queue.Queue()
        self._sockets = [socket.create_server((f"127.0.0.{11 + number}", 0), backlog=128) for number in range(count)]
        self.addresses = ["{}:{}".format(*one.getsockname()) for one in self._sockets]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._waiting = {}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)

    def answer(self, token):
        """Answer the request that bears this token."""
        self._loop.call_soon_threadsafe(self._answer, token)

    def counts(self):
        """Return how many requests reached each server since somebody last asked."""
        found = [0] * len(self.addresses)
        while not self.arrived.empty():
            found[self.arrived.get_nowait()[1]] += 1
        return found

    def _answer(self, token):
        self._waiting.pop(token).write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def _run(self):
        asyncio.set_event_loop(self._loop)
        for number, one in enumerate(self._sockets):
            made = self._loop.create_server(lambda number=number: _Holds(self, number), sock=one)
            self._loop.run_until_complete(made)
        self._loop.run_forever()
        for transport in self._waiting.values():
            transport.abort()
        for one in self._sockets:
            self._loop.remove_reader(one)
            one.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Holds(asyncio.Protocol):
    def __init__(self, servers, number):
        self._servers = servers
        self._number = number
        self._rest = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            token = int(request.lower().partition(b"x-token: ")[2].split(b"\r\n")[0])
            self._servers._waiting[token] = self.transport
            self._servers.arrived.put((token, self._number))
            if self._servers._delay is not None:
                asyncio.get_running_loop().call_later(self._servers._delay(), self._servers._answer, token)


def closed_loop(port, target, in_flight, requests):
    """Keep so many requests under way, on a connection each, until so many have been answered."""
    asyncio.run(_closed_loop(port, target, in_flight, requests))


async def _closed_loop(port, target, in_flight, requests):
    left = iter(range(requests))

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for token in left:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: test\r\nX-Token: {token}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    await asyncio.wait_for(asyncio.gather(*(client() for _ in range(in_flight))), 60)


class Crowd:
    """Many clients of one proxy, each with a request of its own under way."""

    def __init__(self, port, servers):
        self._port = port
        self._servers = servers
        self._sockets = {}
        self._next = 0

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for token in list(self._sockets):
            self._sockets.pop(token).close()

    def send(self, target, **headers):
        """Send a request and return its token."""
        self._next += 1
        one = self._sockets[self._next] = socket.create_connection(("127.0.0.1", self._port), _PATIENCE)
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        one.sendall(f"GET {target} HTTP/1.1\r\nHost: test\r\nX-Token: {self._next}\r\n{fields}\r\n".encode())
        return self._next

    def arrival(self, patience=_PATIENCE):
        """Return the next request that reaches a server, as (token, server); None where none does in time."""
        with contextlib.suppress(queue.Empty):
            return self._servers.arrived.get(timeout=patience)
        return None

    def open(self, target, **headers):
        """Send a request and return its token and the number of the server that it reaches."""
        token = self.send(target, **headers)
        found = self.arrival()
        if found is None or found[0] != token:
            pytest.fail(f"request {token} did not reach a server: {found}")
        return found

    def stand(self, target, wanted, end):
        """Open requests until so many stand on each server; `end` ends those that came elsewhere. Return all tokens."""
        held = [[] for _ in wanted]
        while (missing := sum(wanted) - sum(len(tokens) for tokens in held)) > 0:
            opened = [self.open(target) for _ in range(missing)]
            for token, server in opened:
                held[server].append(token)
            for tokens, count in zip(held, wanted, strict=True):
                while len(tokens) > count:
                    end(tokens.pop())
        return [token for tokens in held for token in tokens]

    def end(self, token):
        """Let a request be answered, and take the answer."""
        self._servers.answer(token)
        self.status(token)

    def status(self, token):
        """Return the status of a request's answer, once it is there."""
        one = self._sockets.pop(token)
        with one:
            data = b""
            while b"\r\n\r\n" not in data:
                more = one.recv(65536)
                if not more:
                    pytest.fail("the proxy closed the connection")
                data += more
        return int(data.split(b" ")[1])

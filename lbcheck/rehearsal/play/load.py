"""Requests to the proxy under rehearsal, from any client address, and who answered each."""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
import time
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.play.stubs import ASK_HEADER, HELLO, NAME_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lbcheck.rehearsal.play.script import Load

#: Who answered, where no stub did: the proxy itself, or nobody.
PROXY, NOBODY = -1, -2
_PATIENCE = 75.0
#: What a proxy says that has no server for a request, and how long it has to find one, in seconds.
_UNAVAILABLE, _PAUSES = 503, (0.2, 0.4, 0.8)
#: How often a load is tried that other pools' servers answer.
_DRAWS = 12
#: What a connection comes to on which no answer is read: none comes, or what comes is no HTTP, or has no end.
_UNANSWERED = (OSError, EOFError, TimeoutError, ValueError, IndexError, asyncio.LimitOverrunError)
#: Bodies are read in pieces of so many bytes, and dropped.
_PIECE = 1 << 16


class Ask(NamedTuple):
    """One request: its place in its load, the client's address ("" any), and what is asked for."""

    number: int
    source: str
    path: str
    headers: tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """Who answered: a stub's number, PROXY or NOBODY; with which HTTP status (0 none); when, and after how long."""

    stub: int
    status: int
    at: float
    took: float


def asks(load: Load) -> Iterator[Ask]:
    """Yield the requests of a load, the same ones for the same seed."""
    draw = random.Random(load.seed)  # noqa: S311 - keys, not secrets
    kind, _, name = load.vary.partition(":")
    for number in range(load.requests):
        key = f"{number}-{draw.getrandbits(32):08x}"
        path, headers, source = load.path, load.headers, load.source
        if kind == "path":
            path = f"{path.rstrip('/')}/{key}"
        elif kind == "query":
            path = f"{path}{'&' if '?' in path else '?'}{name}={key}"
        elif kind == "header":
            headers = (*headers, (name, key))
        elif kind == "cookie":
            headers = (*headers, ("Cookie", f"{name}={key}"))
        elif kind == "source":
            source = _own_address(draw) if load.loopback else _address(draw, six=":" in load.host)
        yield Ask(number, source, path, headers)


def _address(draw: random.Random, *, six: bool) -> str:
    """Return a public-looking client address."""
    if six:
        return "2001:db8:" + ":".join(f"{draw.getrandbits(16):x}" for _ in range(6))
    first = draw.choice([number for number in range(1, 224) if number not in {10, 127}])
    return f"{first}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


def _own_address(draw: random.Random) -> str:
    """Return an address that this machine has without being given it: on Linux any of 127/8."""
    if sys.platform != "linux":
        return "127.0.0.1"
    return f"127.{draw.randrange(1, 64)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


#: So many requests are under way at once where several are.
IN_FLIGHT = 8


async def played(load: Load, watch: Callable[[Answer], None] = lambda _: None) -> tuple[list[Answer], bool]:
    """Ask everything, one after the other, as long as the load says; return the answers, and whether it is reached.

    If a first answer does not come from a stub that it expects, nothing more is asked.
    """
    first = await first_answer(load)
    if first.stub not in load.expect:
        return [first], False
    until = time.monotonic() + load.seconds
    client = Client(load)
    answers: list[Answer] = []
    for ask in asks(load):
        if time.monotonic() > until:
            break
        answers.append(await client.ask(ask))
        watch(answers[-1])
    client.close()
    return answers, True


async def played_together(load: Load) -> list[Answer]:
    """Ask what comes behind the load's own requests, several at once, as long as the load says."""
    until = time.monotonic() + load.seconds
    further = islice(asks(load._replace(requests=load.requests + load.together)), load.requests, None)
    answers: list[Answer] = []

    async def one_of_them() -> None:
        client = Client(load)
        for ask in further:
            if time.monotonic() > until:
                break
            answers.append(await client.ask(ask))
        client.close()

    await asyncio.gather(*(one_of_them() for _ in range(IN_FLIGHT)))
    return answers


async def first_answer(load: Load) -> Answer:
    """Ask something like a load; again where another pool's server answers, to which a draw may have sent it.

    It is nothing that the load itself asks: a cache would know the answer, and a limit the client.
    """
    client = Client(load)
    for ask in asks(load._replace(seed=load.seed + 1, requests=_DRAWS)):
        answer = await _once_available(client, ask)
        if answer.stub in load.expect or answer.stub in {PROXY, NOBODY}:
            break
    client.close()
    return answer


async def _once_available(client: Client, ask: Ask) -> Answer:
    """Ask; again a little later where the proxy has no server: a first check may fail."""
    for pause in _PAUSES:
        answer = await client.ask(ask)
        if answer.status != _UNAVAILABLE:
            return answer
        await asyncio.sleep(pause)
    return await client.ask(ask)


def _author(name: bytes | None, started: float) -> int:
    """Return whose answer to a request of this time a stub's header is: the proxy's own where it is not a fresh one."""
    if name is None:
        return PROXY
    number, _, at = name.strip().partition(b" ")
    return int(number) if at and float(at) >= started else PROXY


@cache
def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """Asks one thing after the other, over one connection as long as it lasts and the client's address stays."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self._source: str | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Ask once. A connection that the proxy closed between two requests is opened again."""
        started = time.monotonic()
        for _ in range(2):
            fresh = self._writer is None or self._source != ask.source
            try:
                stub, status = await asyncio.wait_for(self._exchange(ask, started), _PATIENCE)
            except _UNANSWERED:
                self.close()
                stub, status = NOBODY, 0
            if stub != NOBODY or fresh:
                break
        return Answer(stub, status, started, time.monotonic() - started)

    async def _exchange(self, ask: Ask, started: float) -> tuple[int, int]:
        if self._writer is None or self._source != ask.source:
            await self._connect(ask.source)
        assert self._reader is not None  # noqa: S101 - connected just before
        assert self._writer is not None  # noqa: S101
        if self.load.protocol == "tcp":
            self._writer.write(b"%b %d\r\n\r\n" % (HELLO, ask.number))
            line = await self._reader.readline()
            self.close()
            return (int(line), 0) if line.strip().isdigit() else (NOBODY, 0)
        fields = "".join(f"{name}: {value}\r\n" for name, value in ask.headers)
        fields += f"{ASK_HEADER.decode()}: {ask.number}\r\n"
        self._writer.write(f"{self.load.method} {ask.path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1", "replace"))
        return await self._answer(started)

    async def _connect(self, source: str) -> None:
        self.close()
        load = self.load
        context = _any_certificate() if load.tls else None
        host = next((value for name, value in load.headers if name == "Host"), None)
        if load.socket:
            self._reader, self._writer = await asyncio.open_unix_connection(load.socket)
        else:
            here = (source, 0) if source else None
            name = (load.sni or (host or load.host).partition(":")[0]) if context else None
            direct = not load.proxy_protocol
            self._reader, self._writer = await asyncio.open_connection(
                load.host, load.port, ssl=context if direct else None, local_addr=here,
                server_hostname=name if direct else None,
            )  # fmt: skip
            if load.proxy_protocol:
                family = "TCP6" if ":" in load.host else "TCP4"
                client = source or load.host
                self._writer.write(f"PROXY {family} {client} {load.host} 40000 {load.port}\r\n".encode())
                if context is not None:
                    await self._writer.start_tls(context, server_hostname=name)
        self._source = source

    async def _answer(self, started: float) -> tuple[int, int]:
        assert self._reader is not None  # noqa: S101
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        status = int(lines[0].split()[1])
        fields = dict(line.partition(b":")[::2] for line in lines[1:] if line)
        length = int(fields.get(b"content-length", b"0"))
        chunked = b"chunked" in fields.get(b"transfer-encoding", b"")
        if self.load.method != "HEAD" and status not in {204, 304}:
            await self._skip_chunks() if chunked else await self._skip(length)
        if b"close" in fields.get(b"connection", b"") or lines[0].startswith(b"http/1.0"):
            self.close()
        return _author(fields.get(NAME_HEADER), started), status

    async def _skip_chunks(self) -> None:
        """Read a body in chunks, without trailers (RFC 9112, 7.1)."""
        assert self._reader is not None  # noqa: S101
        while length := int((await self._reader.readline()).partition(b";")[0], 16):
            await self._skip(length + 2)
        await self._skip(2)

    async def _skip(self, length: int) -> None:
        """Read so many bytes. Raises EOFError where the connection ends before."""
        assert self._reader is not None  # noqa: S101
        while length > 0:
            piece = await self._reader.read(min(length, _PIECE))
            if not piece:
                raise EOFError
            length -= len(piece)

    def close(self) -> None:
        """End the connection; the next request opens another one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

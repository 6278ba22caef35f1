"""Answers that a client of a rehearsal reads, and those that it cannot: no config makes it break."""

from __future__ import annotations

import asyncio
import time

import pytest

from lbcheck.rehearsal.play.load import NOBODY, PROXY, Ask, Client, asks, first_answer
from lbcheck.rehearsal.play.script import Load

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def answers(*said, times=1, method="GET"):
    """Return what a client makes of a server that says this to each request, and hangs up after the last."""

    async def play():
        left = list(said)

        async def serve(reader, writer):
            while left and await reader.readuntil(b"\r\n\r\n"):
                writer.write(left.pop(0))
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        client = Client(Load("app", host, port, method=method))
        found = [await client.ask(Ask(number, "", "/", ())) for number in range(times)]
        client.close()
        server.close()
        await asyncio.sleep(0.01)  # until all transports are closed
        return [(one.stub, one.status) for one in found]

    return asyncio.run(play())


@pytest.mark.parametrize("body", [b"x" * 300_000, b"0\r\n\r\n" + b"y" * 100_000], ids=["long", "like an end"])
def test_a_body_of_any_length_is_read_to_its_end(body):
    chunk = b"%x;a=b\r\n%b\r\n" % (len(body), body)
    stubless = OK + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    last = OK + b"Content-Length: 0\r\n\r\n"
    assert answers(CHUNKED + chunk * 3 + b"0\r\n\r\n", stubless, last, times=3) == [(PROXY, 200)] * 3


@pytest.mark.parametrize(
    "said",
    [b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", OK + b"x: " + b"y" * 200_000, CHUNKED + b"z\r\n", CHUNKED + b"5\r\nab"],
    ids=["nothing", "no status", "a long head", "no chunk", "half a chunk"],
)
def test_what_cannot_be_read_is_no_answer(said):
    assert answers(said) == [(NOBODY, 0)]


@pytest.mark.parametrize(
    ("name", "stub"),
    [(b"3 {now}", 3), (b"3 1.5", PROXY), (b"3", PROXY), (b"", PROXY), (b"x 9e99", NOBODY), (b"3 x", NOBODY)],
)
def test_whose_answer_it_is(name, stub):
    """A stub says when it answered; an answer that is older than its request comes from a cache."""
    name = name.replace(b"{now}", b"%.6f" % (time.monotonic() + 60))
    head = OK + b"x-lbcheck-stub: %b\r\nContent-Length: 0\r\n\r\n" % name
    assert answers(head)[0][0] == stub


@pytest.mark.parametrize("vary", ["path", "source", "header:x", "cookie:c", "query:q"])
def test_what_is_asked_first_is_nothing_that_is_asked_later(vary):
    async def play():
        heard = []

        async def serve(reader, writer):
            heard.append((writer.get_extra_info("peername")[0], await reader.readuntil(b"\r\n\r\n")))
            writer.write(OK + b"Content-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        load = Load("app", host, port, vary=vary, loopback=True, requests=20)
        await first_answer(load)
        client = Client(load)
        for ask in asks(load):
            await client.ask(ask)
        client.close()
        server.close()
        await asyncio.sleep(0.01)
        return heard

    first, *later = asyncio.run(play())
    assert len(later) == 20
    assert first not in later


@pytest.mark.parametrize(("said", "found"), [([1, 1, 1, 0], 0), ([1] * 50, 1), ([PROXY, 0], PROXY), ([0, 1], 0)])
def test_a_draw_that_went_elsewhere_is_drawn_again(said, found):
    """A first answer of another pool's server says nothing yet; one of the proxy itself does."""

    async def play():
        left = list(said)

        async def serve(reader, writer):
            while left:
                await reader.readuntil(b"\r\n\r\n")
                stub = left.pop(0)
                name = b"" if stub == PROXY else b"x-lbcheck-stub: %d %.6f\r\n" % (stub, time.monotonic() + 60)
                writer.write(OK + name + b"Content-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        answer = await first_answer(Load("app", host, port, expect=(0,)))
        server.close()
        await asyncio.sleep(0.01)
        return answer.stub, len(said) - len(left)

    stub, asked = asyncio.run(play())
    assert stub == found
    assert asked < 20

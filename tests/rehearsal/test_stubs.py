"""What the stubs say to health checks of other protocols than HTTP."""

from __future__ import annotations

import asyncio

import pytest

from lbcheck.rehearsal.play.script import Stub
from lbcheck.rehearsal.play.stubs import Stubs
from lbcheck.traffic.scenario import REFUSES


def said(path, data):
    """Return what a stub answers to these bytes."""

    async def ask():
        stubs = Stubs([Stub("", 0, path)], "")
        await stubs.start()
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(data)
        found = await asyncio.wait_for(reader.read(1000), 5)
        writer.close()
        await writer.wait_closed()
        await stubs.lose(0, REFUSES)
        await asyncio.sleep(0.01)  # until all transports are closed
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),  # option redis-check
        (b"PING\r\n", b"+PONG\r\n"),  # tcp-check send PING\r\n
        (b"\x16\x03\x00\x00\x2f\x01", b"\x15\x03\x00\x00\x02\x02\x28"),  # option ssl-hello-chk
        (b"PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\nPING\r\n", b"+PONG\r\n"),
    ],
)
def test_checks_that_are_answered(tmp_path, check, answer):
    assert said(str(tmp_path / "stub"), check) == answer


def test_a_request_of_ours_is_no_check(tmp_path):
    assert said(str(tmp_path / "stub"), b"lbcheck 7\r\n\r\n") == b"0\n"

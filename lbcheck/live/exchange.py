"""The steps of a check, one after the other, as HAProxy takes them (src/tcpcheck.c, tcpcheck_main() of 2.6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.live.expectations import More, answered, met
from lbcheck.live.failure import SlowError, UnsureError
from lbcheck.live.handshake import secured
from lbcheck.live.outcome import CHECK, TCP, TLS
from lbcheck.live.stream import BLOCK, broken_off, opened, refused
from lbcheck.live.target import Connect, Expect, Send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.live.handshake import Contexts
    from lbcheck.live.outcome import Certificate
    from lbcheck.live.stream import Stream
    from lbcheck.live.target import Step


class Limits(NamedTuple):
    """How many seconds a connection may take with its TLS, and the answer after it; None: what is left of the first."""

    connect: float
    answer: float | None


class Exchange:
    """One run through steps, and how far it came: the `stage`, the last HTTP `status`, the `certificate`, `gaps`."""

    def __init__(self, contexts: Contexts, limits: Limits) -> None:
        self._contexts = contexts
        self._limits = limits
        self._stream: Stream | None = None
        self._data = b""
        self._ended = False
        self._modern = False
        self.stage = TCP
        self.status: int | None = None
        self.certificate: Certificate | None = None
        self.gaps: list[str] = []

    async def run(self, steps: Sequence[Step]) -> None:
        """Take all steps. Raises FailedError, UnsureError, and SlowError where the time is over."""
        try:
            async with asyncio.timeout(self._limits.connect) as clock:
                index = 0
                while index < len(steps):
                    index = await self._step(steps, index, clock)
        except TimeoutError:
            raise SlowError(self.stage) from None
        finally:
            self._close()

    async def _step(self, steps: Sequence[Step], index: int, clock: asyncio.Timeout) -> int:
        step = steps[index]
        if isinstance(step, Connect):
            clock.reschedule(_from_now(self._limits.connect))
            await self._connect(step)
            if self._limits.answer is not None:
                clock.reschedule(_from_now(self._limits.answer))
        elif self._modern:
            raise UnsureError("it speaks HTTP/2, in which no check can be asked from here")
        elif isinstance(step, Send):
            self.stage = CHECK
            self._data = b""
            await self._write(step.data)
        else:
            self.stage = CHECK
            await self._expect(_again(steps, index))
        return index + 1

    async def _connect(self, step: Connect) -> None:
        self._close()
        self.stage, self._data, self._ended, self._modern = TCP, b"", False, False
        self._stream = await opened(step)
        if step.tls is not None:
            self.stage = TLS
            self.certificate, missing = await secured(self._stream, step, self._contexts)
            if missing:
                self.gaps.append(missing)
            self._modern = self._stream.tls.selected_alpn_protocol() == "h2"

    async def _write(self, data: bytes) -> None:
        stream = self._open
        try:
            await stream.write(data)
        except OSError as error:
            raise refused(stream.place, error) from None

    async def _expect(self, waited: Sequence[Expect]) -> None:
        """Read until the last of these is met; once more has come, those before it are looked at again."""
        if not self._data:
            await self._read()
        again = waited[-1:]
        while True:
            try:
                for one in again:
                    self._look(one)
            except More:
                await self._read()
                again = waited
            else:
                return

    def _look(self, expect: Expect) -> None:
        if not expect.http:
            met(expect, self._data, self._open.place, ended=self._ended)
            return
        self.status = answered(expect, self._data, self._open.place, ended=self._ended).status

    @property
    def _open(self) -> Stream:
        assert self._stream is not None  # noqa: S101 - the first step is a connection
        return self._stream

    async def _read(self) -> None:
        stream = self._open
        try:
            more = await stream.read()
        except OSError:
            more = b""
        if not more and not self._data:
            raise broken_off(CHECK, stream.place)
        self._data += more
        self._ended = not more or len(self._data) >= BLOCK

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _from_now(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _again(steps: Sequence[Step], index: int) -> list[Expect]:
    """Return what has to hold once more has come: from the first inverse one of the expectations in a row."""
    row: list[Expect] = []
    while index >= 0 and isinstance(step := steps[index], Expect):
        row.insert(0, step)
        index -= 1
    first = next((number for number, one in enumerate(row) if one.inverse), len(row) - 1)
    return row[first:]

"""Requests at a steady rate, whether or not those before were answered: what a loss does takes time to see."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import TYPE_CHECKING

from lbcheck.rehearsal.play.load import NOBODY, Answer, Client, asks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.play.script import Load

#: So many requests may wait for an answer where nothing speaks for fewer; nobody asks further ones until then.
MOST_IN_FLIGHT = 200
#: A run of requests ends here at the latest.
MOST = 20_000
#: How long after the end answers are waited for, in seconds.
_GRACE = 2.0
#: How soon it goes on that had to wait, in seconds.
_STEP = 0.005


class Paced:
    """A load that goes on, each request on a connection of its own. `rate` is in requests a second, and may change.

    `at_once` requests may wait for an answer.
    """

    def __init__(self, load: Load, rate: float, at_once: int = MOST_IN_FLIGHT) -> None:
        self._load = load
        self._asks: Iterator[Ask] = asks(load._replace(requests=MOST))
        self._waiting: dict[asyncio.Task[None], tuple[int, float]] = {}
        self._sending: asyncio.Task[None] | None = None
        self._held = False
        self._at_once = at_once
        self.rate = rate
        self.answers: dict[int, Answer] = {}
        #: How many requests were sent.
        self.sent = 0

    def start(self) -> None:
        """Begin to ask."""
        self._sending = asyncio.create_task(self._send())

    def asked(self, start: float, end: float) -> int:
        """Return how many requests were begun between two times (monotonic)."""
        begun = [answer.at for answer in self.answers.values()] + [at for _, at in self._waiting.values()]
        return sum(start <= at < end for at in begun)

    async def stop(self) -> None:
        """Ask nothing more; who has no answer a little later has none."""
        assert self._sending is not None  # noqa: S101 - start() comes first
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=_GRACE)
        late = dict(self._waiting)
        for task, (number, started) in late.items():
            task.cancel()
            self.answers[number] = Answer(NOBODY, 0, started, time.monotonic() - started)
        await asyncio.gather(*late, return_exceptions=True)

    async def calm_down(self, seconds: float) -> None:
        """Ask nothing more until all that was asked is answered, for at most so many seconds."""
        self._held = True
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=seconds)

    async def one_by_one(self, count: int, seconds: float) -> None:
        """Ask so many further things one after the other, for at most so many seconds; the rest waits meanwhile."""
        until = time.monotonic() + seconds
        self._held = True
        client = Client(self._load)
        for ask in islice(self._asks, count):
            self.sent = ask.number + 1
            self.answers[ask.number] = await client.ask(ask)
            if time.monotonic() > until:
                break
        client.close()
        self._held = False

    async def _send(self) -> None:
        due = time.monotonic()
        while True:
            if self._held or len(self._waiting) >= self._at_once:
                await asyncio.sleep(_STEP)
                continue
            ask = next(self._asks, None)
            if ask is None:
                return
            task = asyncio.create_task(self._ask(ask))
            self.sent = ask.number + 1
            self._waiting[task] = (ask.number, time.monotonic())
            task.add_done_callback(self._waiting.pop)
            due = max(due + 1 / self.rate, time.monotonic() - 1 / self.rate)
            await asyncio.sleep(due - time.monotonic())

    async def _ask(self, ask: Ask) -> None:
        client = Client(self._load)
        try:
            self.answers[ask.number] = await client.ask(ask)
        finally:
            client.close()

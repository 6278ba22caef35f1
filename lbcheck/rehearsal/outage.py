"""One loss, played: a stub is lost under load, comes back, and all that happened is written down with its time."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.attempts import Attempts
from lbcheck.rehearsal.load import first_answer
from lbcheck.rehearsal.machines import AWAY
from lbcheck.rehearsal.paced import Paced
from lbcheck.rehearsal.script import SLOW
from lbcheck.traffic.scenario import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.rehearsal.proxy import Proxy
    from lbcheck.rehearsal.script import Load, Loss, Script
    from lbcheck.rehearsal.stubs import Stubs

#: Requests a second once the loss was noticed: nothing waits any longer.
_QUICK = 200.0
#: How often is looked whether something has happened, in seconds.
_STEP = 0.02
#: How long the load goes on before the loss at least, and after the recovery.
_BEFORE, _AFTER = 0.3, 0.2
#: How long is watched that nobody serves.
_ALONE = 0.5
#: So many answers show that a silence is no standstill.
_OTHERS = 3
#: How much longer than its rate says the last part may take.
_SLACK = 5.0


class Outage:
    """A loss under load. Times are seconds since the loss."""

    def __init__(self, play: Script, loss: Loss, stubs: Stubs) -> None:
        """Begin to look who tries to connect. To be called before the proxy starts: its first checks are its own."""
        self._play = play
        self._loss = loss
        self._stubs = stubs
        self._attempts = self._watched()
        self._lost_at = 0.0
        self._served_from = 0.0
        self._down: float | None = None
        self._paced: Paced | None = None

    async def play(self, proxy: Proxy) -> dict[str, Any]:
        """Play it, and return what happened; {} where no load reaches the pool."""
        self._proxy = proxy
        await self._until(self._checked, self._loss.checked)
        load = await self._reaching()
        if load is None:
            return {}
        paced = self._paced = Paced(load, self._loss.rate)
        paced.start()
        await asyncio.sleep(_BEFORE)
        self._lost_at = time.monotonic()
        for number in self._loss.stubs:
            await self._stubs.lose(number, self._loss.kind)
        await self._until(lambda: self._noticed() is not None, self._loss.notice)
        if self._noticed() is not None:
            await asyncio.sleep(self._loss.lag)
        await self._settle(paced)
        paced.rate = max(paced.rate, _QUICK)
        noticed, tries = self._noticed(), [at - self._lost_at for at in self._tried()]
        restored, sent = self._now(), paced.sent
        for number in self._loss.stubs:
            await self._stubs.restore(number)
        await self._until(lambda: self._back(restored, sent) is not None, self._loss.recovery)
        await asyncio.sleep(_AFTER)
        await paced.stop()
        for one in self._attempts:
            one.close()
        return {
            "load": self._play.loads.index(load),
            "noticed": noticed,
            "tries": tries,
            "served_from": self._served_from,
            "restored": restored,
            "down": proxy.ever_down(),
            "back": self._back(restored, sent),
            "arrivals": [(one.stub, one.ask, one.at - self._lost_at) for one in self._stubs.arrivals],
            "answers": [
                (number, one.stub, one.status, one.at - self._lost_at, one.took)
                for number, one in sorted(paced.answers.items())
            ],
        }

    async def _reaching(self) -> Load | None:
        """Return the first of the loads whose requests get to the pool."""
        for number in self._loss.loads:
            load = self._play.loads[number]
            if (await first_answer(load)).stub in load.expect:
                return load
        return None

    async def _settle(self, paced: Paced) -> None:
        """Let enough requests come for all to see who serves now.

        One after the other, once nothing waits any longer: some algorithms look at what a server is working on.
        """
        seconds = self._loss.settled / _QUICK + _SLACK
        if not self._loss.settled:
            await asyncio.sleep(_ALONE)
        elif self._noticed() is None:
            await self._until(self._settled, seconds)
        else:
            self._served_from = self._now()
            await paced.one_by_one(self._loss.settled, seconds)

    async def _until(self, happened: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not happened():
            for one in self._attempts:
                one.times()  # each is seen when somebody looks
            await asyncio.sleep(_STEP)

    def _now(self) -> float:
        return time.monotonic() - self._lost_at

    def _checked(self) -> bool:
        """Say whether each server was checked: HAProxy ends a good check before the server can accept it."""
        return bool(self._attempts) and all(one.times() for one in self._attempts)

    def _watched(self) -> list[Attempts]:
        """Look who tries to connect: requests that meet a server which refuses or hangs leave no other trace there."""
        try:
            return [self._attempts_at(number) for number in self._loss.stubs if self._play.stubs[number].host]
        except OSError:
            return []  # then nobody knows

    def _attempts_at(self, number: int) -> Attempts:
        end = self._play.stubs[number]
        with self._stubs.at(number):
            return Attempts(end.host, end.port, AWAY if self._stubs.apart(number) else "lo")

    def _tried(self) -> list[float]:
        """Return when the proxy has sent a request to a lost server, or tried to."""
        times = [one.at for one in self._stubs.arrivals if one.stub in self._loss.stubs]
        if self._loss.kind not in {ERRORS, SLOW}:
            times += [at for one in self._attempts for at in one.times()]
        return sorted(at for at in times if at > self._lost_at)

    def _noticed(self) -> float | None:
        """Return when the proxy stopped sending: it says so, or the last attempt before a silence was then."""
        if self._loss.down:
            if self._down is None and self._loss.down in self._proxy.down():
                self._down = self._now()
            return self._down
        if not self._loss.silence:
            return None
        times = self._tried()
        silent = (before for before, after in pairwise([*times, time.monotonic()]) if self._quiet(before, after))
        first = next(silent, None)
        return None if first is None else first - self._lost_at

    def _quiet(self, before: float, after: float) -> bool:
        """Say whether nothing went to a lost server for so long, while other requests were answered.

        On a busy machine everybody stands still at times.
        """
        if self._paced is None or after - before <= self._loss.silence:
            return False
        answered = (one.at + one.took for one in self._paced.answers.values())
        return sum(before < at < after for at in answered) >= _OTHERS

    def _settled(self) -> bool:
        """Say whether enough requests were served since the loss."""
        count = sum(one.at > self._lost_at and one.stub not in self._loss.stubs for one in self._stubs.arrivals)
        return count >= self._loss.settled

    def _back(self, restored: float, sent: int) -> float | None:
        """Return how long after its return a lost server got a request that came later still."""
        later = (one.at for one in self._stubs.arrivals if one.stub in self._loss.stubs and one.ask >= sent)
        first = next(later, None)
        return None if first is None else first - self._lost_at - restored

"""One loss, played: a stub is lost under load, comes back, and all that happened is written down with its time."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.isolation.machines import AWAY
from lbcheck.rehearsal.play.attempts import Attempts
from lbcheck.rehearsal.play.load import first_answer
from lbcheck.rehearsal.play.paced import Paced
from lbcheck.rehearsal.play.script import SLOW
from lbcheck.rehearsal.play.standing import standings, unpassed
from lbcheck.traffic.scenario import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.rehearsal.play.proxy import Proxy
    from lbcheck.rehearsal.play.script import Load, Loss, Script
    from lbcheck.rehearsal.play.stubs import Stubs

#: Requests a second once the loss was noticed: nothing waits any longer.
_QUICK = 200.0
#: How often is looked whether something has happened, in seconds.
_STEP = 0.02
#: How long the load goes on before the loss at least, and after the recovery.
_BEFORE, _AFTER = 0.3, 0.2
#: How long is watched that nobody serves.
_ALONE = 0.5
#: How much longer than its rate says the last part may take; and how long what waits is waited for before it.
_SLACK = 5.0


class Outage:
    """A loss under load. Times are seconds since the loss."""

    def __init__(self, play: Script, loss: Loss, stubs: Stubs) -> None:
        """Begin to look who tries to connect."""
        self._play = play
        self._loss = loss
        self._stubs = stubs
        self._attempts = self._watched()
        self._lost_at = 0.0
        self._served_from = 0.0
        self._down: float | None = None
        self._downs = 0
        self._paced: Paced | None = None

    async def play(self, proxy: Proxy) -> dict[str, Any]:
        """Play it, and return what happened; the `reason` alone where nothing can be lost."""
        self._proxy = proxy
        if (unpassed := await self._unpassed()) is not None:
            return {"reason": unpassed}
        load = await self._reaching()
        if load is None:
            return {"reason": "no request reached the pool"}
        self._paced = paced = Paced(load, self._loss.rate, self._loss.at_once)
        paced.start()
        await asyncio.sleep(_BEFORE)
        await self._lose()
        await self._until(lambda: self._noticed() is not None, self._loss.notice)
        if self._noticed() is not None:
            await asyncio.sleep(self._loss.lag)
        await self._settle(paced)
        paced.rate = max(paced.rate, _QUICK)
        noticed, restored, sent = self._noticed(), self._now(), paced.sent
        for number in self._loss.stubs:
            await self._stubs.restore(number)
        await self._until(lambda: self._back(restored, sent) is not None, self._loss.recovery)
        await asyncio.sleep(_AFTER)
        await paced.stop()
        for one in self._attempts:
            one.close()
        times = {"noticed": noticed, "restored": restored, "back": self._back(restored, sent)}
        return {"load": self._play.loads.index(load), **times, **self._happened(paced)}

    async def _lose(self) -> None:
        self._downs = len(self._proxy.ever_down())
        self._lost_at = time.monotonic()
        for number in self._loss.stubs:
            await self._stubs.lose(number, self._loss.kind)

    def _happened(self, paced: Paced) -> dict[str, Any]:
        """Return which servers went down since the loss, what arrived at the stubs, and what was answered."""
        return {
            "served_from": self._served_from,
            "down": self._proxy.ever_down()[self._downs :],
            "arrivals": [(one.stub, one.ask, one.at - self._lost_at) for one in self._stubs.arrivals],
            "answers": [
                (number, one.stub, one.status, one.at - self._lost_at, one.took)
                for number, one in sorted(paced.answers.items())
            ],
        }

    async def _unpassed(self) -> str | None:
        """Wait until each checked server has passed a check: one that fails here goes down, whoever else is lost.

        Return which one has not, and why; None where all have.
        """
        until = time.monotonic() + self._loss.checked
        while (why := unpassed(self._loss.probed, await standings() if self._loss.probed else {})) is not None:
            if time.monotonic() > until:
                break
            await asyncio.sleep(_STEP)
        return why

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
            await self._until(lambda: False, _ALONE)
        elif self._noticed() is None:
            await self._until(self._settled, seconds)
        else:
            await paced.calm_down(_SLACK)
            self._served_from = self._now()
            await paced.one_by_one(self._loss.settled, seconds)

    async def _until(self, happened: Callable[[], bool], seconds: float) -> None:
        """Wait so long at most, and see all attempts meanwhile: the kernel keeps few of them."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not happened():
            for one in self._attempts:
                one.times()
            await asyncio.sleep(_STEP)

    def _now(self) -> float:
        return time.monotonic() - self._lost_at

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
        gaps = pairwise([self._lost_at, *self._tried(), time.monotonic()])  # a request under way may have been enough
        first = next((before for before, after in gaps if self._silent(before, after)), None)
        return None if first is None else first - self._lost_at

    def _silent(self, before: float, after: float) -> bool:
        """Say whether the time between two attempts is a silence of the proxy's, and not of ours on a busy machine."""
        if after - before <= self._loss.silence or self._paced is None:
            return False
        return self._paced.asked(before, after) >= self._loss.silence * self._loss.rate / 2

    def _settled(self) -> bool:
        """Say whether enough requests were served since the loss."""
        count = sum(one.at > self._lost_at and one.stub not in self._loss.stubs for one in self._stubs.arrivals)
        return count >= self._loss.settled

    def _back(self, restored: float, sent: int) -> float | None:
        """Return how long after its return a lost server got a request that came later still."""
        later = (one.at for one in self._stubs.arrivals if one.stub in self._loss.stubs and one.ask >= sent)
        first = next(later, None)
        return None if first is None else first - self._lost_at - restored

"""A graceful reload, played: another config takes over while requests come, and each of them is written down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.play.load import first_answer
from lbcheck.rehearsal.play.paced import Paced

if TYPE_CHECKING:
    from lbcheck.rehearsal.play.proxy import Proxy
    from lbcheck.rehearsal.play.script import Load, Reload, Script

#: Requests a second, of all loads together; and to how many pools.
_RATE, _POOLS = 200.0, 8
#: How long the load goes on before the reload, and after it, in seconds; how long a reload may take.
_BEFORE, _AFTER, _PATIENCE = 0.4, 0.6, 15.0
_STEP = 0.02


class Turnover:
    """A reload under load. Times are seconds since the signal."""

    def __init__(self, play: Script, reload: Reload, proxy: Proxy) -> None:
        self._play = play
        self._reload = reload
        self._proxy = proxy

    async def play(self) -> dict[str, Any]:
        """Play it, and return what happened."""
        loads = [load for _, load in await self._reaching()]
        if not loads:
            return {"pools": []}
        paced = [Paced(load, _RATE / len(loads)) for load in loads]
        for one in paced:
            one.start()
        await asyncio.sleep(_BEFORE)
        old = self._proxy.workers()
        self._write()
        started = time.monotonic()
        self._proxy.signal(self._reload.signal)
        done = await self._over(old)
        await asyncio.sleep(_AFTER)
        for one in paced:
            await one.stop()
        kept = {number for number, _ in await self._reaching()}
        return {
            "pools": [load.name for load in loads],
            "seconds": None if done is None else done - started,
            "output": self._proxy.output(),
            "answers": [
                (answer.stub, answer.status, answer.at - started, self._play.loads.index(load) in kept)
                for load, one in zip(loads, paced, strict=True)
                for answer in one.answers.values()
            ],
        }

    async def _reaching(self) -> list[tuple[int, Load]]:
        """Return the loads, one for each pool, whose requests a server answers now."""
        found: dict[str, tuple[int, Load]] = {}
        for number in self._reload.before:
            load = self._play.loads[number]
            if load.name not in found and len(found) < _POOLS and (await first_answer(load)).stub in load.expect:
                found[load.name] = (number, load)
        return list(found.values())

    def _write(self) -> None:
        for path in self._reload.gone:
            with contextlib.suppress(OSError):
                os.unlink(path)
        for path, text in self._reload.files.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
                stream.write(text)

    async def _over(self, old: set[int]) -> float | None:
        """Wait until other processes have taken over from the old ones; None where none does."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            workers = self._proxy.workers()
            if workers and not workers & old:
                return time.monotonic()
            await asyncio.sleep(_STEP)
        return None

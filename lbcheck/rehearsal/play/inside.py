"""The play itself: the first process of its own namespaces. It reads a script and prints what happened.

Every event is one line of JSON on standard output: {"event": NAME, …}. When this process ends, the kernel ends every
other one in its process namespace, workers that outlive their master among them.
"""

from __future__ import annotations

import asyncio
import codecs
import concurrent.futures.thread  # noqa: F401 - asyncio imports it on first use, when it cannot be found
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.isolation import mounts, namespaces, network
from lbcheck.rehearsal.isolation.machines import Machines, apart
from lbcheck.rehearsal.play import script
from lbcheck.rehearsal.play.load import Client, asks, played, played_together
from lbcheck.rehearsal.play.outage import Outage
from lbcheck.rehearsal.play.proxy import OUTPUT_LIMIT, Proxy, environment, last_words
from lbcheck.rehearsal.play.stubs import Stubs
from lbcheck.rehearsal.play.turnover import Turnover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.play.load import Answer
    from lbcheck.rehearsal.play.script import Load, Script

#: How long a proxy's own check may take.
_CHECK = 60.0
#: How long servers may be down at first, in seconds; how often a load is played at most while some go down.
_UP, _TRIES = 3.0, 3
#: So much of what the proxy has said last is told.
_TOLD = 20_000
#: How soon somebody answers who will, in seconds.
_SOON = 1.0
#: How often the counts so far are told, in seconds.
_PROGRESS = 0.1

#: Python reads these on first use, from folders that the sandbox does not show.
_ENCODINGS = ("ascii", "idna", "latin-1", "utf-8")


def main() -> None:
    """Play the script on standard input, and die with the process whose number is the argument."""
    namespaces.die_with_parent()
    if os.getppid() != int(sys.argv[1]):  # gone before the signal was asked for
        sys.exit(1)
    read_encodings()
    play = script.loads(sys.stdin.readline())
    try:
        changes = namespaces.enter()
        tree = mounts.Tree(play.keep, somebody_else=changes, programs=play.programs)
        namespaces.settle()
        network.bring_up()
        machines = _machines(play)
        files = {path: text.encode("utf-8", "surrogateescape") for path, text in play.files.items()}
        tree.enter(files, play.folders)
        namespaces.give_up()
    except OSError as error:
        sys.exit(str(error))
    _say("stands")
    perform(play, machines)


def read_encodings() -> None:
    """Read what Python would read later, from folders that are out of sight then."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)


def perform(play: Script, machines: Machines | None) -> None:
    """Let the proxy check its config, and play what is to be played; each event is a line of standard output."""
    if (not play.check or _accepts(play)) and not play.only_check:
        asyncio.run(_rehearse(play, machines))


def _machines(play: Script) -> Machines | None:
    """Return the servers' side of the network; None where the kernel has no pairs of interfaces."""
    hosts = apart([stub.host for stub in play.stubs], [host for host, port in play.ready if port])
    try:
        return Machines(hosts) if hosts and not play.only_check else None
    except OSError:
        return None


def _accepts(play: Script) -> bool:
    """Let the proxy check its config, and tell what it says."""
    try:
        done = subprocess.run(
            play.check,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK,
            check=False,
            env=environment(play),
            preexec_fn=last_words(play),
        )
    except subprocess.TimeoutExpired:
        _say("unusable", reason=f"its own check of the config did not end within {_CHECK:.0f} s")
        return False
    output = (done.stdout + done.stderr)[-OUTPUT_LIMIT:].decode("utf-8", "backslashreplace")
    _say("checked", status=done.returncode, output=output)
    return done.returncode == 0


def _say(event: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


async def _rehearse(play: Script, machines: Machines | None) -> None:
    stubs = Stubs(play.stubs, play.certificate, machines)
    try:
        await stubs.start()
    except OSError as error:
        _say("unusable", reason=f"a stub cannot listen: {error}")
        return
    outage = None if play.loss is None else Outage(play, play.loss, stubs)
    proxy = Proxy(play)
    try:
        if not await proxy.listens(play.ready):
            _say("unusable", reason="the proxy does not listen", output=proxy.output())
            return
        await _routed(play)
        if outage is not None:
            _say("loss", **await outage.play(proxy))
        elif play.reload is not None:
            reload = play.reload
            _say("reload", **await Turnover(play, reload, proxy).play())
            if await proxy.listens(reload.ready):
                await _loads([(number, play.loads[number]) for number in reload.after], proxy)
        else:
            await _loads(list(enumerate(play.loads)), proxy)
        _say("done", output=proxy.output()[-_TOLD:])
    finally:
        proxy.end()


async def _routed(play: Script) -> None:
    """Wait, as long as it may take, until a request gets through to a stub: then the proxy knows its routes."""
    until = time.monotonic() + play.settle
    while time.monotonic() < until:
        for load in play.loads:
            if await _gets_through(load):
                return
        await asyncio.sleep(0.05)


async def _gets_through(load: Load) -> bool:
    """Say whether a stub answers a load's first request soon; a proxy without routes may not answer at all."""
    client = Client(load)
    try:
        answer = await asyncio.wait_for(client.ask(next(asks(load))), _SOON)
    except TimeoutError:
        return False
    finally:
        client.close()
    return answer.stub in load.expect


async def _loads(loads: Sequence[tuple[int, Load]], proxy: Proxy) -> None:
    """Play the loads; once one has reached its pool, further ones of its name are left out."""
    reached: set[str] = set()
    await _all_up(proxy)
    for number, load in loads:
        if load.name not in reached and await _played(number, load, proxy):
            reached.add(load.name)


async def _played(number: int, load: Load, proxy: Proxy) -> bool:
    """Play one load, and tell its answers; say whether it has reached its pool.

    On a busy machine a check may fail for no reason of the config's. Then it is played again.
    """
    for _ in range(_TRIES):
        down, downs = proxy.down(), len(proxy.ever_down())
        answers, reached = await played(load, _Progress(number, load))
        together = await played_together(load) if reached and load.together else []
        fresh = proxy.ever_down()[downs:]
        if not fresh:
            break
        await _all_up(proxy)
    _say(
        "load",
        number=number,
        reached=reached,
        down=sorted(down.union(fresh)),
        unsettled=downs > 0,
        **_told(answers),
    )
    if together:
        _say("together", number=number, **_told(together))
    return reached


async def _all_up(proxy: Proxy) -> None:
    """Wait for a while until the proxy takes no server for down."""
    until = time.monotonic() + _UP
    while proxy.down() and time.monotonic() < until:  # noqa: ASYNC110 - its output is a file
        await asyncio.sleep(0.05)


def _told(answers: Sequence[Answer]) -> dict[str, list[int]]:
    return {"stubs": [answer.stub for answer in answers], "statuses": [answer.status for answer in answers]}


class _Progress:
    """Tells now and then who has answered how often so far."""

    def __init__(self, number: int, load: Load) -> None:
        self._number = number
        self._counts = dict.fromkeys(load.expect, 0)
        self._told = time.monotonic()

    def __call__(self, answer: Answer) -> None:
        if answer.stub in self._counts:
            self._counts[answer.stub] += 1
        if time.monotonic() > self._told + _PROGRESS:
            self._told = time.monotonic()
            _say("progress", number=self._number, counts=list(self._counts.items()))


if __name__ == "__main__":
    main()

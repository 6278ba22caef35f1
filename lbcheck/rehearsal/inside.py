"""The play itself: the first process of its own namespaces. It reads a script and prints what happened.

Every event is one line of JSON on standard output: {"event": NAME, …}. When this process ends, the kernel ends every
other one in its process namespace, workers that outlive their master among them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal import mounts, network, script
from lbcheck.rehearsal.load import Client
from lbcheck.rehearsal.stubs import Stubs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.rehearsal.load import Answer
    from lbcheck.rehearsal.script import Loss, Script

#: How long a proxy may take until it listens, and how long its own check may take.
_START, _CHECK = 20.0, 60.0
_LOG = "/tmp/lbcheck-proxy.log"  # noqa: S108 - in a tree of our own
_OUTPUT_LIMIT = 200_000
#: How /proc/net/tcp calls the state TCP_LISTEN (include/net/tcp_states.h).
_LISTEN = "0A"
_ANY_4, _ANY_6 = ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::")  # noqa: S104 - to compare with


def main() -> None:
    """Play the script on standard input."""
    play = script.loads(sys.stdin.readline())
    try:
        network.bring_up()
        files = {path: text.encode("utf-8", "surrogateescape") for path, text in play.files.items()}
        mounts.enter(play.folder, files, play.folders, play.keep)
    except OSError as error:
        _say("unusable", reason=str(error))
        return
    if (not play.check or _accepts(play)) and not play.only_check:
        asyncio.run(_Rehearsal(play).run())


def _accepts(play: Script) -> bool:
    """Let the proxy check its config, and tell what it says."""
    try:
        done = subprocess.run(
            play.check,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK,
            check=False,
            env=_environment(play),
        )
    except subprocess.TimeoutExpired:
        _say("unusable", reason=f"its own check of the config did not end within {_CHECK:.0f} s")
        return False
    output = (done.stdout + done.stderr)[-_OUTPUT_LIMIT:].decode("utf-8", "backslashreplace")
    _say("checked", status=done.returncode, output=output)
    return done.returncode == 0


def _environment(play: Script) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TZ"}}
    return {**dict(play.environment), **ours}


def _say(event: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


class _Rehearsal:
    def __init__(self, play: Script) -> None:
        self._play = play
        self._stubs = Stubs(play.stubs, play.certificate)

    async def run(self) -> None:
        try:
            await self._stubs.start()
        except OSError as error:
            _say("unusable", reason=f"a stub cannot listen: {error}")
            return
        process = _start(self._play)
        try:
            if not await self._listens(process):
                _say("unusable", reason="the proxy does not listen", output=_said())
                return
            await self._loads()
            for number, loss in enumerate(self._play.losses):
                await self._lose(number, loss)
            _say("done")
        finally:
            process.terminate()

    async def _listens(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the proxy listens everywhere, without a connection that would count as a request."""
        until = time.monotonic() + _START
        while time.monotonic() < until and process.poll() is None:
            if _listens(self._play.ready):
                _say("listens")
                return True
            await asyncio.sleep(0.01)
        return False

    async def _loads(self) -> None:
        reached: set[str] = set()
        for number, load in enumerate(self._play.loads):
            if load.name in reached:
                continue
            answers = await Client(load).play(time.monotonic() + load.seconds)
            _say("load", number=number, stubs=[answer.stub for answer in answers],
                 statuses=[answer.status for answer in answers])  # fmt: skip
            if answers and answers[0].stub in load.expect:
                reached.add(load.name)

    async def _lose(self, number: int, loss: Loss) -> None:
        client = Client(self._play.loads[loss.load])
        started = time.monotonic()
        for stub in loss.stubs:
            await self._stubs.lose(stub, loss.kind)
        during = await _for(client, loss.outage)
        back = time.monotonic()
        for stub in loss.stubs:
            await self._stubs.restore(stub)
        after = await _for(client, loss.recovery)
        _say("loss", number=number, during=_timed(during, started), after=_timed(after, back))


def _start(play: Script) -> subprocess.Popen[bytes]:
    with open(_LOG, "wb") as log:
        return subprocess.Popen(play.run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(play))


def _said() -> str:
    """Return what the proxy has written to its output."""
    with open(_LOG, "rb") as log:
        return log.read(_OUTPUT_LIMIT).decode("utf-8", "backslashreplace")


async def _for(client: Client, seconds: float) -> list[Answer]:
    """Repeat the client's load for so long."""
    answers: list[Answer] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = await client.play(until)
        answers += found
        if not found:
            break
    return answers


def _timed(answers: list[Answer], start: float) -> list[tuple[int, int, float, float]]:
    return [(one.stub, one.status, round(one.at - start, 4), round(one.took, 4)) for one in answers]


def _listens(places: Iterable[tuple[str, int]]) -> bool:
    """Say whether somebody listens at each of these addresses, or at their port of every address."""
    listening = _listening()
    return all(
        listening & {(ipaddress.ip_address(host), port), (_ANY_4, port), (_ANY_6, port)} for host, port in places
    )


def _listening() -> set[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    """Return where somebody listens for TCP in this network namespace (proc(5), /proc/net/tcp)."""
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as stream:
                lines = stream.read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN:
                address, _, port = fields[1].partition(":")
                words = bytes.fromhex(address)  # 32-bit words in this machine's order
                host = b"".join(struct.pack("!I", word) for (word,) in struct.iter_unpack("=I", words))
                found.add((ipaddress.ip_address(host), int(port, 16)))
    return found


if __name__ == "__main__":
    main()

"""The proxy under rehearsal: started, listened to, reloaded, ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from lbcheck.rehearsal.isolation import namespaces
from lbcheck.rehearsal.play import witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.rehearsal.play.script import Script

#: How long a proxy may take until it listens; how long one that ends at once has ended after.
_START, _LASTS = 20.0, 0.3
_LOG = "/tmp/lbcheck-proxy.log"  # noqa: S108 - in a tree of our own
OUTPUT_LIMIT = 200_000
#: How /proc/net/tcp calls the state TCP_LISTEN (include/net/tcp_states.h).
_LISTEN = "0A"
#: How /proc/net/unix says so: __SO_ACCEPTCON (include/linux/net.h).
_ACCEPTS = 0x10000
_ANY_4, _ANY_6 = ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::")  # noqa: S104 - to compare with


class Proxy:
    """A started proxy."""

    def __init__(self, play: Script) -> None:
        self._path = f"{play.home}/run/proxy.log" if play.home else _LOG
        with open(self._path, "wb") as log:
            self._process = subprocess.Popen(
                play.run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(play),
                preexec_fn=last_words(play),  # noqa: PLW1509 - one call of prctl
            )  # fmt: skip
        self._witness = witness.of(play.tells, self._path)

    async def listens(self, ready: Iterable[tuple[str, int]]) -> bool:
        """Wait until the proxy listens at all of these places, without a connection that would count as a request.

        Where there are none, it has to last for a while.
        """
        places = list(ready)
        started = time.monotonic()
        while time.monotonic() < started + _START and self._process.poll() is None:
            if listens(places) if places else time.monotonic() > started + _LASTS:
                return True
            await asyncio.sleep(0.01)
        return False

    def output(self) -> str:
        """Return all that the proxy has written, up to a limit."""
        with open(self._path, "rb") as log:
            return log.read(OUTPUT_LIMIT).decode("utf-8", "backslashreplace")

    def down(self) -> set[str]:
        """Return the servers that it takes for down, as it calls them; none where it does not say."""
        return self._witness.down()

    def ever_down(self) -> list[str]:
        """Return the servers that it has taken for down so far, in order, each as often as it said so."""
        return self._witness.ever_down()

    def signal(self, number: int) -> None:
        """Send a signal to the first process of the proxy."""
        self._process.send_signal(number)

    def workers(self) -> set[int]:
        """Return the process ids of the proxy's children (proc(5), /proc/PID/stat); zombies have ended."""
        found = set()
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stream:
                state, parent, *_ = stream.read().rpartition(")")[2].split()
                if int(parent) == self._process.pid and state != "Z":
                    found.add(int(name))
        return found

    def end(self) -> None:
        """Let the proxy end."""
        self._witness.close()
        self._process.terminate()


def last_words(play: Script) -> Callable[[], None] | None:
    """Return what a process does before it becomes the proxy: where no namespace ends it, it dies with its maker."""
    return namespaces.die_with_parent if play.home and sys.platform == "linux" else None


def environment(play: Script) -> dict[str, str]:
    """Return the environment of the proxy: a few variables of ours over those that the script has for it."""
    ours = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TZ"}}
    return {**dict(play.environment), **ours}


def listens(places: Iterable[tuple[str, int]]) -> bool:
    """Say whether somebody listens at each of these addresses, or at their port of every address."""
    if not os.path.exists("/proc/net/tcp"):
        return all(taken(host, port) for host, port in places)
    listening, paths = _listening(), _listening_paths()
    return all(
        listening & {(ipaddress.ip_address(host), port), (_ANY_4, port), (_ANY_6, port)}
        if port
        else _bound(host, paths)
        for host, port in places
    )


def taken(host: str, port: int) -> bool:
    """Say whether an IPv4 address and port are somebody's: bind(2) says so without a connection, on any system."""
    with socket.socket() as one:
        try:
            one.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _bound(path: str, listening: Iterable[str]) -> bool:
    """Say whether somebody listens at a path; HAProxy makes the socket beside it, and moves it there."""
    return os.path.exists(path) and any(one == path or one.startswith(f"{path}.") for one in listening)


def _listening_paths() -> set[str]:
    """Return the unix sockets at which somebody listens (proc(5), /proc/net/unix)."""
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as stream:
        lines = [line.split(maxsplit=7) for line in stream.read().splitlines()[1:]]
    return {fields[7] for fields in lines if len(fields) > 7 and int(fields[3], 16) & _ACCEPTS}


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

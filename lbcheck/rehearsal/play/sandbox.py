"""A sandbox of namespaces: private users, network, mounts and processes, gone with the process that made it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.play import script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lbcheck.rehearsal.play.script import Script

    Event = dict[str, Any]


class UnusableError(Exception):
    """This machine has no namespaces for us; the text says what is missing, and what to change.

    It is never a config's doing: what breaks once a sandbox stands, or only with this config in it, is an event
    "crashed". Otherwise a config could choose to be run without namespaces.
    """


def play(what: Script) -> Iterator[Event]:
    """Play a script in a sandbox of its own and yield its events as they come. Raises UnusableError."""
    with opened(what) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe
        stood = False
        for line in process.stdout:
            event = json.loads(line)
            stood = stood or event["event"] == "stands"
            yield event
        yield from _broken(process, stood=stood)


def together(scripts: Sequence[Script], most: int, watch: Callable[[int, Event], None]) -> list[list[Event]]:
    """Play scripts in sandboxes of their own, `most` at a time, and return the events of each.

    `watch` sees each event as it comes, with its script's place. Raises UnusableError.
    """
    found: list[list[Event]] = [[] for _ in scripts]
    waiting = list(enumerate(scripts))
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < most:
                at, script = waiting.pop(0)
                alone = stack.enter_context(ExitStack())
                process = alone.enter_context(opened(script))
                assert process.stdout is not None  # noqa: S101 - a pipe
                selector.register(process.stdout, selectors.EVENT_READ, _Reading(at, process, alone))
            for key, _ in selector.select():
                _read(key, found, watch, selector)
    return found


class _Reading:
    """A sandbox whose events are read bit by bit."""

    def __init__(self, at: int, process: subprocess.Popen[bytes], alone: ExitStack) -> None:
        self.at = at
        self.process = process
        self.alone = alone
        self.rest = b""


def _read(
    key: selectors.SelectorKey,
    found: list[list[Event]],
    watch: Callable[[int, Event], None],
    selector: selectors.BaseSelector,
) -> None:
    reading: _Reading = key.data
    data = os.read(key.fd, 1 << 20)
    *lines, reading.rest = (reading.rest + data).split(b"\n")
    for line in lines:
        event = json.loads(line)
        found[reading.at].append(event)
        watch(reading.at, event)
    if not data:
        selector.unregister(key.fileobj)
        stood = any(event["event"] == "stands" for event in found[reading.at])
        found[reading.at] += _broken(reading.process, stood=stood)
        reading.alone.close()


def _broken(process: subprocess.Popen[bytes], *, stood: bool) -> list[Event]:
    """Return what there is to tell of how a sandbox ended. Raises UnusableError where none can be made here at all."""
    words = said(process)
    if stood and not process.returncode:
        return []
    if not stood and not _possible():
        raise UnusableError(words)
    return [{"event": "crashed", "reason": words}]


def _possible() -> bool:
    """Say whether a sandbox stands with nothing in it: no config has a say in that."""
    with opened(script.Script((), (), only_check=True)) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe
        return b"stands" in process.stdout.readline()


@contextmanager
def opened(what: Script) -> Iterator[subprocess.Popen[bytes]]:
    """Start a sandbox that plays a script: each line of its output is an event.

    The sandbox ends with the context, when this process ends, and when it is killed: its outer process dies with us
    (prctl(2) PR_SET_PDEATHSIG), its first process with that one, and with the first process of a process namespace
    all others. Nothing of it is on the disk. Raises UnusableError.

    It asks for that signal itself: with a preexec_fn here, Python runs callbacks after the fork that swallow a Ctrl-C.
    """
    if sys.platform != "linux":
        raise UnusableError("it is made of Linux's namespaces")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "lbcheck.rehearsal.play.inside", str(os.getpid())],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": python_path()},
    )  # fmt: skip
    try:
        assert process.stdin is not None  # noqa: S101 - a pipe
        try:
            process.stdin.write(script.dumps(what).encode() + b"\n")
            process.stdin.close()
        except BrokenPipeError:
            raise UnusableError(said(process)) from None
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def said(process: subprocess.Popen[bytes]) -> str:
    """Return the last thing that a sandbox which did not start has said."""
    process.wait()
    text = process.stderr.read().decode("utf-8", "backslashreplace") if process.stderr is not None else ""
    return next(reversed(text.strip().splitlines()), "the sandbox ended at once")


def python_path() -> str:
    """Return the PYTHONPATH with which a process of ours finds this package."""
    return os.pathsep.join(filter(None, [_package_parent(), os.environ.get("PYTHONPATH")]))


def _package_parent() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

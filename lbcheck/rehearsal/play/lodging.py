"""Where no namespaces are to be had: a private folder, and an ordinary process that plays a rewritten config in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lbcheck.rehearsal.play import script
from lbcheck.rehearsal.play.sandbox import UnusableError, python_path, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Script

#: How long it may take until everything is killed and removed, in seconds.
_PATIENCE = 20.0


class Lodging:
    """A folder, with `config` and `run` in it, and who plays there."""

    def __init__(self, process: subprocess.Popen[bytes], folder: str) -> None:
        self.folder = folder
        self._process = process

    def play(self, what: Script) -> Iterator[Event]:
        """Play a script, once, and yield its events as they come. Raises UnusableError."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101
        seen = False
        try:
            self._process.stdin.write(script.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise UnusableError(said(self._process)) from None
        for line in self._process.stdout:
            seen = True
            yield json.loads(line)
        if not seen:
            raise UnusableError(said(self._process))


@contextmanager
def opened() -> Iterator[Lodging]:
    """Open a lodging; all that runs in it ends, and the folder is removed, with the context or this process.

    Raises UnusableError.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "lbcheck.rehearsal.play.warden"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": python_path()},
    )  # fmt: skip
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe
        line = process.stdout.readline()
        if not line:
            raise UnusableError(said(process))
        yield Lodging(process, json.loads(line))
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)

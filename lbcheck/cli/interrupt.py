"""Ctrl-C that is always heard: while proxies run, it ends the process at once, and what it started ends with it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a terminal is told (ECMA-48, DEC private mode 25): show the cursor, which live bars hide.
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def heard() -> Iterator[None]:
    """End the process by SIGINT itself, as shells expect it, for as long as the context lasts.

    A KeyboardInterrupt is dropped where Python runs a callback that may not raise: while a module is imported, after
    a fork, in a destructor. A rehearsal would go on then. It needs no exception: a sandbox dies with its maker.
    """
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(*_: object) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(2, f"{_SHOW_CURSOR}\nAborted!\n".encode())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)

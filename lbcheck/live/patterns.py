"""Regular expressions of configs on answers of servers: neither is ours, so neither may take long."""

from __future__ import annotations

import re
import signal
import threading
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from lbcheck.live.failure import UnsureError

if TYPE_CHECKING:
    from types import FrameType

#: One search may take so many seconds. Patterns such as (a+)+$ would take years.
_SECONDS = 0.5


@lru_cache(1024)
def compiled(pattern: bytes, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """Return a pattern as Python understands it, which is as PCRE does for nearly all. Raises UnsureError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError):
        raise UnsureError("the check's regular expression is not understood here") from None


def found(pattern: bytes, text: bytes, *, ignore_case: bool = False) -> bool:
    """Say whether the pattern is in the text. Raises UnsureError where that cannot be told in time."""
    made = compiled(pattern, ignore_case=ignore_case)
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return made.search(text) is not None
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        return made.search(text) is not None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _too_long(number: int, frame: FrameType | None) -> NoReturn:
    """Break off a search: the matcher looks for signals from time to time."""
    del number, frame
    raise UnsureError("the check's regular expression takes too long")

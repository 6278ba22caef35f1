"""Numbers, times and sizes as haproxy reads them (`parse_time_err`, `parse_size_err` and C's `atol`)."""

from __future__ import annotations

import re
from functools import lru_cache

#: Longer numbers are no value that haproxy could hold; reading them as Python integers would cost.
MAX_DIGITS = 32
#: Seconds per unit, as exact fractions of integers: (multiply, divide).
_UNITS = {"us": (1, 1_000_000), "ms": (1, 1000), "s": (1, 1), "m": (60, 1), "h": (3600, 1), "d": (86400, 1)}
_TIME = re.compile(r"([0-9]+)(us|ms|s|m|h|d)?")
_SIZE = re.compile(r"([0-9]+)([kKmMgG]?)")
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_SHIFTS = {"": 0, "k": 10, "m": 20, "g": 30}
#: Timers are signed 32-bit milliseconds.
MAX_MILLISECONDS = 2**31 - 1
#: What deploy tools fill in later: `__PORT__`, `@PORT@`, `<port>`, `%%PORT%%`, `$PORT`, `#{port}`.
_PLACEHOLDER = re.compile(r"__\w+__|@[A-Za-z_]\w*@|<[\w. -]+>|%%\w+%%|\$|#\{|\{\{|\{%|\[\[")


def placeholder(text: str) -> bool:
    """Say whether a deploy tool is likely to put something else in place of this text before haproxy sees it."""
    return _PLACEHOLDER.search(text) is not None


@lru_cache(1024)  # a few texts stand on all servers of a file
def seconds(text: str, unit: str = "ms") -> float | None:
    """Return a time in seconds, a bare number being in `unit`; None where haproxy does not take it.

    A tail behind the unit (`5secs`) is cut off as haproxy 2.6 does with a warning.
    """
    match = _TIME.match(text) if len(text) <= MAX_DIGITS else None
    if match is None:
        return None
    multiply, divide = _UNITS[match[2] or unit]
    return int(match[1]) * multiply / divide


def time_parts(text: str) -> tuple[str, str, str] | None:
    """Return (digits, unit, tail) of a time; None where it does not begin with a digit."""
    match = _TIME.match(text)
    return None if match is None else (match[1], match[2] or "", text[match.end() :])


def size(text: str) -> int | None:
    """Return a size in bytes (`k`, `m` and `g` are powers of 1024); None where haproxy does not take it."""
    match = _SIZE.fullmatch(text)
    return None if match is None else int(match[1]) << _SHIFTS[match[2].lower()]


def number(text: str) -> int:
    """Return what C's `atol` makes of a text: the integer at its beginning, 0 where there is none."""
    return _number(text[:MAX_DIGITS])


@lru_cache(1024)
def _number(text: str) -> int:
    match = _NUMBER.match(text)
    return int(match[1]) if match else 0

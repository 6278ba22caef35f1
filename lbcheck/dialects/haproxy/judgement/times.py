"""Judging a time, and what a judgement of one line yields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.values import MAX_MILLISECONDS, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.tree import Line

#: (code, index of the first word to mark, of the last, problem, advice).
Found = tuple[str, int, int, str, str]

#: A number, a unit, and behind a unit of one letter a tail that 2.6 takes with a warning.
_TIME = re.compile(r"[0-9]+(?:$|us|ms|[smhd])")


def time_problem(text: str, unit: str = "ms") -> str | None:
    """Return what is wrong with a time, a bare number being in `unit` (`parse_time_err`); None where nothing is."""
    length = seconds(text, unit)
    if length is None or not _TIME.match(text):
        return f"'{text}' is no time"
    if length > MAX_MILLISECONDS / (1 if unit == "s" else 1000):
        return f"'{text}' is more than the 24.8 days that a timer holds" if unit == "ms" else f"'{text}' is too long"
    return None


def check_time(line: Line, index: int, keyword: str, unit: str = "ms") -> Iterator[Found]:
    """Yield what is refused about the time at a word."""
    if problem := time_problem(line.word(index), unit):
        yield "E09", index, index, problem, f"write '{keyword}' with a number and a unit: us, ms, s, m, h or d"

"""What haproxy refuses in the addresses that settings name: `source`, `dispatch`, `log` (src/tools.c, src/log.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.servers import port_problem
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.judgement.times import Found
    from lbcheck.dialects.haproxy.tree import Line

#: Syslog facilities (`log_facilities`).
_FACILITIES = words(
    """
    kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2
    local0 local1 local2 local3 local4 local5 local6 local7
    """
)
#: Words between the address and the facility that have a value.
_LOG_OPTIONS = frozenset({"len", "format", "sample", "profile"})


def dispatch(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `dispatch` line."""
    if problem := port_problem(line.word(1), needed=True):
        yield "E09", min(1, len(line.words) - 1), 1, problem, "write 'dispatch ADDRESS:PORT'"


def source(line: Line) -> Iterator[Found]:
    """Yield what is refused in a proxy's `source` line."""
    if not line.word(1):
        yield "E08", 0, 0, "'source' needs an address", "write 'source ADDRESS'"
    elif problem := port_problem(line.word(1)):
        yield "E09", 1, 1, problem, "write 'source ADDRESS' or 'source ADDRESS:PORT'"


def log(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `log` line."""
    target = line.word(1)
    if target == "global":
        return
    if not line.word(2):
        yield "E08", 0, len(line.words) - 1, "'log' needs an address and a facility", "write 'log ADDRESS local0'"
        return
    if "@" not in target and "/" not in target and (problem := port_problem(target)):
        yield "E09", 1, 1, problem, "write 'log ADDRESS:PORT FACILITY'"
    index = 2
    while line.word(index) in _LOG_OPTIONS:
        index += 2
    facility = line.word(index)
    if not facility:
        yield "E08", 0, len(line.words) - 1, "'log' needs a facility", "write 'local0', or another one, behind it"
    elif facility not in _FACILITIES:
        yield "E09", index, index, f"there is no log facility '{facility}'", "write one such as daemon or local0"

"""Times that were written without their unit and mean something else than they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, WARNING, Edit, Fix, Hit
from lbcheck.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Duration

HOUR = 3600.0
DAY = 86400.0
#: Below this a bare number of milliseconds is a forgotten `s`: no probe or connect is given less than 100 ms.
SHORT_MS = 0.1

#: Traefik's times, in its own words: a bare number is seconds.
_OF_TRAEFIK = frozenset(
    {
        "interval",
        "unhealthyInterval",
        "timeout",
        "failureWindow",
        "dialTimeout",
        "responseHeaderTimeout",
        "readtimeout",
        "writetimeout",
        "idletimeout",
    }
)
_PROBE_WORDS = frozenset({"inter", "fastinter", "downinter", "slowstart", "agent-inter"})
#: TLS sessions are kept for hours as a rule, and their times are written in bare seconds everywhere.
_LONG_BY_NATURE = frozenset({"ssl_session_timeout"})


def time_unit_suspicious(config: Config, _context: Context) -> Iterator[Hit]:
    """T12: a bare number whose default unit makes the time absurdly short or long. A written unit never fires."""
    for time in config.durations:
        if time.unit or time.seconds <= 0:
            continue
        verdict = _milliseconds(time) if time.default_unit == "ms" else _seconds(time)
        if verdict is not None:
            yield _hit(time, *verdict)


def too_short(time: Duration) -> bool:
    """Say whether a bare number of milliseconds stands where seconds were meant (`inter 10`)."""
    return not time.unit and time.default_unit == "ms" and 0 < time.seconds < SHORT_MS and _takes_ms(time)


def _takes_ms(time: Duration) -> bool:
    return time.keyword in _PROBE_WORDS or time.keyword.startswith("timeout")


def _milliseconds(time: Duration) -> tuple[str, str] | None:
    """Judge a bare number in a dialect that counts milliseconds: (severity, what was probably meant)."""
    if not _takes_ms(time):
        return None
    if time.seconds < SHORT_MS:
        return WARNING, f"{time.text}s"
    if time.seconds < DAY:
        return None
    if time.seconds % DAY == 0:
        # 86400000 is a day to the digit: somebody counted. Only the reader is in the dark.
        return INFO, f"{time.seconds / DAY:.0f}d"
    return WARNING, f"{time.seconds:.0f}s"


def _seconds(time: Duration) -> tuple[str, str] | None:
    """Judge a bare number in a dialect that counts seconds: milliseconds in disguise, or very long."""
    keyword = time.keyword
    if keyword in _OF_TRAEFIK and time.seconds >= 1000 and time.seconds % 1000 == 0:
        return WARNING, f"{time.seconds / 1000:.0f}s"
    if keyword in _LONG_BY_NATURE or not keyword.endswith("_timeout") or time.seconds <= HOUR:
        return None
    if time.seconds % 1000 == 0 and not _counted_in_seconds(time.seconds):
        return WARNING, f"{time.seconds / 1000:.0f}s"
    if not (keyword == "fail_timeout" or keyword.startswith(("proxy_", "grpc_", "fastcgi_", "uwsgi_", "scgi_"))):
        return None
    if time.seconds % HOUR == 0:
        # 86400 is how every WebSocket guide writes a day.
        return INFO, f"{time.seconds / HOUR:.0f}h"
    return WARNING, f"{time.seconds:.0f}s"


def _counted_in_seconds(seconds: float) -> bool:
    """Say whether somebody summed up hours: 18000 and 36000, or days that are no round number of milliseconds."""
    return seconds % HOUR == 0 and (seconds <= 12 * HOUR or (seconds % DAY == 0 and seconds / 1000 % 60 != 0))


def _hit(time: Duration, severity: str, meant: str) -> Hit:
    args = {"keyword": time.keyword, "text": time.text, "time": duration(time.seconds), "meant": meant, "other": ""}
    if time.default_unit == "s" and time.seconds % 1000 == 0:
        args["other"] = f", or {time.text}s if seconds are meant"
    return Hit("T12", time.span, args, severity=severity, fix=_fix(time, meant))


def _fix(time: Duration, meant: str) -> Fix | None:
    """Put the unit to the number; the span may begin with the keyword (`fail_timeout=4000`)."""
    span = time.span
    if not span.text.endswith(time.text):
        return None
    number = span.source.span(span.end - len(time.text), span.end)
    return Fix(f"write {meant}", [Edit(number, meant)])

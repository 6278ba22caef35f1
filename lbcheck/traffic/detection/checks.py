"""What health checks of any dialect have in common: whether they see a failure, and when enough have failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, never
from lbcheck.traffic.scenario import ERRORS, HANGS
from lbcheck.wording import duration

if TYPE_CHECKING:
    from lbcheck.model import HealthCheck, Server

#: Words of HAProxy's `http-check expect` that stand before the condition, each with a value.
_BEFORE = frozenset({"min-recv", "comment", "ok-status", "error-status", "tout-status", "on-success", "on-error"})
_STATUSES = re.compile(r"\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*\Z", re.ASCII)
_CLASSES = re.compile(r"[1-5]xx(?:,[1-5]xx)*\Z", re.ASCII | re.IGNORECASE)


def elsewhere(server: Server, check: HealthCheck, kind: str) -> str | None:
    """Return where a check goes that does not ask what the requests ask, None where it asks that.

    A machine that is off does not answer at another port either.
    """
    address = check.address or check.options.get("connect-addr")
    if address is not None and str(address.value) != server.address.host:
        return str(address.value)
    port = check.port or check.options.get("connect-port")
    if port is None or str(port.value) == str(server.address.port) or kind == HANGS:
        return None
    return f"port {port.value}"


def unseen(server: Server, check: HealthCheck, kind: str, observed: str = "") -> Notice | None:
    """Return the notice of a check that does not see the loss, or of which that is not known; None where it does.

    `observed` is what else takes a server out that answers errors to requests and passes its check.
    """
    where = elsewhere(server, check, kind)
    if where is not None:
        return Notice(None, f"its check asks {where}, which may answer all the same")
    if kind != ERRORS:
        return None
    fails = fails_on_500(check)
    if fails is None:
        return Notice(None, "whether its check fails too is not known")
    return None if fails else never(f"its check only connects and goes on to pass{observed}")


def fails_on_500(check: HealthCheck) -> bool | None:
    """Say whether an answer 500 fails the check; None where it is not known."""
    if check.kind == "http":
        if "no-request" in check.options:
            return None
        return True if check.expect is None else fails_on(500, check.expect.value)
    if check.kind == "tcp":
        return None if check.expect is not None or "send" in check.options else False
    return False if check.kind == "tls" else None


def fails_on(status: int, text: str) -> bool | None:
    """Say whether a status is not what is expected: `status 200-399`, `! status 500`, `rstatus ^2`, `2xx`, `200`.

    None where that is not known.
    """
    words = text.split()
    while len(words) > 2 and words[0] in _BEFORE:
        del words[:2]
    negated = words[:1] == ["!"]
    del words[: int(negated)]
    if len(words) == 1:
        words.insert(0, "status")
    if len(words) != 2:
        return None
    matches = _matches(status, *words)
    return None if matches is None else matches == negated


def _matches(status: int, how: str, pattern: str) -> bool | None:
    if how == "rstatus":
        try:
            return len(pattern) < 100 and re.search(pattern, str(status)) is not None
        except (re.error, OverflowError, RecursionError):
            return None
    if how != "status":
        return None
    if _CLASSES.match(pattern):
        return str(status)[0] in pattern
    if not _STATUSES.match(pattern):
        return None
    ranges = [part.partition("-") for part in pattern.split(",")]
    return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


def after_checks(check: HealthCheck, timeout: float, spread: float = 0.0) -> Notice:
    """Return when enough checks have failed in a row, if the server was lost right after a good one.

    Each takes `timeout` seconds to fail. The next one comes an interval after the end of the one before, a fast one
    once one has failed; `spread` is by how much of itself an interval may be longer.
    """
    interval, fall = check.interval, check.fall
    if interval is None or fall is None:
        return Notice(None, "how often it is checked is not known")
    count = max(fall.value, 1)
    fast = interval.value if check.fast_interval is None else check.fast_interval.value
    seconds = (interval.value + (count - 1) * fast) * (1 + spread) + count * timeout
    apart = f", {duration(interval.value)} apart"
    if count < 2:
        apart = f", one every {duration(interval.value)}"
    elif fast != interval.value:
        apart = f", the first within {duration(interval.value)}, then {duration(fast)} apart"
    if timeout:
        apart += f", each after {duration(timeout)}"
    return Notice(round(seconds, 6), f"down after {count} failed check{'' if count == 1 else 's'}{apart}")

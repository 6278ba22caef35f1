"""The native format: what its `health_check`, `passive_check` and `retry` say, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, Rescue, failing, never, unknown
from lbcheck.traffic.detection.checks import after_checks, unseen
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool, Retry, Route, Server

#: Words of `retry.when` that speak of each kind of loss.
_WORDS = {
    REFUSES: {"error", "connect-failure", "conn-failure", "refused"},
    HANGS: {"timeout", "error", "connect-failure", "conn-failure"},
    ERRORS: {"http_500", "500", "5xx", "http_5xx"},
}

_UNCHECKED = "it has no health check, so it stays in"


def notice(server: Server, kind: str) -> Notice:
    """Return when a server's checks, or its failed requests, take it out."""
    checked = server.check is not None and server.checked is not None and server.checked.value
    active = _by_check(server, kind) if checked else None
    if active is not None and active.seconds is not None:
        return active
    if server.passive and kind != ERRORS:
        fails, time = server.max_fails, server.fail_timeout
        if fails is None or time is None:
            return Notice(None, "after how many failures it is taken out is not known")
        return Notice(time.value, f"out after {counted(fails.value, 'failed request')} within {duration(time.value)}")
    if server.passive:
        return Notice(None, "whether errors count as failures is not known")
    return active or never(_UNCHECKED)


def _by_check(server: Server, kind: str) -> Notice:
    check = server.check
    if check is None:
        return never(_UNCHECKED)
    found = unseen(server, check, kind)
    if found is not None:
        return found
    if kind == HANGS and check.timeout is None:
        return Notice(None, "how long a check waits is not known")
    return after_checks(check, check.timeout.value if kind == HANGS and check.timeout is not None else 0.0)


def rescue(pool: Pool, kind: str, routes: Sequence[Route]) -> Rescue:
    """Return what becomes of requests by the pool's `retry`, or that of the routes that lead to it; the worst."""
    said = [route.retry for route in routes if route.retry is not None]
    found = [_by_retry(pool, kind, retry) for retry in said] or [_by_retry(pool, kind, pool.retry)]
    unsure = next((one for one in found if one.others is None), None)
    return unsure or min(found, key=lambda one: one.others or 0)


def _by_retry(pool: Pool, kind: str, retry: Retry | None) -> Rescue:
    if retry is None or retry.attempts is None:
        return unknown("`retry` does not say how often they are tried again")
    tries = retry.attempts.value
    words = retry.conditions.value if retry.conditions is not None else None
    reasons = (
        (sum(one.count for one in pool.servers if one.enabled and one.weight.value) < 2, "there is no other server"),
        (tries == 0, "`retry` allows no second try"),
        (retry.redispatch is not None and not retry.redispatch.value, "`retry` tries no other server"),
        (words is not None and not words & _WORDS[kind], f"`retry` is for {', '.join(sorted(words or ()))}"),
    )
    why = next((why for so, why in reasons if so), None)
    if why is not None:
        return failing(why)
    if words is None and kind == ERRORS:
        return unknown("`retry` does not say whether errors are tried again")
    connect = pool.timeouts.get("connect")
    wait: float | None = 0.0
    if kind == HANGS:
        wait = None if connect is None else connect.value
    after = "" if not wait else f" after {duration(wait)}"
    return Rescue(tries, wait, wait, f"its requests go on to another server{after}", repeats=True)

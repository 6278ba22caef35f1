"""Traefik: its checks take servers out, a retry middleware decides about requests.

Read in pkg/healthcheck and pkg/middlewares/retry of 3.7.13, and seen on a running 3.6.12 (tests/traffic).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, Rescue, failing, never, unknown
from lbcheck.traffic.detection.checks import after_checks, unseen
from lbcheck.traffic.scenario import ERRORS, HANGS
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import HealthCheck, Pool, Retry, Route, Server


def notice(server: Server, kind: str) -> Notice:
    """Return when a failed probe, or failed requests (`passiveHealthCheck`), take a server out.

    One failed probe is enough. The first one comes an interval after the start, and the servers of a service are
    probed one after the other, so that others that hang can delay it further.
    """
    active = None if server.check is None else _by_check(server, server.check, kind)
    if active is not None and active.seconds is not None:
        return active
    fails, window = server.max_fails, server.fail_timeout
    if server.passive and fails is not None and window is not None:
        back = "" if server.check is not None else f", and back in after {duration(window.value)}"
        how = f"out after {counted(fails.value, 'failed request')} within {duration(window.value)}{back}"
        return Notice(window.value, how)
    if active is None and "container" in server.options:
        return Notice(None, "it has no health check; when Docker tells Traefik that a container is gone is not known")
    return active or never("it has no health check, so it stays in")


def _by_check(server: Server, check: HealthCheck, kind: str) -> Notice:
    found = unseen(server, check, kind)
    if found is not None:
        return found
    wait = check.timeout.value if kind == HANGS and check.timeout is not None else 0.0
    return after_checks(check, wait)


def rescue(pool: Pool, kind: str, routes: Sequence[Route]) -> Rescue:
    """Return whether a retry middleware brings a request to another server; of several routes, the worst."""
    if pool.protocol != "http":
        return failing("a connection is tried once")
    found = [_by_retry(pool, kind, route.retry) for route in routes] or [_by_retry(pool, kind, None)]
    unsure = next((one for one in found if one.others is None), None)
    return unsure or min(found, key=lambda one: one.others or 0)


def _by_retry(pool: Pool, kind: str, retry: Retry | None) -> Rescue:
    if retry is None or retry.attempts is None or retry.conditions is None:
        return failing("Traefik tries them once, without a retry middleware")
    words = retry.conditions.value
    taking = [server for server in pool.serving if server.weight.value]
    reasons = (
        (retry.attempts.value < 1, "the retry middleware allows a single attempt"),
        (sum(server.count for server in taking) < 2, "there is no other server"),
        (pool.algorithm.name == "hrw", "hrw leads them back to it"),
        (kind != ERRORS and "network" not in words, "the retry middleware is for answers alone"),
        (kind == ERRORS and not _covers_500(words), "the retry middleware passes errors on"),
    )
    why = next((why for so, why in reasons if so), None)
    if why is not None:
        return failing(why)
    if kind == ERRORS:
        return unknown("the retry middleware repeats GETs, and not POSTs")
    if pool.persistence is not None:
        return unknown("a client that has its cookie is led back to it, another one is not")
    if pool.algorithm.name != "wrr" or len({server.weight.value for server in taking}) > 1:
        return unknown("the next attempt may come back to it")
    connect = pool.timeouts.get("connect")
    wait = 0.0 if kind != HANGS else None if connect is None else connect.value
    after = f" after {duration(wait)}" if wait else ""
    how = f"its requests go on to another server{after}"
    return Rescue(retry.attempts.value, wait, wait, how, repeats=True)


def _covers_500(words: frozenset[str]) -> bool:
    """Say whether one of the status codes or ranges (`500`, `500-599`) holds 500."""
    for word in words:
        low, dash, high = word.partition("-")
        if low.isdecimal() and (not dash or high.isdecimal()) and int(low) <= 500 <= int(high or low):
            return True
    return False

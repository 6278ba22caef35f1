"""Envoy: health checks and outlier detection take hosts out, a route's retry policy decides about requests.

source/extensions/health_checkers/common/health_checker_base_impl.cc, source/common/upstream/outlier_detection_impl.cc,
source/common/router/retry_state_impl.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.traffic.detection import Notice, Rescue, failing, never, unknown
from lbcheck.traffic.detection.checks import after_checks, elsewhere, fails_on_500
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import HealthCheck, Pool, Route, Server

#: Words of `retry_on` that speak of each kind of loss.
_WORDS = {
    REFUSES: {"5xx", "gateway-error", "connect-failure", "reset", "reset-before-request"},
    HANGS: {"5xx", "gateway-error", "connect-failure", "reset", "reset-before-request"},
    ERRORS: {"5xx"},
}
#: Words whose statuses or headers stand elsewhere.
_OPEN_WORDS = frozenset({"retriable-status-codes", "retriable-headers"})


def notice(pool: Pool, server: Server, kind: str) -> Notice:
    """Return when the health check of a host, or its failed requests, take it out."""
    active = _by_check(server, kind)
    if active is not None and active.seconds is not None:
        return active
    passive = _by_outliers(pool, kind)
    if passive is not None and not (passive.never and active is not None):
        return passive
    return active or passive or never("it has no health check and no outlier detection, so it stays in")


def _by_check(server: Server, kind: str) -> Notice | None:
    check = server.check
    if check is None or server.checked is None or not server.checked.value:
        return None
    where = elsewhere(server, check, kind)
    if where is not None:
        return Notice(None, f"its check asks {where}, which may answer all the same")
    if kind == ERRORS:
        return _on_500(check)
    if kind == HANGS and check.timeout is None:
        return Notice(None, "how long a check waits is not known")
    spread, more = _jitter(check)
    found = after_checks(check, check.timeout.value if kind == HANGS and check.timeout is not None else 0.0, spread)
    if found.seconds is None or not more:
        return found
    return found._replace(seconds=round(found.seconds + more * max(check.fall.value if check.fall else 1, 1), 6))


def _jitter(check: HealthCheck) -> tuple[float, float]:
    """Return by how much of itself an interval may be longer, and by how many seconds."""
    percent = check.options.get("interval_jitter_percent")
    seconds = check.options.get("interval_jitter")
    return (
        0.0 if percent is None or percent.value is None else percent.value / 100,
        0.0 if seconds is None or seconds.value is None else seconds.value,
    )


def _on_500(check: HealthCheck) -> Notice:
    """A status that was not expected takes a host out at once, whatever the threshold (health_check.proto)."""
    fails = fails_on_500(check)
    if fails is None:
        return Notice(None, "whether its check fails too is not known")
    if not fails:
        return never("its check only connects and goes on to pass")
    if check.interval is None:
        return Notice(None, "how often it is checked is not known")
    spread, more = _jitter(check)
    seconds = round(check.interval.value * (1 + spread) + more, 6)
    return Notice(seconds, f"down at the first check that gets a 500, one every {duration(check.interval.value)}")


def _by_outliers(pool: Pool, kind: str) -> Notice | None:
    """Return what outlier detection makes of a host whose requests fail; None where it is off or looks elsewhere."""
    options = pool.options
    if "outlier_detection" not in options:
        return None
    split = bool(_value(options, "split_external_local_origin_errors"))
    name = "consecutive_local_origin_failure" if split and kind != ERRORS else "consecutive_5xx"
    failures, enforced = _value(options, name), _value(options, f"enforcing_{name}")
    if failures is None or not failures or not enforced:
        return Notice(None, "whether outlier detection takes it out is not known")
    if not may_eject(pool):
        hosts = counted(sum(server.count for server in pool.servers), "host")
        percent = _value(options, "max_ejection_percent")
        return never(f"outlier detection may eject no more than {percent} % of {hosts}, which is none")
    time = _value(options, "base_ejection_time")
    return Notice(None, f"ejected for {duration(float(time or 30.0))} after {failures} failed requests in a row")


def may_eject(pool: Pool) -> bool:
    """Say whether outlier detection may take out one host (1.28 and newer: only if that many percent are allowed)."""
    hosts = sum(server.count for server in pool.servers)
    percent = _value(pool.options, "max_ejection_percent")
    if _value(pool.options, "always_eject_one_host") or percent is None:
        return True
    return float(percent) * hosts >= 100


def _value(options: Any, name: str) -> Any:
    setting = options.get(name)
    return None if setting is None else setting.value


def rescue(pool: Pool, kind: str, routes: Sequence[Route]) -> Rescue:
    """Return what becomes of requests by the retry policies of the routes that lead to the pool; the worst."""
    if not routes:
        return unknown("no route to it was seen")
    found = [_by_retry(pool, kind, route) for route in routes]
    return next((one for one in found if one.others == 0), found[0])


def _by_retry(pool: Pool, kind: str, route: Route) -> Rescue:
    if pool.protocol == "tcp":
        return _by_connecting(kind, route)
    retry = route.retry
    if retry is None or retry.attempts is None:
        return failing("its route has no retry_policy")
    words = retry.conditions.value if retry.conditions is not None else frozenset()
    if retry.attempts.value and words & _WORDS[kind]:
        return unknown("a retry may come to the same host, and max_retries limits how many there are at once")
    if retry.attempts.value and words & _OPEN_WORDS:
        return unknown("its retry policy speaks of statuses or headers")
    why = f"its retry_on is for {', '.join(sorted(words)) or 'nothing'}" if retry.attempts.value else "num_retries is 0"
    return failing(why)


def _by_connecting(kind: str, route: Route) -> Rescue:
    if kind == ERRORS:
        return failing("a TCP proxy does not see what servers answer")
    if "max_connect_attempts" not in route.options:
        return failing("a TCP proxy tries one host only")
    return unknown("its further tries may come to the same host")

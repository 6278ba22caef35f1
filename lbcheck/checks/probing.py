"""Health checks that are too slow to help, or too impatient to be right. One finding a pool, about its worst check."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lbcheck.checks.health import choice, retried
from lbcheck.checks.times import too_short
from lbcheck.findings import INFO, WARNING, Hit, Related
from lbcheck.wording import duration, rhythm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, HealthCheck, Pool, Setting
    from lbcheck.text import Span

    #: Judges one check of a pool: (how bad it is, the finding), or None.
    Judge = Callable[[Pool, HealthCheck], tuple[float, Hit] | None]
    #: A pool, its servers' checks, and whether another server could take over from one that fails them.
    Checked = tuple[Pool, list[HealthCheck], bool]

#: Dialects whose `timeout` counts only once the connection stands: a plain TCP check ends before it begins, and
#: without one the interval bounds the whole check (HAProxy manual 4.2 `timeout check`).
_CONNECT_FIRST = frozenset({"haproxy"})
#: Dialects whose interval begins when a probe has ended.
_INTERVAL_AFTER = frozenset({"haproxy", "envoy"})
#: How a probe is repeated sooner.
_SOONER = {"haproxy": "probe more often, or set `fastinter` so that a first failure is followed up quickly"}
#: How a server is given several chances, where that can be said at all.
_CHANCES = {
    "haproxy": ", with `fall 3`",
    "envoy": ", with `unhealthy_threshold: 3`",
    "native": ", with `fall: 3`",
}
_HTTP_TIMEOUT = 0.25
_TCP_TIMEOUT = 0.1
_INTERVAL_AS_TIMEOUT = 0.5


def hc_timeout_ge_interval(config: Config, context: Context) -> Iterator[Hit]:
    """H04: a probe may take longer than the time to the next one."""
    yield from worst(context.once(config, checked), partial(_late, config.dialect), alternatives=True)


def hc_timeout_too_low(config: Config, context: Context) -> Iterator[Hit]:
    """H05: a probe that a pause of the garbage collector or a busy moment already fails."""
    forgotten = [time.span for time in config.durations if too_short(time)]
    judge = partial(_impatient, config.dialect, forgotten)
    yield from worst(context.once(config, checked), judge, alternatives=False)


def hc_detection_slow(config: Config, context: Context) -> Iterator[Hit]:
    """H07: a dead server is found only after a minute, or after more than twice the time that clients are given."""
    longest = context.option("H07", "max_seconds", 60.0)
    judge = partial(_slow, config.dialect, longest, _client_timeouts(config))
    yield from worst(context.once(config, checked), judge, alternatives=True)


def worst(pools: list[Checked], judge: Judge, *, alternatives: bool) -> Iterator[Hit]:
    """Yield the worst finding of each pool, and of those at one place the first.

    An interval that a hundred pools inherit from `defaults` is one mistake. `alternatives` leaves out the pools that
    have no other server to turn to.
    """
    told = set()
    for pool, checks, choosable in pools:
        if alternatives and not choosable:
            continue
        found = [verdict for check in checks if (verdict := judge(pool, check)) is not None]
        if found:
            hit = max(found, key=lambda verdict: verdict[0])[1]
            if hit.span not in told:
                told.add(hit.span)
                yield hit


def checked(config: Config) -> list[Checked]:
    """Return the pools with their servers' checks, one of those that are alike, and whether there is a choice.

    None of a piece of a config: defaults that were not seen may say otherwise.
    """
    found = []
    for pool in config.pools if config.open is None else ():
        checks: dict[object, HealthCheck] = {}
        for server in pool.enabled:
            check = server.check
            if check is None or (server.checked is not None and not server.checked.value):
                continue
            checks.setdefault(check.likeness, check)
        if checks:
            found.append((pool, [*checks.values()], choice(pool.enabled)))
    return found


def _late(dialect: str, pool: Pool, check: HealthCheck) -> tuple[float, Hit] | None:
    timeout, interval = check.timeout, check.interval
    if timeout is None or interval is None or timeout.value < interval.value:
        return None
    if dialect in _CONNECT_FIRST and not (timeout.written and check.talks):
        return None
    place = interval.span or timeout.span or check.span or pool.span
    related = [Related(timeout.span, "the probe's timeout")] if timeout.span and timeout.span != place else []
    # HAProxy waits an interval from the end of a probe that timed out (seen on 2.6: 4 s with 1 s and 3 s), Envoy too.
    period = timeout.value + (interval.value if dialect in _INTERVAL_AFTER else 0)
    args = {
        "pool": pool.name,
        "timeout": duration(timeout.value),
        "interval": duration(interval.value),
        "period": duration(period),
        "detection": duration(period * _fall(check)),
    }
    return period, Hit("H04", place, args, related=related, pool=pool.name)


def _impatient(dialect: str, forgotten: list[Span], pool: Pool, check: HealthCheck) -> tuple[float, Hit] | None:
    bound = _patience(check, pool, dialect)
    if bound is None or check.fall is None or check.fall.value >= 5:
        return None
    limit, least = bound
    if limit.value >= least or limit.span is None or any(_within(span, limit.span) for span in forgotten):
        return None  # T12 speaks of a unit that was forgotten
    fall = check.fall.value
    args = {
        "pool": pool.name,
        "timeout": duration(limit.value),
        "takes": "a single one takes a server out" if fall == 1 else f"{fall} in a row take a server out",
        "down": duration(limit.value * fall),
        "least": duration(least),
        "chances": "" if fall >= 3 else _CHANCES.get(dialect, ""),
    }
    hit = Hit("H05", limit.span, args, severity=WARNING if fall < 3 else INFO, pool=pool.name)
    return -limit.value * fall, hit


def _slow(
    dialect: str, longest: float, clients: dict[tuple[str, str], float], pool: Pool, check: HealthCheck
) -> tuple[float, Hit] | None:
    seconds = _detection(check)
    if seconds is None:
        return None
    covered = retried(pool) or any(server.passive for server in pool.serving)
    client = clients.get((pool.scope, pool.name))
    known = pool.retry is not None and pool.retry.redispatch is not None
    outlasts = client is not None and seconds > 2 * client and known and not covered
    if seconds <= longest and not outlasts:
        return None
    place = _first_written(check.interval, check.fall, check.timeout) or check.span or pool.span
    args = {
        "pool": pool.name,
        "detection": duration(seconds),
        "probes": rhythm(_fall(check), 0.0 if check.interval is None else check.interval.value),
        "effect": "every request that it gets until then costs a failed try"
        if covered
        else _loss(client if outlasts else None),
        "advice": _SOONER.get(dialect, "probe more often"),
    }
    return seconds, Hit("H07", place, args, severity=INFO if covered else None, pool=pool.name)


def _loss(client: float | None) -> str:
    beyond = "" if client is None else f", for more than twice the client timeout of {duration(client)}"
    return f"its share of the requests fails until then{beyond}"


def _patience(check: HealthCheck, pool: Pool, dialect: str) -> tuple[Setting[float], float] | None:
    """Return (what bounds one probe, the least that is wise); None where it is not known."""
    if dialect not in _CONNECT_FIRST:
        least = _HTTP_TIMEOUT if check.kind == "http" else _TCP_TIMEOUT
        return None if check.timeout is None else (check.timeout, least)
    if check.timeout is None or not check.timeout.written:
        return None if check.interval is None else (check.interval, _INTERVAL_AS_TIMEOUT)
    if check.talks:
        return check.timeout, _HTTP_TIMEOUT
    bounds = [bound for bound in (check.interval, pool.timeouts.get("connect")) if bound is not None]
    return (min(bounds, key=lambda bound: bound.value), _TCP_TIMEOUT) if bounds else None


def _fall(check: HealthCheck) -> int:
    return 1 if check.fall is None else check.fall.value


def _detection(check: HealthCheck) -> float | None:
    """Return how long a server may be dead before the last of its failed probes ends, in seconds.

    The first failure comes at most one interval after the death, the others follow at the fast interval where
    there is one, and the last takes up to the timeout.
    """
    if check.interval is None:
        return None
    following = check.fast_interval or check.interval
    timeout = check.timeout.value if check.timeout is not None and check.talks else 0.0
    return check.interval.value + (_fall(check) - 1) * following.value + timeout


def _first_written(*settings: Setting[float] | Setting[int] | None) -> Span | None:
    return next((setting.span for setting in settings if setting is not None and setting.span is not None), None)


def _within(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def _client_timeouts(config: Config) -> dict[tuple[str, str], float]:
    """Return the shortest client timeout of each pool, by (scope, name of the pool), in seconds.

    It bounds a silence of the client, not its waiting: HAProxy 2.6 let one wait 8 s with a `timeout client` of 2 s.
    """
    shortest: dict[tuple[str, str], float] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            timeout = route.timeouts.get("client") or frontend.timeouts.get("client")
            if timeout is None or timeout.value <= 0:
                continue
            for target in route.targets:
                key = (frontend.scope, target.name)
                shortest[key] = min(timeout.value, shortest.get(key, timeout.value))
    return shortest

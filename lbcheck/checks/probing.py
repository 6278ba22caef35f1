"""Health checks that are too slow to help, or too impatient to be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.health import choice, retried
from lbcheck.checks.times import too_short
from lbcheck.findings import INFO, WARNING, Hit, Related
from lbcheck.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, HealthCheck, Pool, Setting
    from lbcheck.text import Span

#: Dialects whose `timeout` counts only once the connection stands: a plain TCP check ends before it begins, and
#: without one the interval bounds the whole check (HAProxy manual 4.2 `timeout check`).
_CONNECT_FIRST = frozenset({"haproxy"})
_HTTP_TIMEOUT = 0.25
_TCP_TIMEOUT = 0.1
_INTERVAL_AS_TIMEOUT = 0.5


def hc_timeout_ge_interval(config: Config, _context: Context) -> Iterator[Hit]:
    """H04: a probe may take longer than the time to the next one."""
    if config.open is not None:
        return  # defaults that were not seen may say otherwise
    for pool, check in _distinct_checks(config, ("timeout", "interval"), alternatives=True):
        timeout, interval = check.timeout, check.interval
        if timeout is None or interval is None or timeout.value < interval.value:
            continue
        connect_first = config.dialect in _CONNECT_FIRST
        if connect_first and (not timeout.written or not _reads(check)):
            continue
        place = interval.span or timeout.span or check.span or pool.span
        related = [Related(timeout.span, "the probe's timeout")] if timeout.span and timeout.span != place else []
        period = timeout.value + (interval.value if connect_first else 0)
        args = {
            "pool": pool.name,
            "timeout": duration(timeout.value),
            "interval": duration(interval.value),
            "period": duration(period),
            "fall": check.fall.value if check.fall else 1,
            "detection": duration(period * (check.fall.value if check.fall else 1)),
        }
        yield Hit("H04", place, args, related=related, pool=pool.name)


def hc_timeout_too_low(config: Config, _context: Context) -> Iterator[Hit]:
    """H05: a probe that a pause of the garbage collector or a busy moment already fails."""
    if config.open is not None:
        return
    forgotten_units = {time.span for time in config.durations if too_short(time)}
    for pool, check in _distinct_checks(config, ("timeout", "interval", "fall"), alternatives=False):
        patience = _patience(check, pool, config.dialect)
        fall = check.fall.value if check.fall is not None else None
        if patience is None or fall is None or fall >= 5:
            continue
        limit, least = patience
        if limit.value >= least or limit.span is None or any(_within(span, limit.span) for span in forgotten_units):
            continue
        args = {
            "pool": pool.name,
            "timeout": duration(limit.value),
            "fall": fall,
            "down": duration(limit.value * fall),
            "least": duration(least),
        }
        yield Hit("H05", limit.span, args, severity=WARNING if fall < 3 else INFO, pool=pool.name)


def hc_detection_slow(config: Config, context: Context) -> Iterator[Hit]:
    """H07: a dead server is found only after a minute, or after its clients have given up twice."""
    if config.open is not None:
        return
    longest = context.option("H07", "max_seconds", 60.0)
    patience = _client_patience(config)
    names = ("interval", "fast_interval", "fall", "timeout")
    for pool, check in _distinct_checks(config, names, alternatives=True):
        seconds = _detection(check)
        if seconds is None:
            continue
        covered = retried(pool) or any(server.passive for server in pool.serving)
        client = patience.get((pool.scope, pool.name))
        outlasts = client is not None and seconds > 2 * client and not covered and _retries_known(pool)
        if seconds <= longest and not outlasts:
            continue
        place = _first_written(check.interval, check.fall, check.timeout) or check.span or pool.span
        args = {"pool": pool.name, "detection": duration(seconds), "interval": duration(_value(check.interval))}
        args["fall"] = str(check.fall.value if check.fall else 1)
        args["effect"] = (
            "every request that it gets until then costs a failed try"
            if covered
            else _loss(client if outlasts else None)
        )
        yield Hit("H07", place, args, severity=INFO if covered else None, pool=pool.name)


def _loss(client: float | None) -> str:
    gone = "" if client is None else f", and its clients wait {duration(client)} at most"
    return f"its share of the requests fails until then{gone}"


def _retries_known(pool: Pool) -> bool:
    return pool.retry is not None and pool.retry.redispatch is not None


def _distinct_checks(
    config: Config, names: tuple[str, ...], *, alternatives: bool
) -> Iterator[tuple[Pool, HealthCheck]]:
    """Yield each check once for all that share the same settings, with the first pool that has it.

    An interval inherited from `defaults` by a hundred pools is one mistake, and so is one that a pool's servers
    repeat. `alternatives` leaves out the pools that have no other server to turn to.
    """
    seen = set()
    told = set()
    for pool in config.pools:
        if alternatives and not choice([server for server in pool.servers if server.enabled]):
            continue
        for server in pool.servers:
            check = server.check
            if check is None or not server.enabled or (server.checked is not None and not server.checked.value):
                continue
            values = (id(pool), check.kind, *(_seconds(getattr(check, name)) for name in names))
            if values in told:
                continue
            told.add(values)
            settings = tuple(_identity(getattr(check, name)) for name in names)
            spans = [span for _, span in settings if span is not None]
            key = (check.kind, settings, None if spans else id(pool))
            if key not in seen:
                seen.add(key)
                yield pool, check


def _seconds(setting: Setting[float] | None) -> float | None:
    return None if setting is None else setting.value


def _identity(setting: Setting[float] | None) -> tuple[float | None, Span | None]:
    return (None, None) if setting is None else (setting.value, setting.span)


def _patience(check: HealthCheck, pool: Pool, dialect: str) -> tuple[Setting[float], float] | None:
    """Return (what bounds one probe, the least that is wise); None where it is not known."""
    if dialect not in _CONNECT_FIRST:
        least = _HTTP_TIMEOUT if check.kind == "http" else _TCP_TIMEOUT
        return None if check.timeout is None else (check.timeout, least)
    if check.timeout is None or not check.timeout.written:
        return None if check.interval is None else (check.interval, _INTERVAL_AS_TIMEOUT)
    if _reads(check):
        return check.timeout, _HTTP_TIMEOUT
    bounds = [bound for bound in (check.interval, pool.timeouts.get("connect")) if bound is not None]
    return (min(bounds, key=_value), _TCP_TIMEOUT) if bounds else None


def _reads(check: HealthCheck) -> bool:
    """Say whether a probe waits for an answer once it is connected."""
    return check.kind != "tcp" or check.expect is not None or "send" in check.options


def _value(setting: Setting[float] | None) -> float:
    return 0.0 if setting is None else setting.value


def _within(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def _detection(check: HealthCheck) -> float | None:
    """Return how long a server may be dead before the last of its failed probes ends, in seconds.

    The first failure comes at most one interval after the death, the others follow at the fast interval where
    there is one, and the last takes up to the timeout.
    """
    if check.interval is None:
        return None
    fall = check.fall.value if check.fall is not None else 1
    following = check.fast_interval or check.interval
    timeout = check.timeout.value if check.timeout is not None and _reads(check) else 0.0
    return check.interval.value + (fall - 1) * following.value + timeout


def _first_written(*settings: Setting[float] | Setting[int] | None) -> Span | None:
    return next((setting.span for setting in settings if setting is not None and setting.span is not None), None)


def _client_patience(config: Config) -> dict[tuple[str, str], float]:
    """Return the shortest time that a client of each pool waits, by (scope, name of the pool), in seconds."""
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

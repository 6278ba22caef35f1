"""Which losses are played, and how: fast enough to see much, slowly enough to see when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.planning.cycles import by_load, ordered, whole_cycle
from lbcheck.rehearsal.planning.plan import rounded_up
from lbcheck.rehearsal.play.paced import MOST_IN_FLIGHT
from lbcheck.rehearsal.play.script import SLOW, Loss
from lbcheck.rehearsal.play.stubs import SLOWNESS
from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES

if TYPE_CHECKING:
    from lbcheck.model import Config, HealthCheck, Pool, Route, Server
    from lbcheck.rehearsal.planning.plan import Plan, Target
    from lbcheck.traffic import outcome

#: So many losses of a config are played; the rest has to be asked for by name.
MOST_LOSSES = 48
#: How much later than predicted something may happen on a busy machine; nginx counts in whole seconds.
SLACK = 1.5
#: How long a loss is watched that the proxy does not notice, or of which nobody knows when it does; and longer, as long
#: as its requests wait: only those say what becomes of requests that are over before the server comes back.
_UNNOTICED = 3.0
#: Requests a second where none waits, and where all wait for long.
_FASTEST, _SLOWEST = 100.0, 4.0
#: Requests that show the survivors' shares, where there is an order, a key, or chance.
_ORDERED, _HASHED, _DRAWN = 120, 200, 400
#: So many requests that should have met a server, and did not, say that it is out: of a strict order, of any other.
_SILENT_ORDERED, _SILENT = 6, 20
#: HAProxy waits so long before it tries the same server again (traffic.detection.haproxy).
_PAUSE = 1.0
#: A connection of which nobody knows how long it is waited for.
_LONG = 60.0


class Trial(NamedTuple):
    """One loss: what is predicted of it, and how it is played; None with a `reason` where it is not.

    `stall` is for about how long, in seconds, a request waits that meets the lost server; `part` is which part of the
    requests does, in normal operation.
    """

    target: Target
    predicted: outcome.Loss
    play: Loss | None
    reason: str | None = None
    stall: float = 0.0
    part: float = 1.0


def trials(config: Config, made: Plan, traffic: outcome.Traffic, kind: str, patience: float) -> list[Trial]:
    """Return the predicted losses of all pools that are rehearsed. Nothing is waited for longer than `patience`."""
    found: list[Trial] = []
    for target, pool in zip(made.targets, traffic.pools, strict=True):
        if target.reason is None:
            routes = [
                route
                for frontend in config.frontends
                for route in frontend.routes
                if any(one.pool is target.pool for one in route.targets)
            ]
            found += [
                _trial(config.dialect, made, target, loss, routes, kind, patience)
                for loss in pool.losses
                if any(target.pool.servers[place].enabled for place in loss.places)
            ]
    reason = f"only {MOST_LOSSES} losses are played; name it with --lose"
    return [one if at < MOST_LOSSES else one._replace(play=None, reason=reason) for at, one in enumerate(found)]


def _trial(
    dialect: str, made: Plan, target: Target, loss: outcome.Loss, routes: list[Route], kind: str, patience: float
) -> Trial:
    pool, proxy = target.pool, adapter(dialect)
    if target.split is not None:
        return Trial(target, loss, None, "its route draws it out of several pools")
    stubs = [stub for place in loss.places if (stub := target.stubs[place]) is not None]
    if kind == HANGS:
        if any(made.stubs[stub].path for stub in stubs):
            return Trial(target, loss, None, "a unix socket cannot be made to hang")
        stubs += [stub for place in loss.places if (stub := target.checks.get(place)) is not None]
    server = pool.servers[loss.places[0]]
    normal = _part(pool, dialect, loss)
    stall = _stall(pool, routes, kind)
    rate = _rate(normal * stall)
    unnoticed = min(_UNNOTICED + stall, patience)
    notice = unnoticed if loss.detection_s is None or kind == SLOW else loss.detection_s + SLACK
    probed = [one for one in pool.servers if one.check is not None and one.probed and one.enabled]
    slowest = max((one.check.interval.value for one in probed if one.check and one.check.interval), default=0.0)
    play = Loss(
        target.loads,
        tuple(dict.fromkeys(stubs)),
        kind,
        rate,
        _settled(pool, dialect, loss),
        min(slowest + SLACK, patience),
        notice if notice <= patience else unnoticed,
        min(_recovery(server, loss, kind, routes) + SLACK, patience) if normal else 0.0,
        _silence(pool, dialect, server, normal * rate) if proxy.silence else 0.0,
        target.called[loss.places[0]],
        1 if by_load(pool, dialect) and not stall else MOST_IN_FLIGHT,
        tuple(f"{pool.name}/{one.name}" for one in probed) if proxy.stands else (),
        proxy.lag,
    )
    return Trial(target, loss, play, stall=stall, part=normal)


def _part(pool: Pool, dialect: str, loss: outcome.Loss) -> float:
    """Return the part of the requests that the lost servers get in normal operation; an equal one where not known."""
    from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares

    parts = shares(pool, dialect, MAX_RING_POINTS).servers
    return len(loss.places) / len(pool.servers) if parts is None else sum(parts[place] for place in loss.places)


def _rate(waiting: float) -> float:
    """Return a rate at which those that wait for the lost server, so many at one a second, are not too many."""
    return _FASTEST if not waiting else max(_SLOWEST, min(_FASTEST, MOST_IN_FLIGHT / 2 / waiting))


def _stall(pool: Pool, routes: list[Route], kind: str) -> float:
    """Return for about how long a request waits that meets the lost server, in seconds."""
    if kind in {ERRORS, SLOW}:
        return SLOWNESS if kind == SLOW else 0.0
    retries = pool.retry.attempts.value if pool.retry is not None and pool.retry.attempts is not None else 0
    connect = pool.timeouts.get("connect")
    if kind == REFUSES:
        return retries * (_PAUSE if connect is None else min(_PAUSE, connect.value))
    if connect is not None:
        return connect.value * (retries + 1)
    waits = [wait.value for route in routes if (wait := route.timeouts.get("connect")) is not None]
    return max(waits, default=_LONG)


def _settled(pool: Pool, dialect: str, loss: outcome.Loss) -> int:
    """Return how many requests show the survivors' shares; 0 where nobody survives."""
    if not any(server.share != 0.0 for server in loss.servers):
        return 0
    if ordered(pool, dialect, frozenset(loss.places)):
        parts = [server.share for server in loss.servers]
        cycle = whole_cycle([part for part in parts if part is not None])
        return min(rounded_up(_ORDERED, cycle) + cycle, 10 * _DRAWN)
    return _DRAWN if pool.algorithm.name.startswith("random") else _HASHED


def _silence(pool: Pool, dialect: str, server: Server, met: float) -> float:
    """Return how long nothing must go to a server, which gets so much a second, to be out; 0.0 where nobody can see.

    nginx tries a server again after `fail_timeout`.
    """
    if not met:
        return 0.0
    silence = max(0.3, (_SILENT_ORDERED if ordered(pool, dialect) else _SILENT) / met)
    check = server.check
    if server.probed and (check is None or check.interval is None or check.interval.value <= 2 * silence):
        return 0.0  # its checks are attempts, too
    out = server.fail_timeout.value if server.fail_timeout is not None else 0.0
    return 0.0 if 0 < out <= silence else silence


def _recovery(server: Server, loss: outcome.Loss, kind: str, routes: list[Route]) -> float:
    """Return how long it may take until a server that is back gets requests again, in seconds."""
    if server.check is not None and server.probed and server.check.interval is not None:
        return _checked_again(server.check, hanging=kind == HANGS)
    if server.probed:
        return 2 * (loss.detection_s or 0.0)
    waits = [wait.value for route in routes if (wait := route.timeouts.get("connect")) is not None]
    out = server.fail_timeout.value if server.fail_timeout is not None and server.passive else 0.0
    return out + 1.0 + (max(waits, default=0.0) if kind == HANGS and out else 0.0)


def _checked_again(check: HealthCheck, *, hanging: bool) -> float:
    interval = check.interval.value if check.interval is not None else 0.0
    slowest = max([interval, *(one.value for one in (check.down_interval, check.fast_interval) if one is not None)])
    rise = check.rise.value if check.rise is not None else 2
    return slowest * (rise + int(hanging))

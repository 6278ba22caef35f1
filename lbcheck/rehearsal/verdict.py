"""Counts of one pool in normal operation against its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.redaction import without
from lbcheck.rehearsal.chances import chi_square_p
from lbcheck.rehearsal.distribution import Held, by_chance, by_cycle, by_load, by_pick, counts, ordered
from lbcheck.rehearsal.load import IN_FLIGHT, asks
from lbcheck.rehearsal.outcome import Concurrent, MeasuredPool, MeasuredServer
from lbcheck.rehearsal.picks import picker
from lbcheck.rehearsal.unreached import unreached
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.rehearsal.plan import Target
    from lbcheck.rehearsal.sandbox import Event
    from lbcheck.rehearsal.script import Load

#: Algorithms that take a key from the request, which need not be written.
_KEYED = frozenset({"source", "uri", "ip_hash", "rdp-cookie"})


class Counted(NamedTuple):
    """What the load of one pool came to: the indexes in `pool.servers` that answered, in order; None for nobody.

    `together` are those of the requests of which several were under way at once. `down` are the servers that the proxy
    took for down meanwhile.
    """

    load: Load
    served: Sequence[int | None]
    failed: int
    down: Sequence[str]
    together: Sequence[int | None] = ()
    failed_together: int = 0


def counted(target: Target, loads: Sequence[Load], events: Sequence[Event]) -> Counted | None:
    """Return what came of the load that has reached a pool; None where none has."""
    answers = {(event["event"], event["number"]): event for event in events if event["event"] in {"load", "together"}}
    for number in target.loads:
        event = answers.get(("load", number))
        if event is not None and event["stubs"] and event["reached"] and not _strays(loads[number], event["stubs"]):
            further = answers.get(("together", number), {"stubs": [], "statuses": []})
            return Counted(
                loads[number], *_served(target, event), target.down(event["down"]), *_served(target, further)
            )
    return None


def _strays(load: Load, stubs: Sequence[int]) -> bool:
    """Say whether a route has led to other pools too: then what this one got is not all that it would get."""
    return load.shared and any(stub >= 0 and stub not in load.expect for stub in stubs)


def _served(target: Target, event: Event) -> tuple[list[int | None], int]:
    places = target.places()
    pairs = list(zip(event["stubs"], event["statuses"], strict=True))
    return [places.get(stub) for stub, _ in pairs], sum(stub < 0 or status >= 500 for stub, status in pairs)


def measured(
    target: Target, dialect: str, loads: Sequence[Load], events: Sequence[Event], tolerance: float
) -> MeasuredPool:
    """Hold what was seen of one pool against its prediction."""
    seen = counted(target, loads, events)
    if seen is None and target.reason is None:
        target = target._replace(reason=unreached(target, loads, events))
    return judge(target, dialect, seen, tolerance)


def judge(target: Target, dialect: str, seen: Counted | None, tolerance: float) -> MeasuredPool:
    """Hold one pool's counts against its prediction."""
    predicted = shares(target.pool, dialect, MAX_RING_POINTS)
    concurrent = None
    served: Sequence[int | None] = ()
    failed = 0
    if seen is None:
        held = Held(None, None, target.reason or "no request reached it")
    else:
        served, failed = seen.served, seen.failed
        if predicted.servers is None or target.doubled:
            held = Held(None, None, predicted.reason or "several of its lines are one server")
        elif seen.down:
            held = Held(None, None, f"the proxy took {seen.down[0]} for down: its checks fail here")
        elif failed and target.verified:
            why = "it verifies certificates that lie elsewhere"
            held = Held(None, None, f"{failed} of {len(served)} requests failed: {why}")
        elif failed:
            held = Held(None, False, f"{failed} of {len(served)} requests failed")
        else:
            held = _held(target, dialect, predicted.servers, seen)
            concurrent = _together(target.pool, dialect, predicted.servers, seen, tolerance)
    return MeasuredPool(
        target.pool.name,
        target.pool.span.path,
        target.pool.span.line,
        target.pool.algorithm.name,
        held.judged,
        held.passed,
        held.reason,
        len(served),
        failed,
        measured_servers(target.pool, counts(target.pool, served), predicted.servers),
        held.p_value,
        held.wrong_picks,
        concurrent=concurrent,
    )


def _held(target: Target, dialect: str, parts: Sequence[float], seen: Counted) -> Held:
    pool = target.pool
    pick = picker(pool, dialect)
    if pick is not None:
        sent = [ask for ask, _ in zip(asks(seen.load), seen.served, strict=False)]
        return by_pick(sent, seen.served, pick, target.altered)
    if ordered(pool, dialect):
        return by_cycle(pool, dialect, parts, seen.served)
    if not seen.load.vary and (pool.algorithm.key is not None or pool.algorithm.name in _KEYED):
        return Held(None, None, "its key is not one that lbcheck can vary")
    return by_chance(counts(pool, seen.served), parts)


def _together(pool: Pool, dialect: str, parts: Sequence[float], seen: Counted, tolerance: float) -> Concurrent | None:
    """Compare the shares of requests of which several were under way at once, to a tolerance."""
    total = len(seen.together)
    if not total:
        return None
    found = counts(pool, seen.together)
    off = max(abs(count / total - part) * 100 for count, part in zip(found, parts, strict=True))
    passed: bool | None = off <= tolerance and not seen.failed_together
    reason = None if passed else f"{seen.failed_together} of {total} requests failed" if seen.failed_together else None
    if not passed and not reason:
        reason = f"a share is {off:.1f} points off"
    if not seen.failed_together and by_load(pool, dialect):
        passed, reason = None, "then it depends on how long answers take"
    return Concurrent(IN_FLIGHT, total, off, tolerance, passed, reason)


def measured_servers(
    pool: Pool, found: Sequence[int], parts: Sequence[float | None] | None
) -> tuple[MeasuredServer, ...]:
    """Return a pool's servers with their counts beside their predicted parts."""
    total = sum(found)
    return tuple(
        MeasuredServer(
            without(server.name, []),
            without(server.address.text, []),
            count,
            count / max(total, 1),
            part,
            chi_square_p([count, total - count], [part, 1 - part]) if total and part is not None else None,
        )
        for server, count, part in zip(pool.servers, found, parts or [None] * len(found), strict=True)
    )

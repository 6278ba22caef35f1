"""Counts of one pool in normal operation against its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.redaction import without
from lbcheck.rehearsal.chances import chi_square_p
from lbcheck.rehearsal.distribution import Held, by_chance, by_cycle, by_pick, counts, ordered
from lbcheck.rehearsal.load import IN_FLIGHT, asks
from lbcheck.rehearsal.outcome import CHANCE, Concurrent, MeasuredPool, MeasuredServer
from lbcheck.rehearsal.picks import picker
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool, Server
    from lbcheck.rehearsal.plan import Target
    from lbcheck.rehearsal.sandbox import Event
    from lbcheck.rehearsal.script import Load

#: What a proxy answers to more requests than it lets through (RFC 6585).
_TOO_MANY = 429
#: Algorithms that look at how many requests a server is working on.
_BY_LOAD = frozenset({"least_conn", "leastconn", "first", "least_request"})


class Counted(NamedTuple):
    """What the load of one pool came to: the indexes in `pool.servers` that answered, in order; None for nobody.

    `numbers` are the places of these requests in the load, `drawn` says what is wrong with how often its route took it.
    `together` are those of the requests of which several were under way at once. `down` are the servers that the proxy
    took for down meanwhile. `limited` is how many requests it refused for being too many.
    """

    load: Load
    served: Sequence[int | None]
    failed: int
    down: Sequence[str]
    together: Sequence[int | None] = ()
    failed_together: int = 0
    numbers: Sequence[int] = ()
    drawn: str | None = None
    limited: int = 0


def counted(target: Target, loads: Sequence[Load], events: Sequence[Event]) -> Counted | None:
    """Return what came of the load that has reached a pool; None where none has."""
    answers = {(event["event"], event["number"]): event for event in events if event["event"] in {"load", "together"}}
    for number in target.loads:
        event = answers.get(("load", number))
        if event is not None and event["stubs"] and event["reached"]:
            further = answers.get(("together", number), {"stubs": [], "statuses": []})
            served, failed, numbers = _served(target, event)
            together, failed_together, _ = _served(target, further)
            drawn = None if target.split is None else target.split.unlikely(event["stubs"])
            down = target.down(event["down"])
            limited = event["statuses"].count(_TOO_MANY)
            return Counted(loads[number], served, failed, down, together, failed_together, numbers, drawn, limited)
    return None


def _served(target: Target, event: Event) -> tuple[list[int | None], int, list[int]]:
    """Return who served, how many requests failed, and which ones: without those that other pools were drawn for."""
    places = target.places()
    others = frozenset() if target.split is None else target.split.others()
    asked = enumerate(zip(event["stubs"], event["statuses"], strict=True))
    own = [(number, stub, status) for number, (stub, status) in asked if stub not in others]
    failed = sum(stub < 0 or status >= 500 for _, stub, status in own)
    return [places.get(stub) for _, stub, _ in own], failed, [number for number, *_ in own]


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
        elif target.split is not None and target.split.mixed:
            held = Held(None, None, "a pool beside it has one of its servers too")
        elif seen.down:
            held = Held(None, None, f"the proxy took {seen.down[0]} for down: its checks fail here")
        elif seen.limited:
            held = Held(None, None, f"a limit of its rate refuses {seen.limited} of {len(served)} requests")
        elif failed:
            held = Held(None, False, f"{failed} of {len(served)} requests failed")
        elif seen.drawn:
            held = Held(CHANCE, False, seen.drawn)
        else:
            held = _held(target.pool, dialect, predicted.servers, seen)
            concurrent = _together(target.pool, predicted.servers, seen, tolerance)
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


def _held(pool: Pool, dialect: str, parts: Sequence[float], seen: Counted) -> Held:
    pick = picker(pool, dialect)
    if pick is not None:
        sent = list(asks(seen.load))
        return by_pick([sent[number] for number in seen.numbers], seen.served, pick)
    if ordered(pool, dialect):
        return by_cycle(pool, dialect, parts, seen.served)
    return by_chance(counts(pool, seen.served), parts)


def _together(pool: Pool, parts: Sequence[float], seen: Counted, tolerance: float) -> Concurrent | None:
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
    if not seen.failed_together and (pool.algorithm.name in _BY_LOAD or any(_limited(one) for one in pool.servers)):
        passed, reason = None, "then it depends on how long answers take"
    return Concurrent(IN_FLIGHT, total, off, tolerance, passed, reason)


def _limited(server: Server) -> bool:
    return server.max_conns is not None and server.max_conns.value > 0


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

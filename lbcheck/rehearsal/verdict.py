"""Counts of one pool in normal operation against its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.distribution import Held, by_chance, by_cycle, by_pick, counts, ordered
from lbcheck.rehearsal.load import asks
from lbcheck.rehearsal.outcome import MeasuredPool, MeasuredServer
from lbcheck.rehearsal.picks import picker
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.rehearsal.plan import Target
    from lbcheck.rehearsal.script import Load


class Counted:
    """What the load of one pool came to: the indexes in `pool.servers` that answered, in order; None for nobody."""

    def __init__(self, load: Load, target: Target, answers: Sequence[int], statuses: Sequence[int]) -> None:
        places = target.places()
        self.load = load
        self.served = [places.get(answer) for answer in answers]
        self.failed = sum(answer < 0 or status >= 500 for answer, status in zip(answers, statuses, strict=True))


def judge(target: Target, dialect: str, counted: Counted | None) -> MeasuredPool:
    """Hold one pool's counts against its prediction."""
    predicted = shares(target.pool, dialect, MAX_RING_POINTS)
    if counted is None:
        held, served, failed = Held(None, None, target.reason or "no request reached it"), [], 0
    else:
        served, failed = counted.served, counted.failed
        if predicted.servers is None or target.doubled:
            held = Held(None, None, predicted.reason or "several of its lines are one server")
        elif failed:
            held = Held(None, False, f"{failed} of {len(served)} requests failed")
        else:
            held = _held(target.pool, dialect, predicted.servers, counted)
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
    )


def _held(pool: Pool, dialect: str, parts: Sequence[float], counted: Counted) -> Held:
    pick = picker(pool, dialect)
    if pick is not None:
        sent = [ask for ask, _ in zip(asks(counted.load), counted.served, strict=False)]
        return by_pick(sent, counted.served, pick)
    if ordered(pool, dialect):
        return by_cycle(pool, dialect, parts, counted.served)
    return by_chance(counts(pool, counted.served), parts)


def measured_servers(
    pool: Pool, found: Sequence[int], parts: Sequence[float | None] | None
) -> tuple[MeasuredServer, ...]:
    """Return a pool's servers with their counts beside their predicted parts."""
    total = max(sum(found), 1)
    return tuple(
        MeasuredServer(server.name, server.address.text, count, count / total, part)
        for server, count, part in zip(pool.servers, found, parts or [None] * len(found), strict=True)
    )

"""Counts against the prediction: exactly where an algorithm leaves nothing to chance, by chi-square where it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.chances import chi_square_p
from lbcheck.rehearsal.load import asks
from lbcheck.rehearsal.outcome import CHANCE, CYCLES, PICKS, MeasuredPool, MeasuredServer
from lbcheck.rehearsal.picks import picker
from lbcheck.rehearsal.plan import whole_cycle
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares
from lbcheck.traffic.algorithms.weighted import window_picks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.rehearsal.picks import Pick
    from lbcheck.rehearsal.plan import Target
    from lbcheck.rehearsal.script import Load
    from lbcheck.traffic.algorithms import Shares

#: Below this probability, counts do not come from the predicted shares.
IMPOSSIBLE = 1e-6
#: Algorithms that follow an order, and give each server its share exactly over whole cycles.
_ORDERED = {
    "nginx": frozenset({"round_robin", "least_conn"}),
    "haproxy": frozenset({"roundrobin", "static-rr", "leastconn", "first", "sticky"}),
}


class Counted:
    """What the load of one pool came to: the indexes in `pool.servers` that answered, in order; None for nobody."""

    def __init__(
        self, load: Load, stubs: Sequence[int | None], answers: Sequence[int], statuses: Sequence[int]
    ) -> None:
        places: dict[int, int] = {}
        for index, stub in enumerate(stubs):
            if stub is not None:
                places.setdefault(stub, index)
        self.load = load
        self.served = [places.get(answer) for answer in answers]
        self.failed = sum(answer < 0 or status >= 500 for answer, status in zip(answers, statuses, strict=True))


def judge(target: Target, dialect: str, counted: Counted | None) -> MeasuredPool:
    """Hold one pool's counts against its prediction."""
    pool = target.pool
    predicted = shares(pool, dialect, MAX_RING_POINTS)
    if counted is None:
        return _pool(pool, predicted, [], reason=target.reason or "no request reached it")
    if predicted.servers is None or _doubled(target):
        reason = predicted.reason or "several of its lines are one server"
        return _pool(pool, predicted, counted.served, reason=reason, failed=counted.failed)
    if counted.failed:
        reason = f"{counted.failed} of {len(counted.served)} requests failed"
        return _pool(pool, predicted, counted.served, passed=False, reason=reason, failed=counted.failed)
    pick = picker(pool, dialect)
    if pick is not None:
        return _by_pick(pool, predicted, counted, pick)
    if pool.algorithm.name in _ORDERED.get(dialect, ()):
        return _by_cycle(pool, dialect, predicted, counted)
    return _by_chance(pool, predicted, counted)


def _doubled(target: Target) -> bool:
    known = [stub for stub in target.stubs if stub is not None]
    return len(set(known)) < len(known)


def _by_pick(pool: Pool, predicted: Shares, counted: Counted, pick: Pick) -> MeasuredPool:
    wanted = [pick(ask) for ask in asks(counted.load)][: len(counted.served)]
    known = [(want, served) for want, served in zip(wanted, counted.served, strict=False) if want is not None]
    wrong = sum(want != served for want, served in known)
    if not known:
        return _pool(pool, predicted, counted.served, reason="its key is not one that lbcheck can send")
    reason = f"{wrong} of {len(known)} picks went elsewhere" if wrong else None
    return _pool(pool, predicted, counted.served, PICKS, passed=not wrong, reason=reason, wrong=wrong)


def _by_cycle(pool: Pool, dialect: str, predicted: Shares, counted: Counted) -> MeasuredPool:
    """Compare whole cycles; HAProxy's rounding moves a pick now and then, and the emulator knows where."""
    assert predicted.servers is not None  # noqa: S101 - judge() has asked
    cycle = whole_cycle(pool)
    whole = len(counted.served) // cycle * cycle
    if not whole:
        return _pool(pool, predicted, counted.served, reason=f"fewer requests than one cycle of {cycle}")
    counts = _counts(pool, counted.served[:whole])
    exact = [round(share * whole) for share in predicted.servers]
    passed = counts == exact
    if not passed and (dialect, pool.algorithm.name) == ("haproxy", "roundrobin"):
        passed = any(counts == _counts(pool, picks) for picks in _windows(pool, whole))
    reason = None if passed else f"counted {counts} where {exact} were predicted"
    return _pool(pool, predicted, counted.served, CYCLES, passed=passed, reason=reason)


def _windows(pool: Pool, count: int) -> list[list[int]]:
    """Return what the emulator picks, from the first few places at which the counting may have begun."""
    serving = [index for index, server in enumerate(pool.servers) if server.serving]
    picks = window_picks([pool.servers[index].weight.value for index in serving], count + 8)
    return [[serving[pick] for pick in picks[start : start + count]] for start in range(8)]


def _by_chance(pool: Pool, predicted: Shares, counted: Counted) -> MeasuredPool:
    assert predicted.servers is not None  # noqa: S101 - judge() has asked
    counts = _counts(pool, counted.served)
    chance = chi_square_p(counts, predicted.servers)
    passed = chance >= IMPOSSIBLE
    reason = None if passed else f"so far from the prediction only once in {1 / max(chance, 1e-300):.3g} runs"
    return _pool(pool, predicted, counted.served, CHANCE, passed=passed, reason=reason, chance=chance)


def _counts(pool: Pool, served: Sequence[int | None]) -> list[int]:
    counts = [0] * len(pool.servers)
    for index in served:
        if index is not None:
            counts[index] += 1
    return counts


def _pool(
    pool: Pool,
    predicted: Shares,
    served: Sequence[int | None],
    judged: str | None = None,
    reason: str | None = None,
    *,
    passed: bool | None = None,
    failed: int = 0,
    chance: float | None = None,
    wrong: int | None = None,
) -> MeasuredPool:
    counts = _counts(pool, served)
    total = max(len(served), 1)
    known: Sequence[float | None] = predicted.servers or [None] * len(counts)
    return MeasuredPool(
        pool.name,
        pool.span.path,
        pool.span.line,
        pool.algorithm.name,
        judged,
        passed,
        reason,
        len(served),
        failed,
        tuple(
            MeasuredServer(server.name, server.address.text, count, count / total, share)
            for server, count, share in zip(pool.servers, counts, known, strict=True)
        ),
        chance,
        wrong,
    )

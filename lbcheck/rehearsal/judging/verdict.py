"""Counts of one pool in normal operation against its prediction."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.redaction import without
from lbcheck.rehearsal.judging import answered
from lbcheck.rehearsal.judging.chances import chi_square_p
from lbcheck.rehearsal.judging.distribution import Held, by_chance, by_cycle, by_pick, counts
from lbcheck.rehearsal.judging.draws import unlikely
from lbcheck.rehearsal.judging.picks import picker
from lbcheck.rehearsal.judging.unreached import unreached, unrouted
from lbcheck.rehearsal.outcome import CHANCE, Concurrent, MeasuredPool, MeasuredServer
from lbcheck.rehearsal.planning.cycles import by_load, ordered
from lbcheck.rehearsal.planning.keys import keyed
from lbcheck.rehearsal.play.load import IN_FLIGHT, asks
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.rehearsal.planning.plan import Target
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Load


#: Fewer requests with several under way at once say nothing.
_FEW = 2 * IN_FLIGHT


class Served(NamedTuple):
    """What came of the requests for a pool, in order: their numbers, and the places in `pool.servers` that answered.

    A place is None where nobody answered well; so many have `failed`. Left out are those that the proxy answered of
    its `own` accord (how often with which status), and those that went `elsewhere`, to other pools, of the `total`.
    """

    asked: Sequence[int] = ()
    places: Sequence[int | None] = ()
    failed: int = 0
    own: Counter[int] = Counter()  # noqa: RUF012 - nobody adds to it
    elsewhere: int = 0
    total: int = 0

    @property
    def left_out(self) -> str | None:
        """Which requests are not counted, and why; None where all are."""
        words = [answered.told(self.own, self.total)] if self.own else []
        if self.elsewhere:
            words.append(f"{self.elsewhere:,} of {self.total:,} requests went to other pools")
        return "; ".join(words) or None


class Counted(NamedTuple):
    """What the load of one pool came to, one request after the other, and with several under way at once (`together`).

    `down` are the servers that the proxy took for down meanwhile; `unsettled`: it had taken some for down before.
    `drawn` says what is wrong with how often its route took the pool.
    """

    load: Load
    served: Served
    down: Sequence[str]
    together: Served
    unsettled: bool = False
    drawn: str | None = None


def counted(target: Target, dialect: str, loads: Sequence[Load], events: Sequence[Event]) -> Counted | None:
    """Return what came of the load that has reached a pool; None where none has."""
    answers = {(event["event"], event["number"]): event for event in events if event["event"] in {"load", "together"}}
    for number in target.loads:
        event = answers.get(("load", number))
        if event is not None and event["stubs"] and event["reached"] and not _strays(loads[number], event["stubs"]):
            further = answers.get(("together", number), {"stubs": [], "statuses": []})
            return Counted(
                loads[number],
                _served(target, dialect, event),
                target.down(event["down"]),
                _served(target, dialect, further),
                event["unsettled"],
                None if target.split is None else unlikely(target.split, event["stubs"]),
            )
    return None


def _strays(load: Load, stubs: Sequence[int]) -> bool:
    """Say whether a route has led to other pools too: then what this one got is not all that it would get."""
    return load.shared and any(stub >= 0 and stub not in load.expect for stub in stubs)


def _served(target: Target, dialect: str, event: Event) -> Served:
    places = target.places()
    answers = list(zip(event["stubs"], event["statuses"], strict=True))
    failures = [answered.failed(dialect, *answer, lost=False) for answer in answers]
    kept = [number for number, (stub, _) in enumerate(answers) if failures[number] or stub in places]
    own = answered.own_answers(dialect, answers, lost=False)
    return Served(
        kept,
        [None if failures[number] else places[answers[number][0]] for number in kept],
        sum(failures),
        own,
        len(answers) - len(kept) - own.total(),
        len(answers),
    )


def measured(
    target: Target, dialect: str, loads: Sequence[Load], events: Sequence[Event], tolerance: float
) -> MeasuredPool:
    """Hold what was seen of one pool against its prediction."""
    seen = counted(target, dialect, loads, events)
    if seen is not None or target.reason is not None:
        return judge(target, dialect, seen, tolerance)
    pool = judge(target._replace(reason=unreached(target, loads, events)), dialect, None, tolerance)
    return pool._replace(passed=False) if unrouted(target, dialect, events) else pool


def judge(target: Target, dialect: str, seen: Counted | None, tolerance: float) -> MeasuredPool:
    """Hold one pool's counts against its prediction."""
    predicted = shares(target.pool, dialect, MAX_RING_POINTS)
    concurrent = None
    served = Served() if seen is None else seen.served
    if seen is None:
        held = Held(None, None, target.reason or "no request reached it")
    elif predicted.servers is None or target.doubled:
        held = Held(None, None, predicted.reason or "several of its lines are one server")
    elif target.split is not None and target.split.mixed:
        held = Held(None, None, "a pool beside it has one of its servers too")
    elif seen.down:
        held = Held(None, None, f"the proxy took {seen.down[0]} for down: its checks fail here")
    elif served.failed and target.verified:
        why = "it verifies certificates that lie elsewhere"
        held = Held(None, None, f"{served.failed} of {len(served.places)} requests failed: {why}")
    elif served.failed:
        held = Held(None, False, f"{served.failed} of {len(served.places)} requests failed")
    elif seen.drawn:
        held = Held(CHANCE, False, seen.drawn)
    else:
        held = _held(target, dialect, predicted.servers, seen)
        if held.passed is None and served.left_out is not None:
            held = held._replace(reason=served.left_out)
        concurrent = _together(target.pool, dialect, predicted.servers, seen.together, tolerance)
    return MeasuredPool(
        target.pool.name,
        target.pool.span.path,
        target.pool.span.line,
        target.pool.algorithm.name,
        held.judged,
        held.passed,
        held.reason,
        len(served.places),
        served.failed,
        measured_servers(target.pool, counts(target.pool, served.places), predicted.servers),
        held.p_value,
        held.wrong_picks,
        concurrent=concurrent,
        left_out=served.left_out,
    )


def _held(target: Target, dialect: str, parts: Sequence[float], seen: Counted) -> Held:
    pool, served = target.pool, seen.served
    if not served.places:
        return Held(None, None, served.left_out)
    pick = picker(pool, dialect)
    if pick is not None:
        sent = list(asks(seen.load))
        return by_pick([sent[number] for number in served.asked], served.places, pick, target.altered)
    if ordered(pool, dialect):
        return by_cycle(pool, dialect, parts, served.places, 0.0 if seen.unsettled else None)
    if not seen.load.vary and keyed(pool):
        return Held(None, None, "its key is not one that lbcheck can vary")
    return by_chance(counts(pool, served.places), parts)


def _together(pool: Pool, dialect: str, parts: Sequence[float], seen: Served, tolerance: float) -> Concurrent | None:
    """Compare the shares of requests of which several were under way at once, to a tolerance, or to one request."""
    total = len(seen.places)
    if not total:
        return None
    off = max(abs(count / total - part) * 100 for count, part in zip(counts(pool, seen.places), parts, strict=True))
    found = Concurrent(IN_FLIGHT, total, off, tolerance, passed=True)
    if seen.failed:
        return found._replace(passed=False, reason=f"{seen.failed} of {total} requests failed")
    if (why := _unclear(pool, dialect, seen)) is not None:
        return found._replace(passed=None, reason=why)
    if off > max(tolerance, 100 / total if seen.elsewhere else 0.0):
        return found._replace(passed=False, reason=f"a share is {off:.1f} points off")
    return found


def _unclear(pool: Pool, dialect: str, seen: Served) -> str | None:
    """Return why shares under load cannot be held against those of one request after the other; None where they can."""
    if seen.own:
        return answered.told(seen.own, seen.total)
    if len(seen.places) < _FEW:
        return f"{len(seen.places)} requests are too few to tell"
    return "then it depends on how long answers take" if by_load(pool, dialect) else None


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

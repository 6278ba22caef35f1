"""One loss against its prediction: when the proxy noticed, which requests failed until then, who served afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.chances import IMPOSSIBLE, chi_square_p
from lbcheck.rehearsal.distribution import Held, by_chance, by_cycle, by_pick, counts, ordered
from lbcheck.rehearsal.load import NOBODY, asks
from lbcheck.rehearsal.losing import SLACK
from lbcheck.rehearsal.outcome import Aspect, MeasuredLoss
from lbcheck.rehearsal.paced import MOST
from lbcheck.rehearsal.picks import picker
from lbcheck.rehearsal.script import SLOW
from lbcheck.rehearsal.verdict import measured_servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.losing import Trial
    from lbcheck.rehearsal.sandbox import Event
    from lbcheck.rehearsal.script import Load

DETECTION, FAILED, SHARES = "detection", "failed requests", "shares"
#: Requests that were under way when the server was lost say nothing; what comes so many seconds later does.
_MARGIN = 0.05
#: Shares are rounded doubles.
_ALL = 1 - 1e-9
#: So many requests have to be expected on either side before chance can be asked.
_LEAST = 5.0


class _Answer(NamedTuple):
    """An answer as the sandbox tells it: times in seconds, `at` since the loss."""

    ask: int
    stub: int
    status: int
    at: float
    took: float

    @property
    def failed(self) -> bool:
        return self.stub == NOBODY or self.status >= 500


class _Seen:
    """What was seen of a loss."""

    def __init__(self, trial: Trial, event: Event) -> None:
        places = trial.target.places()
        self.load: int = event["load"]
        self.noticed: float | None = event["noticed"]
        self.restored: float = event["restored"]
        self.back: float | None = event["back"]
        self.answers = [_Answer(*one) for one in event["answers"]]
        self.during = [one for one in self.answers if 0 <= one.at < self.restored]
        self.answered = [one for one in self.during if one.at + one.took < self.restored - _MARGIN]
        self.failed = [one for one in self.during if one.failed]
        self.slowest = max((one.took for one in self.failed), default=trial.stall)
        #: (place in the pool's servers, ask) of each request that reached one, in order, once it was quiet again.
        self.settled = [
            (places[stub], ask)
            for stub, ask, at in sorted(event["arrivals"], key=lambda one: one[2])
            if max(event["served_from"], _MARGIN) <= at < self.restored and stub in places
        ]

    def between(self, start: float, end: float) -> list[_Answer]:
        """Return the requests that were sent between these times, and answered before the server came back."""
        return [one for one in self.answered if start <= one.at < end]


def judged(
    trial: Trial, dialect: str, events: Sequence[Event], loads: Sequence[Load], tolerance: float
) -> MeasuredLoss:
    """Hold what happened against what was predicted; what cannot be held soundly is told as measured only."""
    loss = trial.predicted
    kind = loss.kind if trial.play is None else trial.play.kind
    known = kind != SLOW
    found = MeasuredLoss(
        loss.lost,
        kind,
        loss.alike,
        predicted_failed_share=loss.failed_share if known else None,
        predicted_detection_s=loss.detection_s if known else None,
        reason=trial.reason,
    )
    event = next((event for event in events if event["event"] == "loss"), None)
    if trial.play is None or event is None or "load" not in event:
        return found._replace(reason=trial.reason or _unplayed(events))
    seen = _Seen(trial, event)
    until = seen.between(_MARGIN, _until(seen))
    pool = trial.target.pool
    held, served, parts = _shares(trial, dialect, seen, loads[seen.load], tolerance)
    aspects = [_detection(trial, seen), _failures(trial, seen, until), _aspect(SHARES, held)]
    others = trial.target.down(event["down"], loss.places)
    if others:
        why = f"the proxy took {others[0]} for down too: its checks fail here"
        aspects = [aspects[0], *(Aspect(one.what, None, why) for one in aspects[1:])]
    if not known:
        aspects = [Aspect(one.what, None, "how slow servers fare is not predicted") for one in aspects]
    return found._replace(
        aspects=tuple(aspects),
        requests=len(seen.during),
        failed=len(seen.failed),
        failed_share=sum(one.failed for one in until) / len(until) if until else None,
        detection_s=seen.noticed,
        last_failure_s=max((one.at for one in seen.failed), default=None),
        recovery_s=seen.back,
        backups=any(pool.servers[place].backup for place in served if place is not None),
        servers=measured_servers(pool, counts(pool, served), parts),
    )


def _unplayed(events: Sequence[Event]) -> str:
    from lbcheck.rehearsal.native import unusable

    reached = not any(event["event"] == "loss" for event in events)
    return unusable(events) or ("the rehearsal ended early" if reached else "no request reached the pool")


def _aspect(what: str, held: Held) -> Aspect:
    return Aspect(what, held.passed, held.reason, held.judged, held.p_value)


def _until(seen: _Seen) -> float:
    """Return until when requests were sent that met the lost server as long as it was not noticed.

    A request that was waiting when the proxy noticed may have been saved by that.
    """
    return (seen.restored if seen.noticed is None else seen.noticed) - seen.slowest


def _detection(trial: Trial, seen: _Seen) -> Aspect:
    loss, play = trial.predicted, trial.play
    assert play is not None  # noqa: S101 - it was played
    if not play.down and not play.silence and not (loss.never and loss.failed_share):
        return Aspect(DETECTION, None, "when the proxy stops sending to it cannot be seen")
    if loss.detection_s is None:
        return _never(trial, seen)
    if play.notice < loss.detection_s:
        return Aspect(DETECTION, None, f"it may take {loss.detection_s:g} s: longer than is waited for")
    if seen.noticed is None:
        return Aspect(DETECTION, False, f"not noticed within {play.notice:.1f} s")
    if seen.noticed > loss.detection_s + SLACK:
        return Aspect(DETECTION, False, f"noticed after {seen.noticed:.1f} s, not {loss.detection_s:g} s")
    return Aspect(DETECTION, True)


def _never(trial: Trial, seen: _Seen) -> Aspect:
    servers = [trial.target.pool.servers[place] for place in trial.predicted.places]
    if not trial.predicted.never or any("observe" in server.options for server in servers):
        return Aspect(DETECTION, None, trial.predicted.detection)
    if seen.noticed is not None:
        return Aspect(DETECTION, False, f"taken out after {seen.noticed:.1f} s, where nobody takes it out")
    return Aspect(DETECTION, True)


def _failures(trial: Trial, seen: _Seen, until: Sequence[_Answer]) -> Aspect:
    """Compare the part that failed until the detection; where none may fail, not one."""
    share = trial.predicted.failed_share
    if share is None:
        return Aspect(FAILED, None, "which requests fail is not predicted")
    if not share:
        wrong = [one for one in seen.failed if one.at >= _MARGIN]
        reason = f"{len(wrong)} of {len(seen.during)} requests failed where none may"
        return Aspect(FAILED, not wrong, reason if wrong else None)
    if trial.predicted.failed_requests is not None and seen.noticed is not None:
        return _few_failures(trial.predicted.failed_requests, seen)
    failed, total = sum(one.failed for one in until), len(until)
    if share >= 1:
        found = f"{failed} of {total} requests failed"
        return Aspect(FAILED, failed == total if total else None, found if failed < total or not total else None)
    if total * min(share, 1 - share) < _LEAST:
        return Aspect(FAILED, None, f"too few requests to tell: {total} before it was noticed")
    chance = chi_square_p([failed, total - failed], [share, 1 - share])
    reason = f"{failed} of {total} requests failed, where {share:.1%} were predicted"
    return Aspect(FAILED, chance >= IMPOSSIBLE, reason if chance < IMPOSSIBLE else None, p_value=chance)


def _few_failures(predicted: int, seen: _Seen) -> Aspect:
    """Compare how many requests failed until their failures took the server out; one more may have been under way."""
    end = (seen.noticed or 0.0) + _MARGIN
    failed = sum(one.at < end for one in seen.failed)
    fits = abs(failed - predicted) <= 1
    return Aspect(FAILED, fits, None if fits else f"{failed} requests failed, where {predicted} were predicted")


def _shares(
    trial: Trial, dialect: str, seen: _Seen, load: Load, tolerance: float
) -> tuple[Held, list[int | None], list[float | None]]:
    """Compare who served after the detection. Return the places that served, and the predicted parts, too."""
    loss, target = trial.predicted, trial.target
    parts = [server.share for server in loss.servers]
    served: list[int | None] = [place for place, _ in seen.settled]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or target.doubled:
        return Held(None, None, loss.reason or "several of its lines are one server"), served, parts
    if loss.never and loss.unserved:
        places = target.places()
        lasting = seen.between(_MARGIN, _until(seen))
        served = [None if one.failed else places.get(one.stub) for one in lasting]
        found = [*counts(target.pool, served), served.count(None)]
        return by_chance(found, [*known, loss.unserved]), served, parts
    if loss.unserved >= _ALL:
        served = [place for place in served if place not in loss.places]  # in panic Envoy asks lost ones too
        reason = f"{len(served)} requests were served where none may be"
        return Held(None, not served, reason if served else None), served, parts
    if not served or loss.unserved or (seen.noticed is None and not loss.never):
        return Held(None, None, "nobody saw who serves once it is noticed"), served, parts
    return _settled(trial, dialect, seen, load, known, tolerance), served, parts


def _settled(trial: Trial, dialect: str, seen: _Seen, load: Load, parts: Sequence[float], tolerance: float) -> Held:
    pool, served = trial.target.pool, [place for place, _ in seen.settled]
    pick = picker(pool, dialect, frozenset(trial.predicted.places))
    if pick is not None:
        sent = list(asks(load._replace(requests=min(MOST, max(ask for _, ask in seen.settled) + 1))))
        return by_pick([sent[ask] for _, ask in seen.settled], served, pick)
    if ordered(pool, dialect, frozenset(trial.predicted.places)):
        return by_cycle(pool, dialect, parts, served, tolerance)
    return by_chance(counts(pool, served), parts)

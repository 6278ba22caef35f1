"""One loss against its prediction: when the proxy noticed, which requests failed until then, who served afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.rehearsal.judging.distribution import Held, by_chance, by_cycle, by_pick, counts
from lbcheck.rehearsal.judging.loss_seen import MARGIN, Seen
from lbcheck.rehearsal.judging.picks import picker
from lbcheck.rehearsal.judging.verdict import measured_servers
from lbcheck.rehearsal.outcome import DETECTION, FAILED, SHARES, Aspect, MeasuredLoss
from lbcheck.rehearsal.planning.cycles import by_load, limited, ordered
from lbcheck.rehearsal.planning.losing import SLACK
from lbcheck.rehearsal.play.load import asks
from lbcheck.rehearsal.play.paced import MOST
from lbcheck.rehearsal.play.script import SLOW
from lbcheck.rehearsal.preparing import native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.planning.losing import Trial
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Load

#: Shares are rounded doubles.
_ALL = 1 - 1e-9
#: So many requests have to be expected on either side before chance can be asked.
_LEAST = 5.0


def excused(loss: MeasuredLoss, reason: str, *, told: bool) -> MeasuredLoss:
    """Return a loss of which requests say nothing, for this reason, where they differ from the prediction.

    `told`: its detection was the proxy's own word, not what requests have shown.
    """
    return loss._replace(
        aspects=tuple(
            one._replace(passed=None, reason=reason)
            if one.passed is False and not (told and one.what == DETECTION)
            else one
            for one in loss.aspects
        )
    )


def judged(
    trial: Trial, dialect: str, events: Sequence[Event], loads: Sequence[Load], tolerance: float
) -> MeasuredLoss:
    """Hold what happened against what was predicted; what cannot be held soundly is told as measured only."""
    found = _predicted(trial)
    event = next((event for event in events if event["event"] == "loss"), None)
    if trial.play is None or event is None or "load" not in event:
        return found._replace(reason=trial.reason or _unplayed(events))
    seen = Seen(trial, dialect, event)
    shares = _shares(trial, dialect, seen, loads[seen.load], tolerance)
    failures = _failures(trial, dialect, seen)
    aspects: tuple[Aspect, ...] = (
        _detection(trial, seen, failures),
        failures,
        Aspect(SHARES, shares.passed, shares.reason, shares.judged, shares.p_value),
    )
    if (why := _unsound(trial, seen, event["down"])) is not None:
        aspects = tuple(Aspect(one.what, None, why) for one in aspects)
    return _measured(found._replace(aspects=aspects), trial, seen)


def _predicted(trial: Trial) -> MeasuredLoss:
    """Return a loss of which nothing was seen yet."""
    loss = trial.predicted
    kind = loss.kind if trial.play is None else trial.play.kind
    found = MeasuredLoss(loss.lost, kind, loss.alike)
    if kind == SLOW:
        return found
    return found._replace(
        predicted_failed_share=loss.failed_share,
        predicted_failed_requests=loss.failed_requests,
        predicted_detection_s=loss.detection_s,
    )


def _unplayed(events: Sequence[Event]) -> str:
    event = next((event for event in events if event["event"] == "loss"), None)
    if event is None:
        return native.unusable(events) or "the rehearsal ended early"
    return event.get("reason") or "no request reached the pool"


def _unsound(trial: Trial, seen: Seen, down: Sequence[str]) -> str | None:
    """Return why nothing of what was seen can be held against the prediction; None where it can."""
    if trial.play is not None and trial.play.kind == SLOW:
        return "how slow servers fare is not predicted"
    others = trial.target.down(down, trial.predicted.places)
    if others:
        follows = any(one.name == others[0] and one.tracks is not None for one in trial.target.pool.servers)
        why = "it follows another one's checks" if follows else "its checks fail here"
        return f"the proxy took {others[0]} for down too: {why}"
    return seen.disturbed()


def _measured(found: MeasuredLoss, trial: Trial, seen: Seen) -> MeasuredLoss:
    """Return the loss with what was counted."""
    pool, loss = trial.target.pool, trial.predicted
    served = seen.outcomes() if loss.never and loss.unserved else [place for place, _ in seen.served()]
    return found._replace(
        requests=len(seen.during),
        failed=len(seen.failed),
        failed_share=sum(one.failed for one in seen.lasting) / len(seen.lasting) if seen.lasting else None,
        detection_s=seen.noticed,
        last_failure_s=max((max(one.at, 0.0) for one in seen.failed), default=None),
        recovery_s=seen.back,
        backups=any(pool.servers[place].backup for place in served if place is not None),
        servers=measured_servers(pool, counts(pool, served), [server.share for server in loss.servers]),
    )


def _detection(trial: Trial, seen: Seen, failures: Aspect) -> Aspect:
    """Compare when the proxy noticed; that it never does is also seen by failures that go on as predicted."""
    loss, play = trial.predicted, trial.play
    assert play is not None  # noqa: S101 - it was played
    lasting = loss.never and bool(loss.failed_share) and failures.passed is not None
    if not play.down and not play.silence and not lasting:
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


def _never(trial: Trial, seen: Seen) -> Aspect:
    servers = [trial.target.pool.servers[place] for place in trial.predicted.places]
    if not trial.predicted.never or any("observe" in server.options for server in servers):
        return Aspect(DETECTION, None, trial.predicted.detection)
    if seen.noticed is not None:
        return Aspect(DETECTION, False, f"taken out after {seen.noticed:.1f} s, where nobody takes it out")
    return Aspect(DETECTION, True)


def _failures(trial: Trial, dialect: str, seen: Seen) -> Aspect:
    """Compare the part that failed until the detection; where none may fail, not one."""
    share = trial.predicted.failed_share
    if share is None:
        return Aspect(FAILED, None, "which requests fail is not predicted")
    by_others = not share and trial.part and not limited(trial.target.pool)
    if not by_others and seen.crowded() and (why := _moved_by_load(trial, dialect)) is not None:
        return Aspect(FAILED, None, why)
    if not share:
        wrong = [one for one in seen.failed if one.at >= MARGIN]
        reason = f"{len(wrong)} of {len(seen.during)} requests failed where none may"
        return Aspect(FAILED, not wrong, reason if wrong else None)
    if trial.predicted.failed_requests is not None and seen.noticed is not None:
        return _few_failures(trial.predicted.failed_requests, seen)
    return _part_failed(share, seen)


def _part_failed(share: float, seen: Seen) -> Aspect:
    """Compare the part of the requests that failed, by chance unless it is all of them."""
    failed, total = sum(one.failed for one in seen.lasting), len(seen.lasting)
    if share >= 1:
        found = f"{failed} of {total} requests failed"
        return Aspect(FAILED, failed == total if total else None, found if failed < total or not total else None)
    if total * min(share, 1 - share) < _LEAST:
        return Aspect(FAILED, None, f"too few requests to tell: {total} before it was noticed")
    chance = chi_square_p([failed, total - failed], [share, 1 - share])
    reason = f"{failed} of {total} requests failed, where {share:.1%} were predicted"
    return Aspect(FAILED, chance >= IMPOSSIBLE, reason if chance < IMPOSSIBLE else None, p_value=chance)


def _few_failures(predicted: int, seen: Seen) -> Aspect:
    """Compare how many requests failed until their failures took the server out; more may have been under way."""
    end = (seen.noticed or 0.0) + MARGIN
    failed = sum(one.at < end for one in seen.failed)
    fits = predicted - 1 <= failed <= predicted + max(1, seen.under_way())
    return Aspect(FAILED, fits, None if fits else f"{failed} requests failed, where {predicted} were predicted")


def _moved_by_load(trial: Trial, dialect: str) -> str | None:
    """Return why it depends on the load which requests meet the lost server; None where it does not.

    Predicted is what one request after the other meets. Those that wait for a lost server count as its load.
    """
    pool = trial.target.pool
    if len(pool.enabled) <= len(trial.predicted.places) or not by_load(pool, dialect):
        return None
    return "which server a request meets depends on how many wait at each"


def _shares(trial: Trial, dialect: str, seen: Seen, load: Load, tolerance: float) -> Held:
    """Compare who served after the detection; or all along, where nobody notices."""
    loss, target = trial.predicted, trial.target
    known = [server.share for server in loss.servers if server.share is not None]
    if len(known) < len(loss.servers) or target.doubled:
        return Held(None, None, loss.reason or "several of its lines are one server")
    moved = seen.crowded() if seen.noticed is None else seen.unsettled()
    if moved and (why := _moved_by_load(trial, dialect)) is not None:
        return Held(None, None, why)
    if loss.never and loss.unserved:
        served = seen.outcomes()
        return by_chance([*counts(target.pool, served), served.count(None)], [*known, loss.unserved])
    settled = seen.served()
    if loss.unserved >= _ALL:
        settled = [one for one in settled if one[0] not in loss.places]  # in panic Envoy asks lost ones too
        reason = f"{len(settled)} requests were served where none may be"
        return Held(None, not settled, reason if settled else None)
    if not settled or loss.unserved or (seen.noticed is None and not loss.never):
        return Held(None, None, "nobody saw who serves once it is noticed")
    return _settled(trial, dialect, settled, load, known, tolerance)


def _settled(
    trial: Trial,
    dialect: str,
    settled: Sequence[tuple[int, int]],
    load: Load,
    parts: Sequence[float],
    tolerance: float,
) -> Held:
    pool, served = trial.target.pool, [place for place, _ in settled]
    pick = picker(pool, dialect, frozenset(trial.predicted.places))
    if pick is not None:
        sent = list(asks(load._replace(requests=min(MOST, max(ask for _, ask in settled) + 1))))
        return by_pick([sent[ask] for _, ask in settled], served, pick, trial.target.altered)
    if ordered(pool, dialect, frozenset(trial.predicted.places)):
        return by_cycle(pool, dialect, parts, served, tolerance)
    return by_chance(counts(pool, served), parts)

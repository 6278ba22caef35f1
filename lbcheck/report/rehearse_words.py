"""What was seen in a rehearsal, in the words that all its reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.outcome import FAILED, pool_parts
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.words import percent, plain
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.outcome import Concurrent, MeasuredLoss, MeasuredReload, MeasuredServer, Message, Rehearsed


def native_line(said: Message) -> str:
    """Return what the proxy's own check says, with its place as editors read it: "nginx.conf:12:5: [emerg] …"."""
    numbers = [str(number) for number in (said.line, said.column) if number is not None]
    place = "" if said.path is None else ":".join([shown_path(said.path), *numbers]) + ": "
    return place + escape(said.text)


def rewritten_line(one: Rehearsed) -> str | None:
    """Return what has to be known of a config that was not run as it is; None where it was, or was not run at all."""
    if one.rewritten is None or (one.error is not None and not one.accepted):
        return None
    return (
        f"rewritten, not run as it is ({escape(one.rewritten)}): other addresses and files, shares predicted for those;"
        " no server is lost"
    )


def alone(loss: MeasuredLoss) -> str:
    """Return who is lost: "web1", "web1 (or any of 3 alike)"."""
    name = plain(loss.lost)
    return name if loss.alike == 1 else f"{name} (or any of {loss.alike:,} alike)"


def outcome(loss: MeasuredLoss) -> str:
    """Return the verdict on a loss: what was not judged is not said to be as predicted."""
    if loss.passed is None:
        return "measured only"
    if not loss.passed:
        return "NOT as predicted"
    judged = [aspect.what for aspect in loss.aspects if aspect.passed]
    return "as predicted" if loss.whole else f"{listed(judged)} as predicted"


def unjudged(loss: MeasuredLoss) -> list[str]:
    """Return what of a loss was not judged, and why."""
    return [f"{one.what} not judged: {one.reason}" for one in loss.aspects if one.passed is None and one.reason]


def together(found: Concurrent) -> str:
    """Return what came of requests of which several were under way at once."""
    words = f"{found.in_flight} at once: shares are {found.off_points:.1f} points off at most"
    if found.passed is None:
        return f"{words}; not judged: {found.reason}"
    tolerated = f"{words} (tolerated: {found.tolerance:g})"
    return tolerated if found.passed else f"{tolerated}; NOT as predicted: {found.reason}"


def until(loss: MeasuredLoss) -> str:
    """Return what failed: "33.3 % of requests failed (33.3 % predicted until it is noticed)"."""
    share, told = loss.failed_share, _predicted(loss)
    if share and loss.failed and loss.predicted_failed_requests is None:
        return f"{percent(share)} of requests failed{told}"
    return f"{loss.failed} of {counted(loss.requests, 'request')} failed{told}"


def _predicted(loss: MeasuredLoss) -> str:
    """Return how many were predicted to fail, in brackets; or that nobody can hold that against what was seen."""
    few, share = loss.predicted_failed_requests, loss.predicted_failed_share
    words = "" if share is None else f"{percent(share)} predicted until it is noticed"
    if few is not None:
        words = f"{few} predicted until it is noticed"
    judged = any(one.what == FAILED and one.passed is not None for one in loss.aspects)
    return f" ({words}{'' if judged else '; not judged'})" if words else ""


def noticed(loss: MeasuredLoss) -> str:
    """Return when the proxy stopped sending to it."""
    predicted = "" if loss.predicted_detection_s is None else f" (at most {loss.predicted_detection_s:g} s predicted)"
    if loss.detection_s is None:
        return f"not seen to be noticed{predicted}"
    return f"noticed after {loss.detection_s:.1f} s{predicted}"


def clock(loss: MeasuredLoss) -> str:
    """Return what else took time, and who came in."""
    words = ["; backups came in"] if loss.backups else []
    if loss.last_failure_s is not None:
        words.append(f"; the last failure began after {loss.last_failure_s:.1f} s")
    if loss.recovery_s is not None:
        words.append(f"; back in use {loss.recovery_s:.1f} s after its return")
    return "".join(words)


def share_lines(servers: Sequence[MeasuredServer]) -> str:
    """Return what each server got, a line for each."""
    return "\n".join(
        f"{plain(one.name)}: {percent(one.measured)} counted, {percent(one.predicted)} predicted" for one in servers
    )


def headline(rehearsed: Sequence[Rehearsed]) -> str:
    """Return the verdict in one line."""
    pools = [pool for one in rehearsed for pool in one.pools]
    parts = [pool_parts(pool) for pool in pools]
    wrong = sum(False in one for one in parts)
    unjudged = sum(pool.passed is None and False not in one for pool, one in zip(pools, parts, strict=True))
    taken = sum(one.accepted and not one.pools and one.error is None for one in rehearsed)
    words = [f"{counted(taken, 'config')} accepted"] if taken else []
    if pools or not words:
        words.append(f"{counted(len(pools) - wrong - unjudged, 'pool')} as predicted")
    if wrong:
        words.append(f"{wrong} NOT as predicted")
    if unjudged:
        words.append(f"{unjudged} not judged")
    losses = [loss for pool in pools for loss in pool.losses]
    if losses:
        fine, unsure = (sum(loss.passed is wanted for loss in losses) for wanted in (True, None))
        whole = sum(loss.passed is True and loss.whole for loss in losses)
        words.append(f"{whole} of {len(losses)} losses as predicted")
        if fine > whole:
            words.append(f"{fine - whole} as far as they were judged")
        if unsure:
            words.append(f"{unsure} measured only")
    refused = sum(not one.accepted or one.error is not None for one in rehearsed)
    if refused:
        words.append(f"{counted(refused, 'config')} not rehearsed")
    words += [_reloaded(one.reload) for one in rehearsed if one.reload is not None]
    return ", ".join(words)


def _reloaded(reload: MeasuredReload) -> str:
    if reload.passed is None:
        return "the reload not rehearsed"
    return f"{reload.lost + reload.errors} requests lost in the reload"

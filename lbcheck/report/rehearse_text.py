"""`lbcheck rehearse` at a terminal: counted shares beside predicted ones, and the verdict in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.terminal import padded, printed, styled, width_of
from lbcheck.report.pictures.words import cut, percent
from lbcheck.traffic.outcome import HOT
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.rehearsal.outcome import MeasuredLoss, MeasuredPool, Rehearsed
    from lbcheck.report.options import Options

_BAR, _NAME = 30, 28


def render(rehearsed: Sequence[Rehearsed], options: Options) -> str:
    """Return every pool with its servers, what differs first said, and the verdict as the last line."""
    return printed(_lines(rehearsed, width_of(options)), options)


def _lines(rehearsed: Sequence[Rehearsed], width: int) -> Iterator[Text]:
    for one in rehearsed:
        yield styled(shown_path(cut(one.config, width)), "strong")
        yield from _native(one)
        for pool in one.pools:
            yield from _pool(pool)
        if one.rewrites:
            yield styled(f"  {counted(len(one.rewrites), 'line')} changed for the sandbox (--show-rewrites)", "muted")
        yield Text()
    yield _verdict(rehearsed)


def _native(one: Rehearsed) -> Iterator[Text]:
    if not one.accepted:
        for said in one.native:
            yield Text("  " + escape(said.text))
    if one.error:
        yield styled(f"  not rehearsed: {escape(one.error)}", HOT)
    elif one.accepted and not one.pools:
        yield styled(f"  {one.dialect} accepts it", "good")


def _pool(pool: MeasuredPool) -> Iterator[Text]:
    if pool.passed is None:
        yield styled(f"  {escape(pool.name)}: not held against the prediction: {escape(pool.reason or '')}", "muted")
        return
    word, style = ("as predicted", "good") if pool.passed else (f"NOT as predicted: {pool.reason}", HOT)
    requests = counted(pool.requests, "request")
    yield styled(f"  {escape(pool.name)}  {escape(word)}  ({requests}, {pool.judged or 'all'})", style)
    for server in pool.servers:
        predicted = "?" if server.predicted is None else percent(server.predicted)
        line = Text("    ").append_text(padded(escape(server.name), _NAME)).append(" ")
        line.append("█" * round(server.measured * _BAR) + " " * (_BAR - round(server.measured * _BAR)))
        line.append(f" {percent(server.measured):>8} counted, {predicted} predicted")
        yield line
    for loss in pool.losses:
        yield _loss(loss)


def _loss(loss: MeasuredLoss) -> Text:
    words = "as predicted" if loss.passed else loss.reason or ""
    text = f"    without {escape(loss.lost)}: {loss.failed} of {loss.requests} requests failed"
    if loss.last_failure_s is not None:
        text += f", the last one after {loss.last_failure_s:.1f} s"
    return styled(f"{text}; {escape(words)}", "muted" if loss.passed is None else "good" if loss.passed else HOT)


def _verdict(rehearsed: Sequence[Rehearsed]) -> Text:
    pools = [pool for one in rehearsed for pool in one.pools]
    wrong = sum(pool.passed is False for pool in pools)
    unjudged = sum(pool.passed is None for pool in pools)
    refused = sum(not one.accepted or one.error is not None for one in rehearsed)
    parts = [f"{counted(len(pools) - wrong - unjudged, 'pool')} as predicted"]
    if wrong:
        parts.append(f"{wrong} NOT as predicted")
    if unjudged:
        parts.append(f"{unjudged} not judged")
    if refused:
        parts.append(f"{counted(refused, 'config')} not rehearsed")
    return styled(", ".join(parts), HOT if wrong or refused else "good")

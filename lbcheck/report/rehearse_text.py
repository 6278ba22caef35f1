"""`lbcheck rehearse` at a terminal: counted shares beside predicted ones, and the verdict in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from lbcheck.rehearsal.outcome import held, pool_parts, unplayed
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.terminal import bar, columns_width, padded, printed, styled, width_of
from lbcheck.report.pictures.words import cut, percent, plain, told
from lbcheck.report.rehearse_words import (
    alone,
    clock,
    headline,
    native_line,
    noticed,
    outcome,
    rewritten_line,
    together,
    unjudged,
    until,
)
from lbcheck.traffic.outcome import HOT, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.rehearsal.outcome import MeasuredLoss, MeasuredPool, MeasuredReload, Rehearsed
    from lbcheck.report.options import Options

#: Columns of a bar, and of a name; so many servers of a pool are shown.
_BAR, _LEAST, _NAME, _MOST = 24, 8, 28, 40


def render(rehearsed: Sequence[Rehearsed], options: Options) -> str:
    """Return every pool with its servers, what differs first said, and the verdict as the last line."""
    return printed(_lines(rehearsed, width_of(options)), options)


def _lines(rehearsed: Sequence[Rehearsed], width: int) -> Iterator[Text]:
    for one in rehearsed:
        yield styled(cut(shown_path(one.config), width), "strong")
        if (rewritten := rewritten_line(one)) is not None:
            yield styled(f"  {rewritten}", "strong")
        yield from _native(one)
        for pool in one.pools:
            yield from _pool(pool)
        if one.reload is not None:
            yield from _reload(one.reload)
        if one.rewrites:
            yield styled(f"  {counted(len(one.rewrites), 'line')} changed for the sandbox (--show-rewrites)", "muted")
        yield Text()
    fine = "good" if held(rehearsed) else UNKNOWN
    broken = unplayed(rehearsed) or any(not one.passed for one in rehearsed)
    yield styled(headline(rehearsed), HOT if broken else fine)


def _native(one: Rehearsed) -> Iterator[Text]:
    for said in one.native:
        if not one.accepted or "[warn" in said.text.lower():
            yield Text("  " + native_line(said))
    if one.error:
        yield styled(f"  not rehearsed: {escape(one.error)}", HOT)
    elif one.accepted and not one.pools:
        yield styled(f"  {one.dialect} accepts it", "good")


def _pool(pool: MeasuredPool) -> Iterator[Text]:
    name = plain(pool.name)
    if pool.passed is None:
        yield styled(f"  {name}: not held against the prediction: {told(pool.reason or '')}", "muted")
    else:
        how = ", ".join(filter(None, [counted(pool.requests, "request"), pool.judged]))
        yield styled(f"  {name}  {_verdict(pool)}  ({how})", HOT if False in pool_parts(pool) else "good")
    if pool.left_out is not None and pool.left_out != pool.reason:
        yield styled(f"    not counted: {told(pool.left_out)}", "muted")
    if pool.requests:
        yield from _servers(pool)
    if pool.concurrent is not None:
        yield styled(f"    {told(together(pool.concurrent))}", HOT if pool.concurrent.passed is False else "muted")
    for loss in pool.losses:
        yield from _loss(loss)


def _verdict(pool: MeasuredPool) -> str:
    """Return what became of the pool: what is as predicted is not said of all of it where a part is not."""
    if not pool.passed:
        return f"NOT as predicted: {told(pool.reason or '')}"
    if pool.concurrent is not None and pool.concurrent.passed is False:
        return "as predicted one after the other, NOT with several at once"
    return "as predicted, but for a loss" if False in pool_parts(pool) else "as predicted"


def _servers(pool: MeasuredPool) -> Iterator[Text]:
    room = columns_width([plain(server.name) for server in pool.servers], _LEAST, _NAME)
    for server in pool.servers[:_MOST]:
        line = Text("    ").append_text(padded(plain(server.name), room)).append(" ")
        line.append_text(bar(server.measured, None, _BAR))
        line.append(f" {percent(server.measured):>8} counted, {percent(server.predicted)} predicted")
        yield line
    if len(pool.servers) > _MOST:
        yield styled(f"    … and {counted(len(pool.servers) - _MOST, 'more server')}", "muted")


def _loss(loss: MeasuredLoss) -> Iterator[Text]:
    if loss.reason is not None:
        yield styled(f"    without {alone(loss)}: {told(loss.reason)}", "muted")
        return
    look = {None: "muted", True: "good", False: HOT}[loss.passed]
    yield styled(f"    without {alone(loss)} ({loss.kind}): {outcome(loss)}", look)
    yield Text(f"      {until(loss)}; {noticed(loss)}{clock(loss)}")
    for aspect in loss.aspects:
        if aspect.passed is False:
            yield styled(f"      {aspect.what} NOT as predicted: {told(aspect.reason or '')}", HOT)
    for words in unjudged(loss):
        yield styled(f"      {told(words)}", "muted")


def _reload(found: MeasuredReload) -> Iterator[Text]:
    name = shown_path(found.old)
    if found.passed is None:
        yield styled(f"  reload from {name}: not rehearsed: {told(found.reason or '')}", "muted")
        return
    words = f"{found.lost + found.errors} of {counted(found.requests, 'request')} lost"
    took = "" if found.seconds is None else f", the old processes ended after {found.seconds:.1f} s"
    reason = "" if found.passed else f": {told(found.reason or '')}"
    yield styled(f"  reload from {name}: {words}{took}{reason}", "good" if found.passed else HOT)
    for pool in found.pools:
        if False in pool_parts(pool):
            yield styled(f"    {plain(pool.name)} afterwards: {_verdict(pool)}", HOT)
            if pool.concurrent is not None:
                yield styled(f"      {told(together(pool.concurrent))}", HOT)

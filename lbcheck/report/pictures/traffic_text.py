"""`lbcheck traffic` at a terminal: a bar for each server, the worst pool first, and what its worst loss would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from lbcheck.report.escape import shown_path
from lbcheck.report.pictures import losses
from lbcheck.report.pictures.rows import NOBODY, OVERLOADED, mark
from lbcheck.report.pictures.sections import digest, ranked
from lbcheck.report.pictures.sources import MISSING, MYSTERY, sink_words
from lbcheck.report.pictures.sources import NOBODY as NOWHERE
from lbcheck.report.pictures.terminal import FAIR_TICK, bar, columns_width, padded, printed, styled, unread, width_of
from lbcheck.report.pictures.views import FINE, IN_DOUBT, all_lead_on, one_each, summary
from lbcheck.report.pictures.words import amount, cut, named, percent
from lbcheck.traffic.outcome import UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.report.options import Options
    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.sections import Digest, Section
    from lbcheck.report.pictures.sources import Lane, Sink
    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import Traffic

#: So many pools have lines of their own, so many if all is well, and a pool so many lines: a screen holds no more.
MOST_POOLS = 12
_FINE_POOLS = 8
_MOST_LINES = 8
_POOL, _SHARE = (6, 20), (6, 22)
_SERVER = 8
#: So many reasons why a route's targets serve nobody are told.
_MOST_DOUBTS = 6
_SIGNS = {MISSING: "✕", MYSTERY: "?"}
_MARK = (14, 26)
_BARS = (8, 40)


class _Widths(NamedTuple):
    pool: int
    server: int
    bar: int
    share: int
    total: int


def render(traffic: Traffic, options: Options) -> str:
    """Return the pools in trouble first, each server's share, and the summary as the last line."""
    ranks = ranked(traffic)
    troubled = sum(1 for view in ranks if view.trouble or view.asked)
    shown = digest(traffic, min(MOST_POOLS, max(_FINE_POOLS, troubled)), ranks)
    lines = {view.at: view.rows(_MOST_LINES, alike=True) for section in shown.sections for view in section.pools}
    widths = _widths(shown, lines, width_of(options))
    return printed(_lines(traffic, shown, lines, widths), options)


def _lines(traffic: Traffic, shown: Digest, lines: dict[int, list[Row]], widths: _Widths) -> Iterator[Text]:
    ticked = False
    for section in shown.sections:
        yield styled(shown_path(cut(section.title, widths.total)), "strong")
        for view in section.pools:
            told = list(_pool(view, lines[view.at], widths))
            ticked = ticked or any(FAIR_TICK in line.plain for line in told)
            yield from told
        yield from _routes(section, widths)
        yield Text()
    if shown.left_out:
        yield _left_out(shown.left_out, widths)
    if traffic.not_checked:
        yield from unread(traffic.not_checked, widths.total)
    names = one_each(traffic, widths.total // 3)
    if names:
        yield styled(cut(names, widths.total), "muted")
    if ticked:
        yield styled(f"{FAIR_TICK} is where a fair share ends", "muted")
    everything = [*shown.left_out, *(view for section in shown.sections for view in section.pools)]
    fine = all(view.trouble == FINE for view in everything) and bool(everything)
    fine = fine and all_lead_on(traffic)
    yield styled(f"{summary(traffic)} in {counted(traffic.configs, 'config')}", "good" if fine else "strong")


def _label(row: Row, room: int) -> str:
    """Return a line's name: those of all its servers where they fit."""
    names = ", ".join(row.names)
    return names if 1 < row.size == len(row.names) and len(names) <= room else row.label


def _widths(shown: Digest, lines: dict[int, list[Row]], width: int) -> _Widths:
    pools = [view.name for section in shown.sections for view in section.pools]
    rows = [row for found in lines.values() for row in found]
    pool = columns_width(pools, *_POOL)
    most = max(20, width // 4 + 2)
    server = columns_width((_label(row, most) for row in rows), _SERVER, most)
    share = columns_width((row.amount for row in rows), *_SHARE)
    fixed = 2 + pool + share + columns_width((mark(row) for row in rows), *_MARK) + 4
    free = width - fixed - server
    if free < _BARS[0]:
        server = max(_SERVER, server - (_BARS[0] - free))
        free = width - fixed - server
    return _Widths(pool, server, max(_BARS[0], min(_BARS[1], free)), share, width)


def _pool(view: PoolView, rows: Sequence[Row], widths: _Widths) -> Iterator[Text]:
    if view.reason is not None:
        yield _unknown(view, widths)
        yield from _losses(view, widths) if view.asked else ()
        return
    if not rows:
        yield Text.assemble("  ", padded(view.name, widths.pool), " no servers")
    for number, row in enumerate(rows):
        name = padded("" if number else view.name, widths.pool, "strong")
        yield _fitting(Text.assemble("  ", name, " ", _server(row, widths), _tail(view, row, first=not number)), widths)
    if view.dead:
        yield _fitting(Text("    ") + styled(f"✕ {view.dead}", NOBODY), widths)
    if view.full:
        yield _fitting(Text("    ") + styled(f"✕ {view.full}", NOBODY), widths)
    if view.estimated:
        yield _fitting(Text("    ") + styled(view.method, "muted"), widths)
    for note in view.notes:
        yield _fitting(Text("    ") + styled(f"? {note}", UNKNOWN), widths)
    yield from _losses(view, widths)


def _losses(view: PoolView, widths: _Widths) -> Iterator[Text]:
    told = losses.shown(view, _MOST_LINES)
    for loss in told:
        yield _fitting(Text("    ") + styled(losses.told(loss, view.pool), "muted"), widths)
    more = len(view.pool.losses) - len(told) if view.asked else 0
    if more:
        yield _fitting(Text("    ") + styled(f"… and {more:,} more that hurt less", "muted"), widths)


def _unknown(view: PoolView, widths: _Widths) -> Text:
    words = f"? shares not known: {view.reason} ({view.size})"
    return Text.assemble(
        "  ",
        padded(view.name, widths.pool, "strong"),
        " ",
        styled(cut(words, widths.total - widths.pool - 3), UNKNOWN),
    )


def _server(row: Row, widths: _Widths) -> Text:
    return Text.assemble(
        padded(_label(row, widths.server), widths.server),
        " ",
        bar(row.high, row.fair_each, widths.bar, row.look),
        " ",
        padded(row.amount, widths.share, row.look, right=True),
        " ",
    )


def _tail(view: PoolView, row: Row, *, first: bool) -> Text:
    words = [styled(mark(row), row.look)] if mark(row) else []
    if row.load is not None and row.look != OVERLOADED:
        limit = "" if row.capacity is None else f" of {amount(row.capacity)}"
        words.append(styled(f"{amount(row.load)}{limit}"))
    if row.busy is not None:
        words.append(styled(f"busy {percent(row.busy / row.size)}"))
    if first and view.aside:
        words.append(styled("no route to it" if view.orphan else "no request gets here", "muted"))
    return Text(", ").join(words)


def _fitting(line: Text, widths: _Widths) -> Text:
    line.truncate(widths.total, overflow="ellipsis")
    return line


def _routes(section: Section, widths: _Widths) -> Iterator[Text]:
    """Show how requests are split where the config says it; a route that takes all and gives all to one is no news.

    It is where the pool does not exist, where nobody takes requests, or nobody knows where they go. Where a route, or a
    target, surely gets nothing that is said.
    """
    pools = {view.at: view.name for view in section.pools}
    for source in section.sources:
        for lane in source.lanes:
            astray = any(sink.kind in (MISSING, NOWHERE) for sink, _ in lane.streams)
            if not astray and not lane.doubts and lane.share in (None, 1.0) and _plain(lane):
                continue
            ends = [_end(sink, pools, share, alone=len(lane.streams) == 1) for sink, share in lane.streams]
            words = f"{source.label} {lane.label} ({percent(lane.share)}) → {', '.join(ends)}"
            yield Text("  ") + styled(
                cut(f"✕ {words}" if astray else words, widths.total - 2), NOBODY if astray else "muted"
            )
            yield from _doubts(lane, widths)


def _end(sink: Sink, pools: dict[int, str], share: float | None, *, alone: bool) -> str:
    """Return what a sink is called, and its share, in a line that has no room for reasons."""
    words = f"{_SIGNS[sink.kind]} {sink.key}" if sink.why else sink_words(sink, pools)
    return words if alone and share == 1.0 else f"{words} {percent(share)}"


def _doubts(lane: Lane, widths: _Widths) -> Iterator[Text]:
    for sink in lane.doubts[:_MOST_DOUBTS]:
        look = NOBODY if sink.kind == MISSING else UNKNOWN
        yield Text("    ") + styled(cut(f"{_SIGNS[sink.kind]} {sink.key}: {sink.why}", widths.total - 4), look)
    more = len(lane.doubts) - _MOST_DOUBTS
    if more > 0:
        yield Text("    ") + styled(f"… and {more:,} more", "muted")


def _plain(lane: Lane) -> bool:
    """Say whether all requests of a route go to one place that is known."""
    return len(lane.streams) == 1 and lane.streams[0][1] == 1.0 and lane.streams[0][0].kind != MYSTERY


def _left_out(left_out: Sequence[PoolView], widths: _Widths) -> Text:
    troubled = sum(1 for view in left_out if view.trouble > IN_DOUBT)
    unknown = sum(1 for view in left_out if view.reason is not None)
    parts = [counted(len(left_out), "more pool")]
    parts += [f"{troubled:,} of them uneven or broken"] if troubled else []
    parts += [f"{unknown:,} not known"] if unknown else []
    parts.append(named([view.name for view in left_out], 60))
    return styled(cut("; ".join(parts), widths.total), "muted")

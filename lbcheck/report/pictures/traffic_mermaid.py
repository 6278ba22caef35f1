"""`lbcheck traffic -o traffic.mmd`: frontends, pools and servers as a flowchart, edges as wide as the shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.mermaid import MOST_LINES, MOST_POOLS, Flowchart, sentence
from lbcheck.report.pictures.rows import NOBODY, mark
from lbcheck.report.pictures.sections import digest
from lbcheck.report.pictures.sources import MISSING, MYSTERY, POOL, sink_words
from lbcheck.report.pictures.words import percent
from lbcheck.traffic.outcome import IDLE

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.sections import Section
    from lbcheck.report.pictures.sources import Lane, Sink
    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import Traffic


def render(traffic: Traffic, options: Options) -> str:
    """Return the worst pools as a flowchart that Mermaid's limits allow."""
    del options
    shown = digest(traffic, MOST_POOLS)
    chart = Flowchart()
    left_out = len(shown.left_out)
    for number, section in enumerate(shown.sections):
        left_out += _section(chart, section, number)
    return chart.closed(left_out, "" if shown.sections else "no pools")


def _section(chart: Flowchart, section: Section, number: int) -> int:
    drawn: dict[int, str] = {}
    for view in section.pools:
        if not chart.full:
            drawn[view.at] = f"p{view.at}"
            _pool(chart, view, drawn[view.at])
    ends: dict[Sink, str] = {}
    for at, source in enumerate(section.sources):
        if chart.bursting:
            break
        name = f"f{number}x{at}"
        chart.node(name, [source.label, source.detail], shape="([])")
        for lane in source.lanes:
            _lane(chart, name, lane, drawn, ends, f"e{number}x")
    return len(section.pools) - len(drawn)


def _lane(chart: Flowchart, start: str, lane: Lane, drawn: dict[int, str], ends: dict[Sink, str], prefix: str) -> None:
    for sink, share in lane.streams:
        if chart.bursting:
            return
        end = drawn.get(sink.key) if sink.kind == POOL and isinstance(sink.key, int) else ends.get(sink)
        if end is None:
            if sink.kind == POOL:
                continue
            end = ends[sink] = f"{prefix}{len(ends)}"
            look = "unknown" if sink.kind == MYSTERY else NOBODY if sink.kind == MISSING else sink.kind
            chart.node(end, sentence(f"{'? ' if look == 'unknown' else ''}{sink_words(sink)}"), look)
        part = None if lane.share is None or share is None else lane.share * share
        split = f" of which {percent(share)}" if len(lane.streams) > 1 else ""
        chart.edge(start, end, f"{lane.label} {percent(lane.share)}{split}", part)


def _pool(chart: Flowchart, view: PoolView, name: str) -> None:
    if view.reason is not None:
        chart.node(name, [f"? {view.name}", *sentence(f"not known, {view.reason}")], "unknown")
        return
    doubts = [line for note in view.notes for line in sentence(f"? {note}")]
    doubts += sentence(f"✕ {view.dead}") if view.dead else []
    chart.node(name, [view.name, view.method, view.aside, *doubts])
    for at, each in enumerate(view.rows(MOST_LINES, alike=len(view.pool.servers) > MOST_LINES)):
        end = f"{name}s{at}"
        chart.node(end, [each.label, "" if each.look == IDLE else each.amount, mark(each)], each.look)
        chart.edge(name, end, share=each.share)

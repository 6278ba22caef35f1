"""`lbcheck diff -o diff.mmd`: the pools that changed as a flowchart, each server with its share before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.changes.outcome import REMOVED
from lbcheck.report.pictures.diff_sections import digest
from lbcheck.report.pictures.mermaid import MOST_LINES, MOST_POOLS, Flowchart, sentence
from lbcheck.report.pictures.rows import mark
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.pairs import Pair, PoolPair


def render(changes: Changes, options: Options) -> str:
    """Return the pools that moved most as a flowchart that Mermaid's limits allow."""
    del options
    shown = digest(changes, MOST_POOLS)
    chart = Flowchart()
    left_out = len(shown.left_out)
    for section in shown.sections:
        for pair in section.pairs:
            if chart.full:
                left_out += 1
            else:
                _pool(chart, pair, f"p{pair.at}")
    return chart.closed(left_out, _closing(changes, nothing=not shown.sections))


def _closing(changes: Changes, *, nothing: bool) -> str:
    if changes.not_understood:
        return f"{counted(len(changes.not_understood), 'change')} not understood"
    return "no pool changed" if nothing else ""


def _pool(chart: Flowchart, pair: PoolPair, name: str) -> None:
    if pair.reason is not None:
        chart.node(name, [f"? {pair.name}", *sentence(f"{pair.headline}, {pair.reason}")], "unknown")
        return
    chart.node(name, [pair.name, pair.headline], "idle" if pair.change.status == REMOVED else "")
    lines = pair.pairs(MOST_LINES, alike=len(pair.change.servers) > MOST_LINES)
    for at, line in enumerate(lines):
        end = f"{name}s{at}"
        before, after = line.before, line.after
        shares = f"{'–' if before is None else before.amount} → {'–' if after is None else after.amount}"
        said = "" if after is None else mark(after)
        chart.node(end, [line.label, shares, line.aside, said], "idle" if after is None else after.look)
        chart.edge(name, end, share=_share(line))


def _share(line: Pair) -> float | None:
    """Return what an edge is as wide as; None, which is a dotted edge, for what is gone."""
    return None if line.after is None else line.after.share

"""`lbcheck traffic --output-format markdown`: tables for a pull request's comment, the worst pools first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures import losses
from lbcheck.report.pictures.markdown import Comment, bar, code, number, prose, row, unread
from lbcheck.report.pictures.rows import full_scale, mark
from lbcheck.report.pictures.sections import digest
from lbcheck.report.pictures.sources import nowhere
from lbcheck.report.pictures.views import one_each, summary
from lbcheck.report.pictures.words import percent
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import Traffic

_MOST_POOLS = 60
_MOST_LINES = 10
_NAMES_ROOM = 100
_HEAD = row(("Pool", "Server", "Share", "", "")) + row((":--", ":--", "--:", ":--", ":--"))


def render(traffic: Traffic, options: Options) -> str:
    """Return at most 60 kB of Markdown."""
    del options
    shown = digest(traffic, _MOST_POOLS)
    comment = Comment(f"### Where the traffic goes\n\n{summary(traffic)} in {counted(traffic.configs, 'config')}\n")
    for section in shown.sections:
        title = f"\n**{code(section.title, 100)}**\n\n"
        astray = "".join(f"- ✕ {prose(words)}\n" for words in nowhere(section.sources))
        if astray and comment.add(astray, title):
            title = "\n"
        opening = f"{title}{_HEAD}"
        for view in section.pools:
            if comment.add(_pool(view), opening):
                opening = ""
        told = "".join(_loss(view) for view in section.pools)
        if told and not opening:
            comment.add(f"\n{told}")
    left_out = len(shown.left_out) + comment.left_out
    closing = f"\n{counted(left_out, 'more block')} left out: the text may not be longer.\n" if comment.left_out else ""
    if shown.left_out and not comment.left_out:
        closing = f"\n{counted(left_out, 'more pool')}, none of them worse.\n"
    names = one_each(traffic, _NAMES_ROOM)
    if names:
        closing += f"\n{prose(names)}.\n"
    return comment.text(closing + unread(traffic.not_checked))


def _pool(view: PoolView) -> str:
    if view.reason is not None:
        return row((code(view.name), view.size, "?", "not known", prose(view.reason)))
    found = view.rows(_MOST_LINES, alike=len(view.pool.servers) > _MOST_LINES)
    lines = [_server(view, each, first=not at) for at, each in enumerate(found)]
    return "".join(lines) or row((code(view.name), "no servers", "", "", ""))


def _server(view: PoolView, each: Row, *, first: bool) -> str:
    words = [number(mark(each))] if mark(each) else []
    if first and view.aside:
        words.append(view.aside)
    if first and view.estimated:
        words.append(prose(view.method))
    if each.busy is not None:
        words.append(f"busy {number(percent(each.busy / each.size))}")
    name = code(each.label) if each.names else each.label
    blocks = bar(each.high, full_scale(each.fair_each))
    return row((code(view.name) if first else "", name, number(each.amount), blocks, ", ".join(words)))


def _loss(view: PoolView) -> str:
    words = [f"? {note}" for note in view.notes]
    words += [f"unserved: {view.dead}"] if view.dead else []
    words += [view.full] if view.full else []
    words += [losses.told(loss, view.pool) for loss in losses.shown(view, _MOST_LINES)]
    return "".join(f"- {code(view.name)} {prose(each)}\n" for each in words)

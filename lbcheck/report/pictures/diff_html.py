"""`lbcheck diff -o report.html`: before and after as a drawing and as tables, and the findings that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.changes.outcome import UNCHANGED
from lbcheck.report.pictures import html
from lbcheck.report.pictures.diff_layout import draw
from lbcheck.report.pictures.diff_sections import digest
from lbcheck.report.pictures.pairs import headline
from lbcheck.report.pictures.rows import full_scale
from lbcheck.report.pictures.words import cut, named, plain, told
from lbcheck.traffic.outcome import HOT, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import Changes, NotUnderstood
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.pairs import Pair, PoolPair
    from lbcheck.results import Finding

_MOST_FINDINGS = 100
_SIDES = ("before", "after")


def render(changes: Changes, options: Options) -> str:
    """Return the page."""
    del options
    shown = digest(changes, html.MOST_POOLS)
    moved = sorted((pair for section in shown.sections for pair in section.pairs), key=lambda pair: pair.rank)
    same = [pair.name for section in shown.sections for pair in section.unchanged]
    rest = [f"{counted(len(shown.left_out), 'more pool')} moved less"] if shown.left_out else []
    rest += [f"unchanged: {named(same, 200)}"] if same else []
    return html.page(
        "What the change moves",
        headline(changes),
        (draw(changes, html.WIDE, titled=False), draw(changes, html.NARROW, titled=False)),
        sides=("Before", "After", "Change"),
        findings=[
            _not_understood(changes.not_understood),
            _findings("New findings", changes.introduced, ""),
            _findings("Fixed findings", changes.fixed, "fixed"),
        ],
        pools=[_pool(pair, number) for number, pair in enumerate(moved)],
        left_out="; ".join(rest),
        routes=[],
        **html.notes(changes.after.not_checked),
    )


def _findings(heading: str, found: Sequence[Finding], look: str) -> tuple[str, list[dict[str, str]], int]:
    lines = [
        {
            "code": plain(each.code),
            "name": plain(each.name),
            "url": each.url if each.url.startswith("https://") else "",
            "place": f"{plain(each.place.path)}:{each.place.line}",
            "message": told(each.message),
            "help": "" if look else told(each.help),
            "look": look or each.severity,
        }
        for each in found[:_MOST_FINDINGS]
    ]
    return f"{heading} ({len(found):,})", lines, max(0, len(found) - _MOST_FINDINGS)


def _not_understood(found: Sequence[NotUnderstood]) -> tuple[str, list[dict[str, str]], int]:
    lines = [
        {
            "code": "?",
            "name": plain(one.name),
            "url": "",
            "place": f"{plain(one.path)}:{one.line}",
            "message": told(one.said),
            "help": "",
            "look": "warning",
        }
        for one in found[:_MOST_FINDINGS]
    ]
    return f"Changes that are not understood ({len(found):,})", lines, max(0, len(found) - _MOST_FINDINGS)


def _pool(pair: PoolPair, number: int) -> html.PoolTable:
    change = pair.change
    lines = []
    if number < html.POOLS_WITH_LOSSES:
        for words, pool in zip(_SIDES, (change.before, change.after), strict=True):
            if pool is not None and pool.servers:
                lines += html.loss_lines(pool, 1, words)[0]
    look = UNKNOWN if pair.reason else "" if change.status == UNCHANGED else HOT
    return html.PoolTable(
        pair.name,
        plain(change.path),
        pair.headline,
        look,
        "",
        pair.reason,
        number < html.OPEN,
        [_row(line) for line in pair.pairs(html.MOST_LINES)] if pair.reason is None else [],
        lines,
    )


def _row(line: Pair) -> dict[str, Any]:
    rows = (line.before, line.after)
    scale = max((full_scale(row.fair_each) for row in rows if row is not None), default=1.0)
    before, after = (None if row is None else html.side(row, scale) for row in rows)
    shown = line.after or line.before
    return {
        "label": cut(line.label, html.NAME),
        "detail": "" if shown is None else html.detail(shown),
        "before": before,
        "after": after,
        "aside": line.aside,
    }

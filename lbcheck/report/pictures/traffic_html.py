"""`lbcheck traffic -o report.html`: the drawing, a table for each pool, and what its losses would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report.pictures import html
from lbcheck.report.pictures.layout import draw
from lbcheck.report.pictures.rows import NOBODY, OVERLOADED
from lbcheck.report.pictures.sections import ranked
from lbcheck.report.pictures.sources import matching
from lbcheck.report.pictures.views import BROKEN, FINE, IN_DOUBT, UNEVEN, summary
from lbcheck.report.pictures.words import amount, cut, named, percent, plain, times, told
from lbcheck.traffic.outcome import HOT, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.options import Options
    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import RouteTraffic, TargetTraffic, Traffic

_VERDICTS = {
    BROKEN: ("overloaded, or without a server", OVERLOADED),
    UNEVEN: ("uneven", HOT),
    IN_DOUBT: ("not known", UNKNOWN),
    FINE: ("", ""),
}


def render(traffic: Traffic, options: Options) -> str:
    """Return the page."""
    del options
    found = ranked(traffic)
    shown, rest = found[: html.MOST_POOLS], found[html.MOST_POOLS :]
    left_out = f"{counted(len(rest), 'more pool')}: {named([view.name for view in rest], 200)}" if rest else ""
    return html.page(
        "Where the traffic goes",
        f"{summary(traffic)} in {counted(traffic.configs, 'config')}",
        (draw(traffic, html.WIDE, titled=False), draw(traffic, html.NARROW, titled=False)),
        sides=None,
        pools=[_pool(view, number) for number, view in enumerate(shown)],
        left_out=left_out,
        **_routes(traffic),
        **html.notes(traffic.not_checked),
    )


def _pool(view: PoolView, number: int) -> html.PoolTable:
    pool = view.pool
    verdict, look = _VERDICTS[view.trouble]
    if view.trouble == BROKEN:
        rows = view.rows(html.MOST_LINES)
        verdict = "without a server for all requests" if any(row.look == NOBODY for row in rows) else "overloaded"
    if view.notes and view.trouble == IN_DOUBT:
        verdict = "in doubt"
    if view.full:
        verdict, look = view.full, NOBODY
    verdict = view.dead or verdict
    words = [verdict, *([view.aside] if view.aside else [])]
    lines, more = html.loss_lines(pool, html.MOST_LOSSES) if number < html.POOLS_WITH_LOSSES else ([], 0)
    return html.PoolTable(
        view.name,
        f"{plain(pool.path)}:{pool.line}",
        " · ".join(word for word in words if word),
        look,
        view.method,
        view.reason,
        number < html.OPEN,
        [_row(row) for row in view.rows(html.MOST_LINES)] if view.reason is None else [],
        lines,
        more,
        view.notes,
    )


def _row(row: Row) -> dict[str, Any]:
    extra = [f"weight {row.weight}"] if row.weight else []
    if row.ratio is not None:
        extra.insert(0, f"{times(row.ratio)} fair")
    if row.load is not None and row.look != OVERLOADED:
        extra.append(f"load {amount(row.load)}" + ("" if row.capacity is None else f" of {amount(row.capacity)}"))
    if row.busy is not None:
        extra.append(f"busy {percent(row.busy / row.size)}")
    side = html.side(row)
    words = ", ".join(extra)
    if row.ratio is not None and row.look != OVERLOADED:
        side = side._replace(mark=side.mark.split(" ")[0])  # the ratio follows for every server
    elif side.mark and words:
        words = f"· {words}"
    return {"label": cut(row.label, html.NAME), "detail": html.detail(row), "side": side, "extra": words}


def _routes(traffic: Traffic) -> dict[str, object]:
    found = [(frontend, route) for frontend in traffic.frontends for route in frontend.routes]
    lines = [
        {
            "frontend": plain(frontend.name) or named([plain(text) for text in frontend.listeners], 40),
            "label": matching(plain(route.match), alone=len(frontend.routes) == 1),
            "share": percent(route.share),
            "targets": _targets(route),
        }
        for frontend, route in found[: html.MOST_ROUTES]
    ]
    return {"routes": lines, "more_routes": max(0, len(found) - html.MOST_ROUTES)}


def _targets(route: RouteTraffic) -> str:
    if route.outcome == "answer":
        return "answered by the proxy itself"
    words: Sequence[str] = [
        _target(target) + ("" if target.share == 1.0 else f" {percent(target.share)}") for target in route.targets
    ]
    if route.outcome == "unknown":
        words = [*words, f"? {told(route.reason or 'not known')}"]
    if route.unserved > 0:
        words = [*words, f"nobody {percent(route.unserved)}"]
    return named(words, 160)


def _target(target: TargetTraffic) -> str:
    if target.at is not None and not target.doubtful:
        return plain(target.pool)
    return f"{'✕' if target.missing else '?'} {told(target.reason or f'no pool named {target.pool} was seen')}"

"""`lbcheck rehearse -o report.html`: the page of `lbcheck traffic`, with measured beside predicted shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.outcome import pool_parts
from lbcheck.report.pictures import html
from lbcheck.report.pictures.layout import draw
from lbcheck.report.pictures.rows import full_scale
from lbcheck.report.pictures.words import cut, named, percent, plain, told
from lbcheck.report.rehearse_words import (
    alone,
    clock,
    headline,
    native_line,
    noticed,
    outcome,
    rewritten_line,
    together,
    until,
)
from lbcheck.traffic.outcome import FAIR, HOT, UNKNOWN, Traffic
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.outcome import MeasuredLoss, MeasuredPool, MeasuredServer, Rehearsed
    from lbcheck.report.options import Options

_WORDS = {None: "measured only", True: "as predicted", False: "NOT as predicted"}
_LOOKS = {None: UNKNOWN, True: "", False: HOT}


def render(rehearsed: Sequence[Rehearsed], options: Options) -> str:
    """Return the page."""
    del options
    traffic = Traffic()
    for one in rehearsed:
        if one.traffic is not None:
            traffic.add(one.traffic)
    pools = [pool for one in rehearsed for pool in (*one.pools, *_reloaded(one))]
    pools.sort(key=lambda pool: (False not in pool_parts(pool), pool.passed is not None))
    rest = pools[html.MOST_POOLS :]
    left_out = f"{counted(len(rest), 'more pool')}: {named([plain(pool.name) for pool in rest], 200)}" if rest else ""
    return html.page(
        "What the real proxy does",
        headline(rehearsed),
        (draw(traffic, html.WIDE, titled=False), draw(traffic, html.NARROW, titled=False)),
        "rehearse.html.jinja",
        sides=("Predicted", "Measured", "Requests"),
        pools=[_pool(pool, number) for number, pool in enumerate(pools[: html.MOST_POOLS])],
        left_out=left_out,
        routes=[],
        more_routes=0,
        notes=_notes(rehearsed),
        more_notes=0,
    )


def _reloaded(one: Rehearsed) -> list[MeasuredPool]:
    pools = () if one.reload is None else one.reload.pools
    return [pool._replace(name=f"{pool.name} (after the reload)") for pool in pools]


def _pool(pool: MeasuredPool, number: int) -> html.PoolTable:
    words = [_WORDS[pool.passed], pool.judged or ""]
    words += [told(text) for text in dict.fromkeys([pool.reason, pool.left_out]) if text]
    if pool.concurrent is not None:
        words.append(told(together(pool.concurrent)))
    verdict = False if False in pool_parts(pool) else pool.passed
    scale = full_scale(max((server.predicted or server.measured for server in pool.servers), default=0.0))
    losses = pool.losses[: html.MOST_LINES]
    return html.PoolTable(
        plain(pool.name),
        f"{plain(pool.path)}:{pool.line}",
        " · ".join(filter(None, words)),
        _LOOKS[verdict],
        plain(pool.algorithm.replace("_", " ")),
        None,
        number < html.OPEN,
        [_row(server, scale) for server in pool.servers[: html.MOST_LINES]] if pool.requests else [],
        [_loss(loss) for loss in losses],
        len(pool.losses) - len(losses),
    )


def _row(server: MeasuredServer, scale: float) -> dict[str, Any]:
    detail = plain(server.address) if server.address != server.name else ""
    return {
        "label": cut(plain(server.name), html.NAME),
        "detail": cut(detail, html.NAME),
        "before": _side(server.predicted, scale),
        "after": _side(server.measured, scale),
        "aside": f"{server.served:,}",
    }


def _side(share: float | None, scale: float) -> html.Side:
    bar = f"{min((share or 0.0) / scale, 1.0) * 100:.2f}"
    return html.Side(percent(share), UNKNOWN if share is None else FAIR, "", bar, None)


def _loss(loss: MeasuredLoss) -> html.LossLine:
    if loss.reason is not None:
        return html.LossLine(alone(loss), loss.kind, told(loss.reason), "", "")
    aspects = [f"{one.what}: {one.reason}" for one in loss.aspects if one.passed is not True and one.reason]
    served = [one for one in loss.servers if one.served]
    shares = [f"{plain(one.name)} {percent(one.measured)} (predicted {percent(one.predicted)})" for one in served]
    return html.LossLine(
        alone(loss),
        f"{loss.kind} · {outcome(loss)}",
        f"{until(loss)}; {noticed(loss)}{clock(loss)}",
        told("; ".join(aspects)),
        named(shares, 300),
    )


def _notes(rehearsed: Sequence[Rehearsed]) -> list[dict[str, str]]:
    found = []
    for one in rehearsed:
        said = [native_line(message) for message in one.native] if not one.accepted else []
        if one.reload is not None and one.reload.reason is not None:
            said.append(f"reload from {one.reload.old}: {one.reload.reason}")
        first = filter(None, [rewritten_line(one), one.error])
        found += [{"place": plain(one.config), "message": told(text)} for text in [*first, *said]]
    return found[: html.MOST_NOTES]

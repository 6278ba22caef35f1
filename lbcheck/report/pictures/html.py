"""A report as one HTML file: a drawing, tables, losses; it works without a network and without scripts.

The configs are untrusted, so jinja2 escapes every value, and the page's own Content-Security-Policy forbids
whatever might slip through: nothing is loaded from anywhere, no script runs, and the one style sheet is known by its
hash.
"""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck import __version__
from lbcheck.report.pictures import losses
from lbcheck.report.pictures.page_style import page_css
from lbcheck.report.pictures.rows import full_scale, mark
from lbcheck.report.pictures.svg import inline
from lbcheck.report.pictures.words import cut, plain, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.shapes import Drawing
    from lbcheck.results import Note
    from lbcheck.traffic.outcome import Loss, PoolTraffic

#: Pixels of the drawing on a page, and of the one that phones get. The style sheet chooses at 760 pixels.
WIDE, NARROW = 1160.0, 380.0
#: So many pools have tables, and so many lines, losses, routes and notes are listed; the rest is counted.
MOST_POOLS = 200
MOST_LINES = 40
#: Losses cost time to compute: those of so many of the worst pools are shown.
POOLS_WITH_LOSSES = 50
MOST_LOSSES = 5
MOST_ROUTES = 200
MOST_NOTES = 100
#: Columns of a name in a table, and of the names below a folded line.
NAME = 64
_DETAIL = 160
#: So many tables are open from the start.
OPEN = 12


class Side(NamedTuple):
    """A share in a table: in words, and as a bar in per cent of its place."""

    amount: str
    look: str
    mark: str
    bar: str
    tick: str | None


class LossLine(NamedTuple):
    """A loss in a table; `side` says of which version."""

    lost: str
    side: str
    until: str
    detection: str
    then: str


class PoolTable(NamedTuple):
    """A pool's tables. `rows` are dictionaries, for one side or two."""

    name: str
    place: str
    verdict: str
    look: str
    method: str
    reason: str | None
    open: bool
    rows: Sequence[dict[str, Any]]
    losses: Sequence[LossLine]
    more_losses: int = 0
    notes: Sequence[str] = ()


def page(
    title: str, lead: str, drawings: tuple[Drawing, Drawing], template: str = "page.html.jinja", /, **parts: object
) -> str:
    """Return the whole file. `parts` are what the template names; `sides` heads the columns of tables with two."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    css = page_css()
    digest = b64encode(sha256(css.encode()).digest()).decode("ascii")
    environment = Environment(
        loader=FileSystemLoader(os.path.dirname(__file__)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    wide, narrow = drawings
    return environment.get_template(template).render(
        title=title,
        lead=lead,
        css=Markup(css),  # noqa: S704 - our own text
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        wide=Markup(inline(wide, "wide")),  # noqa: S704 - the drawing escapes what is written in it
        narrow=Markup(inline(narrow, "narrow")),  # noqa: S704 - the same
        version=__version__,
        **parts,
    )


def side(row: Row, scale: float | None = None) -> Side:
    """Return a line's share for a table; `scale` is the share that fills the bar."""
    whole = scale or full_scale(row.fair_each)
    tick = None if row.fair_each is None else f"{min(row.fair_each / whole, 1.0) * 100:.2f}"
    return Side(row.amount, row.look, mark(row), f"{min((row.high or 0.0) / whole, 1.0) * 100:.2f}", tick)


def detail(row: Row) -> str:
    """Return what stands below a name: the names of many servers, or the address of one."""
    if row.size > 1 and len(row.names) > 1:
        return cut(", ".join(row.names), _DETAIL) + (", …" if row.size > len(row.names) else "")
    return cut(row.address, NAME) if row.address != row.label else ""


def loss_lines(pool: PoolTraffic, most: int, version: str = "") -> tuple[list[LossLine], int]:
    """Return the losses of a pool that hurt most, and how many more there are."""
    found = losses.ranked(pool)
    lines = [_loss_line(loss, pool, version) for loss in found[:most]]
    return lines, len(found) - len(lines)


def _loss_line(loss: Loss, pool: PoolTraffic, version: str) -> LossLine:
    until = losses.until(loss, pool)
    return LossLine(losses.lost(loss), version, until, told(loss.detection), losses.afterwards(loss, pool))


def notes(found: Sequence[Note]) -> dict[str, object]:
    """Return the part about what was not checked."""
    shown = [
        {"place": f"{plain(note.place.path)}:{note.place.line}", "message": told(note.message)}
        for note in found[:MOST_NOTES]
    ]
    return {"notes": shown, "more_notes": max(0, len(found) - MOST_NOTES)}

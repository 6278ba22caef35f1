"""Traffic on a plane: each config's frontends, routes, pools and servers, the worst pool first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures import inflow
from lbcheck.report.pictures.faces import Face, body, head, heights, place
from lbcheck.report.pictures.labels import GAUGE, Columns, Line
from lbcheck.report.pictures.legend import place_legend
from lbcheck.report.pictures.rows import NOBODY
from lbcheck.report.pictures.sections import digest
from lbcheck.report.pictures.shapes import Drawing
from lbcheck.report.pictures.sources import POOL, Sink, nowhere
from lbcheck.report.pictures.views import one_each, summary
from lbcheck.report.pictures.words import named, percent, plain, wrapped
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.pictures.faces import Port
    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.sections import Section
    from lbcheck.report.pictures.sources import Source
    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import Traffic

#: So many lines has a pool before alike servers are folded, and so many pools a drawing.
MOST_LINES = 12
MOST_POOLS = 24
POOL_GAP = 26.0
SECTION_GAP = 30.0
MARGIN = 20.0
_LEAD_COLUMN = 9.0
_NOTE_COLUMN = 7.2
_NOTE_LINE = 17.0
_NOTE_LINES = 4
_NAMES_ROOM = 80
_LEAD_LINES = 4
#: Below these widths a drawing has no room for routes beside the pools, or for gauges beside the servers.
_NARROW = 500.0
_MIDDLE = 800.0


def columns_for(width: float) -> Columns:
    """Return the columns of a drawing, or of one side of it, so wide."""
    if width < _NARROW:
        return Columns(None, 0.0, 0.0, width * 0.24, None, width)
    if width < _MIDDLE:
        return Columns(0.0, width * 0.075, width * 0.32, width * 0.5, None, width)
    return Columns(0.0, width * 0.1, width * 0.32, width * 0.5, width - GAUGE, width)


def draw(traffic: Traffic, width: float, *, titled: bool = True) -> Drawing:
    """Return the drawing of a run, `width` pixels wide and as high as it takes."""
    shown = digest(traffic, MOST_POOLS)
    drawing = Drawing(width, f"Where the traffic goes: {summary(traffic)}")
    columns = columns_for(width - 2 * MARGIN).moved(MARGIN)
    y = MARGIN
    if titled:
        y = place_title(drawing, "Where the traffic goes", summary(traffic), y)
    for section in shown.sections:
        y = _section(drawing, section, columns, y) + SECTION_GAP
    if shown.left_out:
        worse = sum(1 for view in shown.left_out if view.trouble)
        words = f"{counted(len(shown.left_out), 'more pool')}, {worse:,} of them with something to see"
        y = place_note(drawing, words, y)
    if not shown.sections:
        y = place_note(drawing, "There is no pool to draw.", y)
    for words in wrapped(one_each(traffic, _NAMES_ROOM), int((width - 2 * MARGIN) / _NOTE_COLUMN), _NOTE_LINES):
        y = place_note(drawing, words, y) - SECTION_GAP + _NOTE_LINE
    drawing.height = place_legend(drawing, MARGIN, width - MARGIN, y) + MARGIN
    return drawing


def place_title(drawing: Drawing, title: str, lead: str, y: float) -> float:
    """Write what a drawing shows and what there is to see, and return where it goes on."""
    room = drawing.width - 2 * MARGIN
    drawing.write(MARGIN, y + 18, title, "title", room=room)
    lines = wrapped(lead, int(room / _LEAD_COLUMN), _LEAD_LINES)
    for number, line in enumerate(lines):
        drawing.write(MARGIN, y + 42 + 19 * number, line, "lead", room=room, look="muted")
    return y + 47 + 19 * len(lines)


def place_note(drawing: Drawing, words: str, y: float) -> float:
    """Write a remark and return where it goes on."""
    drawing.write(MARGIN, y + 12, words, "small", room=drawing.width - 2 * MARGIN, look="muted")
    return y + SECTION_GAP


def _section(drawing: Drawing, section: Section, columns: Columns, y: float) -> float:
    y = place_path(drawing, section.title, columns, y)
    top = y
    ports: dict[Sink, Port] = {}
    for view in section.pools:
        face = _face(view, section, columns)
        lines = heights(face.lines, columns)
        ports[Sink(POOL, view.at)] = place(drawing, face, lines, columns, y)
        y += head(face) + body(lines) + POOL_GAP
    if columns.source is None:
        for words in nowhere(section.sources):
            y = place_note(drawing, f"✕ {words}", y)
        return y - POOL_GAP
    return place_inflow(drawing, section.sources, ports, columns, top, y - POOL_GAP)


def place_path(drawing: Drawing, title: str, columns: Columns, y: float) -> float:
    """Write which config this is and return where it goes on."""
    left = columns.pool if columns.source is None else columns.source
    drawing.write(left, y + 12, title, "path", room=columns.right - left, look="muted")
    return y + 28


def place_inflow(
    drawing: Drawing, sources: Sequence[Source], ports: dict[Sink, Port], columns: Columns, top: float, bottom: float
) -> float:
    """Draw the other sinks below the pools, and frontends and routes beside them; return where both end."""
    for sink, high in inflow.sink_heights(sources).items():
        ports[sink] = inflow.place_sink(drawing, sink, high, columns, bottom + POOL_GAP)
        bottom += POOL_GAP + high
    return max(bottom, inflow.place(drawing, sources, ports, columns, top))


def _face(view: PoolView, section: Section, columns: Columns) -> Face:
    notes = [view.method]
    if view.aside:
        notes[0] += f" · {view.aside}"
    elif columns.source is None:
        notes += arrivals(section.sources, Sink(POOL, view.at))
    members = [plain(server.name) for server in view.pool.servers]
    return Face(
        view.name,
        [*((note, "muted") for note in notes), *((f"? {note}", "muted") for note in view.notes), *_dead(view)],
        [Line(row, _busy(row)) for row in view.rows(MOST_LINES)] if view.reason is None else [],
        view.reason,
        members=named(members, 60) if members else "",
    )


def _dead(view: PoolView) -> list[tuple[str, str]]:
    return [(f"✕ {view.dead}", NOBODY)] if view.dead else []


def _busy(row: Row) -> str:
    """Return the share under load, where it is known and another one."""
    if row.busy is None or percent(row.busy) == percent(row.share):
        return ""
    return f"busy {percent(row.busy / row.size)}"


def arrivals(sources: Sequence[Source], sink: Sink) -> list[str]:
    """Return in words which routes lead to a pool: "from web /api (5 %)"; nothing where none is known."""
    found = []
    for source in sources:
        for lane in source.lanes:
            for each, share in lane.streams:
                if each == sink:
                    part = None if lane.share is None or share is None else lane.share * share
                    found.append(f"{lane.label} of {source.label} ({percent(part)})")
    return [f"from {named(found, 60)}"] if found else []

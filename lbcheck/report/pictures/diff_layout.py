"""A diff on a plane: before at the left, after at the right, each server at the same height on both sides.

A narrow drawing has after below before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.changes.outcome import ADDED, REMOVED
from lbcheck.report.pictures.diff_sections import digest
from lbcheck.report.pictures.faces import Face, body, head, heights, place
from lbcheck.report.pictures.labels import Line
from lbcheck.report.pictures.layout import (
    MARGIN,
    MOST_LINES,
    POOL_GAP,
    SECTION_GAP,
    arrivals,
    columns_for,
    place_inflow,
    place_note,
    place_title,
)
from lbcheck.report.pictures.legend import place_legend
from lbcheck.report.pictures.pairs import headline
from lbcheck.report.pictures.shapes import Box, Drawing
from lbcheck.report.pictures.sources import POOL, Sink
from lbcheck.report.pictures.views import PoolView
from lbcheck.report.pictures.words import named, plain
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import Changes
    from lbcheck.report.pictures.diff_sections import DiffSection
    from lbcheck.report.pictures.faces import Port
    from lbcheck.report.pictures.pairs import Pair, PoolPair

#: So many pools that moved have a place in a drawing.
MOST_POOLS = 16
_GUTTER = 44.0
#: A narrower drawing has no room for two sides.
_NARROW = 760.0
_SIDES = ("before", "after")


def draw(changes: Changes, width: float, *, titled: bool = True) -> Drawing:
    """Return the drawing of a diff, `width` pixels wide and as high as it takes."""
    drawing = Drawing(width, f"What the change moves: {headline(changes)}")
    shown = digest(changes, MOST_POOLS)
    y = place_title(drawing, "What the change moves", headline(changes), MARGIN) if titled else MARGIN
    for section in shown.sections:
        y = _section(drawing, section, y) + SECTION_GAP
    if shown.left_out:
        y = place_note(drawing, f"{counted(len(shown.left_out), 'more pool')} moved less", y)
    if not shown.sections:
        known = "is known to have changed" if changes.not_understood else "changed"
        y = place_note(drawing, f"No pool and no server {known} its share.", y)
    drawing.height = place_legend(drawing, MARGIN, width - MARGIN, y) + MARGIN
    return drawing


def _section(drawing: Drawing, section: DiffSection, y: float) -> float:
    y = _stacked(drawing, section, y) if drawing.width < _NARROW else _side_by_side(drawing, section, y)
    if section.unchanged:
        names = named([pair.name for pair in section.unchanged], 80)
        y = place_note(drawing, f"unchanged: {names}", y + POOL_GAP) - SECTION_GAP + 16
    return y


def _side_by_side(drawing: Drawing, section: DiffSection, y: float) -> float:
    half = (drawing.width - 2 * MARGIN - _GUTTER) / 2
    sides = [columns_for(half).moved(MARGIN), columns_for(half).moved(MARGIN + half + _GUTTER)]
    first = y
    for words, title, columns in zip(_SIDES, section.titles, sides, strict=True):
        left = columns.pool if columns.source is None else columns.source
        taken = drawing.write(left, y + 14, words, "lead", room=80, look="strong")
        drawing.write(left + taken + 10, y + 14, title, "path", room=half - taken - 10, look="muted")
    top = y + 32
    y = top
    ports: list[dict[Sink, Port]] = [{}, {}]
    for pair in section.pairs:
        faces = _faces(pair, section, wide=sides[0].source is not None)
        lines = _levelled([heights(face.lines, columns) for face, columns in zip(faces, sides, strict=True)])
        for face, columns, high, taking in zip(faces, sides, lines, ports, strict=True):
            taking[Sink(POOL, pair.at)] = place(drawing, face, high, columns, y)
        y += head(faces[0]) + max(map(body, lines)) + POOL_GAP
    ends = [y - POOL_GAP]
    for found, taking, columns in zip(section.sources, ports, sides, strict=True):
        if columns.source is not None:
            ends.append(place_inflow(drawing, found, taking, columns, top, y - POOL_GAP))
    end = max(ends)
    drawing.boxes.append(Box(MARGIN + half + _GUTTER / 2, first, 0.0, end - first, "divider"))
    return end


def _levelled(sides: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return each side's heights, the same on both where both have the same lines or one has none."""
    before, after = map(list, sides)
    if len(before) == len(after):
        before = after = [max(pair) for pair in zip(before, after, strict=True)]
    return [before or after, after or before]


def _stacked(drawing: Drawing, section: DiffSection, y: float) -> float:
    columns = columns_for(drawing.width - 2 * MARGIN).moved(MARGIN)
    title = section.titles[1] or section.titles[0]
    drawing.write(MARGIN, y + 12, title, "path", room=columns.right - MARGIN, look="muted")
    y += 24
    for pair in section.pairs:
        for words, face in zip(_SIDES, _faces(pair, section, wide=False), strict=True):
            shown = face._replace(name=f"{face.name}: {words}", notes=[note for note in face.notes if note[0]])
            lines = heights(face.lines, columns)
            place(drawing, shown, lines, columns, y)
            y += head(shown) + body(lines) + POOL_GAP / 2
        y += POOL_GAP / 2
    return y - POOL_GAP


def _faces(pair: PoolPair, section: DiffSection, *, wide: bool) -> tuple[Face, Face]:
    """Return both sides of a pool, with heads of the same height."""
    pairs = [] if pair.reason else pair.pairs(MOST_LINES)
    before = _face(pair, pairs, section, 0, wide=wide)
    after = _face(pair, pairs, section, 1, wide=wide)
    after = after._replace(notes=[*after.notes, (pair.headline, "strong")])
    most = max(len(before.notes), len(after.notes))
    before, after = (
        face._replace(notes=[*face.notes, *[("", "")] * (most - len(face.notes))]) for face in (before, after)
    )
    return before, after


def _face(pair: PoolPair, pairs: Sequence[Pair], section: DiffSection, side: int, *, wide: bool) -> Face:
    change = pair.change
    pool = change.after if side else change.before
    name = pair.name if side or change.renamed_from is None else plain(change.renamed_from)
    if pool is None:
        gone = "removed" if change.status == REMOVED else "not there yet" if change.status == ADDED else "not there"
        return Face(name, [], [], absent=gone)
    view = PoolView(pair.at, pool)
    notes = [(view.method, "muted")]
    if not wide:
        notes += [(text, "muted") for text in arrivals(section.sources[side], Sink(POOL, pair.at))]
    if view.reason is not None:
        members = [plain(server.name) for server in pool.servers]
        return Face(name, notes, [], view.reason, members=named(members, 40) if members else "")
    if pair.reason is not None:
        return Face(name, notes, [Line(row) for row in view.rows(MOST_LINES)])
    lines = [_line(each, side) for each in pairs]
    other = change.before if side else change.after
    return Face(name, notes, lines if other is not None else [line for line in lines if line.row is not None])


def _line(pair: Pair, side: int) -> Line:
    row = pair.after if side else pair.before
    return Line(row, pair.aside if side else "", pair.label)

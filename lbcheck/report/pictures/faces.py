"""A pool in a drawing: its head, its bar, and a band from there to each server, as wide as the server's share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.report.pictures import labels
from lbcheck.report.pictures.labels import NODE, Line
from lbcheck.report.pictures.rows import OVERLOADED
from lbcheck.report.pictures.shapes import Band, Box
from lbcheck.report.pictures.words import percent, wrapped
from lbcheck.traffic.outcome import HOT, IDLE, STARVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.pictures.labels import Columns
    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.shapes import Drawing

#: Pixels that all requests of a pool take, everywhere in a drawing: so widths can be compared.
UNIT = 80.0
BAR = 10.0
_NAME = 26.0
_NOTE = 16.0
_LINE = 19.0
_SECOND = 15.0
_GAP = 6.0
_IDLE = 9.0
_REASON_LINES = 3
_SMALL_COLUMN = 7.7
#: The outline of a fair share is drawn where it is at least so high.
_OUTLINE = 14.0


class Face(NamedTuple):
    """What is drawn of a pool; each note with its look.

    `reason` says why its shares are not known, `absent` why there is no such pool.
    """

    name: str
    notes: Sequence[tuple[str, str]]
    lines: Sequence[Line]
    reason: str | None = None
    absent: str | None = None
    members: str = ""


class Port(NamedTuple):
    """Where streams enter a pool or another sink: at x, from y downwards, in so much height."""

    x: float
    y: float
    height: float


def head(face: Face) -> float:
    """Return how high the head of a pool is."""
    return _NAME + _NOTE * len(face.notes)


def heights(lines: Sequence[Line], columns: Columns) -> list[float]:
    """Return how high each line is."""
    columns = labels.columns_of(lines, columns)
    share_room = labels.share_room(lines)
    return [_height(line, columns, share_room) for line in lines]


def _height(line: Line, columns: Columns, share_room: float) -> float:
    words = _LINE + _SECOND * (labels.lines_of_text(line, columns, share_room) - 1)
    row = line.row
    if row is None:
        return words
    drawn = max(row.share or 0.0, (row.fair or 0.0) if _outlined(row) else 0.0)
    return max(words, drawn * UNIT)


def _outlined(row: Row) -> bool:
    return row.look in (HOT, STARVED, OVERLOADED) and (row.fair or 0.0) * UNIT >= _OUTLINE


def body(lines: Sequence[float]) -> float:
    """Return how high a pool with lines so high is, below its head."""
    return max(UNIT, _stack(lines))


def _stack(lines: Sequence[float]) -> float:
    return sum(lines) + _GAP * (len(lines) - 1)


def place(drawing: Drawing, face: Face, lines: Sequence[float], columns: Columns, top: float) -> Port:
    """Draw a pool below `top`, its lines as high as given, and return where its requests arrive."""
    x = columns.pool
    head_room = (columns.gauge or columns.right) - x - 10
    drawing.write(x, top + 16, face.name, "pool", room=head_room)
    for number, (note, look) in enumerate(face.notes, 1):
        drawing.write(x, top + 16 + _NOTE * number, note, "small", room=head_room, look=look)
    middle = top + head(face) + body(lines) / 2
    port = Port(x, middle - UNIT / 2, UNIT)
    if face.absent is not None:
        drawing.boxes.append(Box(x, port.y, BAR, UNIT, "absent", face.absent))
        drawing.write(x + BAR + 10, middle + 4, face.absent, "small", room=columns.right - x - 20, look="muted")
    elif face.reason is not None:
        _unknown(drawing, face, columns, port)
    else:
        drawing.boxes.append(Box(x, port.y, BAR, UNIT, "pool", face.name))
        _servers(drawing, face, lines, columns, middle)
    return port


def _unknown(drawing: Drawing, face: Face, columns: Columns, port: Port) -> None:
    reason = face.reason or ""
    width = columns.server + NODE - columns.pool
    drawing.boxes.append(Box(columns.pool, port.y, width, UNIT, "unknown", f"{face.name}: not known, {reason}"))
    drawing.write(columns.pool + width / 2, port.y + UNIT / 2 + 9, "?", "question", room=40, anchor="middle")
    x = columns.server + NODE + 10
    room = columns.right - x
    lines = [(text, "") for text in wrapped(reason, int(room / _SMALL_COLUMN), _REASON_LINES)]
    lines = [("not known", "strong"), *lines, *[(face.members, "muted")] * bool(face.members)]
    y = port.y + (UNIT - _NOTE * len(lines)) / 2 + 12
    for number, (text, look) in enumerate(lines):
        drawing.write(x, y + _NOTE * number, text, "small", room=room, look=look)


def _servers(drawing: Drawing, face: Face, lines: Sequence[float], columns: Columns, middle: float) -> None:
    top = middle - _stack(lines) / 2
    start = middle - UNIT / 2
    room = labels.share_room(face.lines)
    columns = labels.columns_of(face.lines, columns)
    labels.gauge_scale(drawing, columns, top, top + _stack(lines))
    for line, high in zip(face.lines, lines, strict=True):
        center = top + high / 2
        top += high + _GAP
        if line.row is None:
            drawing.boxes.append(Box(columns.server, center - _IDLE / 2, NODE, _IDLE, "absent", line.label))
        else:
            start = _band(drawing, face, line.row, columns, start, center)
        labels.write(drawing, line, columns, center, room)


def _band(drawing: Drawing, face: Face, row: Row, columns: Columns, start: float, center: float) -> float:
    """Draw the band and the bar of a line and return where the next band begins."""
    width = (row.share or 0.0) * UNIT
    x = columns.server
    title = _title(face, row)
    if not width:
        fair = (row.fair or 0.0) * UNIT if _outlined(row) else _IDLE
        look = "idle" if row.look == IDLE else "fair-around"
        drawing.boxes.append(Box(x, center - fair / 2, NODE, fair, look, title))
        return start
    drawing.bands.append(Band(columns.pool + BAR, start, x, center - width / 2, width, row.look, title))
    drawing.boxes.append(Box(x, center - width / 2, NODE, width, row.look, title, row.size))
    if _outlined(row):
        fair = (row.fair or 0.0) * UNIT
        kind = "fair-within" if fair < width else "fair-around"
        drawing.boxes.append(Box(x, center - fair / 2, NODE, fair, kind, title))
    return start + width


def _title(face: Face, row: Row) -> str:
    who = row.label if row.size == 1 else f"{row.label} ({', '.join(row.names)}{', …' if row.size > 12 else ''})"
    fair = "" if row.fair is None else f"; fair would be {percent(row.fair)}"
    return f"{face.name}: {who}: {percent(row.share)}{fair}"

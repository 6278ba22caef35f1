"""What stands beside a server's bar: its share, its name, a mark, and a gauge of its share against a fair one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.report.pictures.rows import mark
from lbcheck.report.pictures.shapes import Box, text_width
from lbcheck.traffic.outcome import FAIR, IDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.pictures.rows import Row
    from lbcheck.report.pictures.shapes import Drawing

#: How wide a server's bar is.
NODE = 12.0
_SECOND = 15.0
_SHARE_ROOM = 60.0
_SPACE = 10.0
#: A gauge: pixels of one fair share, and how many fair shares it shows at most before it is broken.
_FAIR = 30.0
_MOST = 4.0
GAUGE = _FAIR * _MOST
_GAUGE_HEIGHT = 7.0


class Columns(NamedTuple):
    """Where things begin, from left to right; labels of servers end at `gauge`, or at `right` where there is none.

    Without `source` there are no routes.
    """

    source: float | None
    lane: float
    pool: float
    server: float
    gauge: float | None
    right: float

    def moved(self, by: float) -> Columns:
        """Return the same columns elsewhere."""
        source = None if self.source is None else self.source + by
        gauge = None if self.gauge is None else self.gauge + by
        return Columns(source, self.lane + by, self.pool + by, self.server + by, gauge, self.right + by)

    @property
    def end(self) -> float:
        """Where labels end."""
        return self.right if self.gauge is None else self.gauge - _SPACE


class Line(NamedTuple):
    """A server's line on one side of a drawing: `aside` stands behind its name. `row` None: it is not there."""

    row: Row | None
    aside: str = ""
    label: str = ""


def columns_of(lines: Sequence[Line], columns: Columns) -> Columns:
    """Return the columns for these lines: without gauges where all is fair, for then they show nothing."""
    rows = [line.row for line in lines if line.row is not None and line.row.ratio is not None]
    return columns if any(row.look != FAIR for row in rows) else columns._replace(gauge=None)


def share_room(lines: Sequence[Line]) -> float:
    """Return how wide the column of the shares is."""
    rooms = [text_width(line.row.amount, "share") + 8 for line in lines if line.row is not None]
    return max([_SHARE_ROOM, *rooms])


def _tail(line: Line) -> list[tuple[str, str]]:
    """Return what is said behind a name, or below it, as (text, look)."""
    words = [(line.aside, "moved" if line.row is not None else "muted")]
    if line.row is not None:
        words.append((mark(line.row), line.row.look))
    return [each for each in words if each[0]]


def beside(line: Line, columns: Columns, room: float) -> bool:
    """Whether all that is said of a server fits behind its name; else it stands below."""
    label = line.label if line.row is None else line.row.label
    words = sum(_SPACE + text_width(text, "mark") for text, _ in _tail(line))
    return columns.server + NODE + 8 + room + text_width(label, "name") + words <= columns.end


def lines_of_text(line: Line, columns: Columns, room: float) -> int:
    """Return how many lines of text a line takes."""
    return 2 if _tail(line) and not beside(line, columns, room) else 1


def write(drawing: Drawing, line: Line, columns: Columns, center: float, room: float) -> None:
    """Write the line of a server around the height `center`, `room` pixels of it for its share."""
    row = line.row
    x = columns.server + NODE + 8
    two = lines_of_text(line, columns, room) == 2
    y = center + 4 - (_SECOND / 2 if two else 0)
    look = "muted" if row is None else ""
    if row is None:
        drawing.write(x, y, "–", "share", room=room, look=look)
    elif row.look != IDLE or row.share:
        drawing.write(x, y, row.amount, "share", room=room, look=row.look)
    x += room
    label = line.label if row is None else row.label
    end = x + drawing.write(x, y, label, "name", room=columns.end - x, look=look)
    if two:
        wide = sum(_SPACE + text_width(text, "mark") for text, _ in _tail(line))
        y, end = y + _SECOND, (x if x + wide <= columns.end + _SPACE else x - room) - _SPACE
    for text, look in _tail(line):
        end += _SPACE
        end += drawing.write(end, y, text, "mark", room=columns.end - end, look=look)
    if row is not None and columns.gauge is not None:
        _gauge(drawing, row, columns.gauge, center)


def _gauge(drawing: Drawing, row: Row, x: float, center: float) -> None:
    """Draw how many fair shares a server gets; a bar that would be too long is broken."""
    ratio = row.ratio
    if ratio is None:
        return
    y = center - _GAUGE_HEIGHT / 2
    wide = max(1.5, min(ratio, _MOST) * _FAIR)
    if ratio > _MOST:
        drawing.boxes.append(Box(x + wide - 9, y, 9, _GAUGE_HEIGHT, row.look))
        wide -= 12
    drawing.boxes.append(Box(x, y, wide, _GAUGE_HEIGHT, row.look))


def gauge_scale(drawing: Drawing, columns: Columns, top: float, bottom: float) -> None:
    """Draw the line at which gauges show a fair share."""
    if columns.gauge is None:
        return
    x = columns.gauge + _FAIR
    drawing.boxes.append(Box(x, top - 3, 0.0, bottom - top + 6, "fair-line"))
    drawing.write(x, top - 8, "fair share", "small", room=GAUGE, look="muted", anchor="middle")

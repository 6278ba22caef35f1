"""The left half of a drawing: from the listeners over the routes to the pools, as wide as the routes' shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.faces import BAR, UNIT, Port
from lbcheck.report.pictures.shapes import Band, Box, Link
from lbcheck.report.pictures.sources import MISSING, MYSTERY, NOBODY, POOL, Sink, sink_words
from lbcheck.report.pictures.words import percent, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.report.pictures.labels import Columns
    from lbcheck.report.pictures.shapes import Drawing
    from lbcheck.report.pictures.sources import Lane, Source

_NAME = 22.0
_NOTE = 16.0
_LANE_LABEL = 19.0
_LANE_GAP = 8.0
_THIN = 6.0
_SINK = 30.0
_LINK_STEP = 14.0
_END = 52.0


def sinks(sources: Iterable[Source]) -> list[Sink]:
    """Return where the requests end besides the pools that are drawn, in order of appearance."""
    found = dict.fromkeys(sink for source in sources for lane in source.lanes for sink, _ in lane.streams)
    return [sink for sink in found if sink.kind != POOL]


def arriving(sources: Iterable[Source]) -> dict[Sink, float]:
    """Return how many frontends' worth of requests are known to arrive at each sink."""
    found: dict[Sink, float] = {}
    for source in sources:
        for lane in source.lanes:
            for sink, share in lane.streams:
                found[sink] = found.get(sink, 0.0) + (lane.share or 0.0) * (share or 0.0)
    return found


def scale(sources: Iterable[Source]) -> float:
    """Return how many pixels all requests of a frontend take: no more arrive anywhere than there is room."""
    return UNIT / max(1.0, max(arriving(sources).values(), default=1.0))


def sink_heights(sources: Sequence[Source]) -> dict[Sink, float]:
    """Return how high the sinks besides the pools are: at least as high as what arrives there."""
    unit = scale(sources)
    known = arriving(sources)
    return {sink: max(_SINK, known[sink] * unit) for sink in sinks(sources)}


def place_sink(drawing: Drawing, sink: Sink, high: float, columns: Columns, top: float) -> Port:
    """Draw where requests end outside of the pools, so high, and return where they arrive."""
    unknown = sink.kind == MYSTERY
    words = sink_words(sink)
    look = "unknown" if unknown else NOBODY if sink.kind in (NOBODY, MISSING) else "sink"
    width = _SINK if unknown else BAR
    lines = wrapped(words, int((columns.right - columns.pool - width - 10) / 7.2), 2)
    drawing.boxes.append(Box(columns.pool, top, width, high, look, words))
    if unknown:
        drawing.write(columns.pool + width / 2, top + high / 2 + 5, "?", "pool", room=20, anchor="middle")
    x = columns.pool + width + 10
    for number, text in enumerate(lines):
        y = top + high / 2 + 4 + 15 * (number - (len(lines) - 1) / 2)
        drawing.write(x, y, text, "small", room=columns.right - x, look="muted")
    return Port(columns.pool, top, high)


class _Ports:
    """Hands out the places at which streams enter, from top to bottom."""

    def __init__(self, ports: dict[Sink, Port], sources: Sequence[Source], unit: float) -> None:
        self.ports = ports
        self._next: dict[Sink, float] = {}
        self._said: dict[Sink, float] = {}
        self._known = {sink: share * unit for sink, share in arriving(sources).items()}
        self._links: dict[Sink, int] = {}
        #: Whether links have their shares written at their ends: then labels of routes leave them room.
        self.labelled = False
        for source in sources:
            for lane in source.lanes:
                for sink, share in lane.streams:
                    if lane.share is None or share is None:
                        self._links[sink] = self._links.get(sink, 0) + 1
                        self.labelled |= len(lane.streams) > 1

    def center(self, lane: Lane) -> float:
        """Return the height around which a lane's streams enter."""
        places = [self.ports[sink] for sink, _ in lane.streams]
        return sum(port.y + port.height / 2 for port in places) / len(places) if places else 0.0

    def enter(self, sink: Sink, width: float) -> float:
        """Return the upper end of a place so high, `width` 0 for a link."""
        port = self.ports[sink]
        links = self._links.get(sink, 0)
        step = min(_LINK_STEP, port.height / (links + 1))
        if sink not in self._next:
            high = self._known.get(sink, 0.0) + step * max(0, links - 1)
            self._next[sink] = port.y + (port.height - high) / 2
        at = self._next[sink]
        self._next[sink] = at + (width or step)
        return at

    def has_room(self, sink: Sink, at: float) -> bool:
        """Say whether a label fits at the end of a link, and take its place."""
        fits = at - self._said.get(sink, -_LINK_STEP) >= _LINK_STEP
        if fits:
            self._said[sink] = at
        return fits


def place(drawing: Drawing, sources: Sequence[Source], ports: dict[Sink, Port], columns: Columns, top: float) -> float:
    """Draw the frontends and their routes beside the sinks and return where they end."""
    unit = scale(sources)
    entries = _Ports(ports, sources, unit)
    for source in sorted(sources, key=lambda each: _mean([entries.center(lane) for lane in each.lanes])):
        lanes = sorted(source.lanes, key=entries.center)
        top = _source(drawing, source, lanes, entries, columns, top, unit)
    return top


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _source(
    drawing: Drawing, source: Source, lanes: Sequence[Lane], entries: _Ports, columns: Columns, top: float, unit: float
) -> float:
    widths = [None if lane.share is None else lane.share * unit for lane in lanes]
    unserved = [f"{percent(source.unserved)} of its requests unserved"] if source.unserved else []
    notes = [(source.detail, "muted")] * bool(source.detail) + [(text, NOBODY) for text in unserved]
    head = _NAME + _NOTE * len(notes)
    places = _lanes([entries.center(lane) for lane in lanes], widths, top + head)
    start, end = _bar(drawing, source, places, widths, columns)
    y = min(places[0] - (widths[0] or _THIN) / 2 - _LANE_LABEL, start) - head + 2
    x = columns.source or 0.0
    room = columns.pool - x - 12 - (_END if entries.labelled else 0.0)
    drawing.write(x, y + 16, source.label, "pool", room=room)
    for number, (text, look) in enumerate(notes, 1):
        drawing.write(x, y + 16 + _NOTE * number, text, "small", room=room, look=look)
    at = start + (end - start - sum(width or 0.0 for width in widths)) / 2
    for lane, y, width in zip(lanes, places, widths, strict=True):
        _lane(drawing, lane, y, width, entries, columns)
        x0, x1 = (columns.source or 0.0) + BAR, columns.lane
        if width is None:
            drawing.links.append(Link(x0, y, x1, y, f"{source.label}: {lane.names}: how many is not known"))
        else:
            title = f"{source.label}: {lane.names}: {percent(lane.share)}"
            drawing.bands.append(Band(x0, at, x1, y - width / 2, width, "flow", title))
            at += width
    lowest = max((y + (width or 0.0) / 2 for y, width in zip(places, widths, strict=True)), default=top)
    return max(lowest, end) + _LANE_GAP


def _lanes(centers: Sequence[float], widths: Sequence[float | None], top: float) -> list[float]:
    """Return the middle of each lane: beside what it leads to, below the one before it."""
    places = []
    for center, width in zip(centers, widths, strict=True):
        half = (width or _THIN) / 2
        y = max(center, top + _LANE_LABEL + half)
        places.append(y)
        top = y + half + _LANE_GAP
    return places


def _bar(
    drawing: Drawing, source: Source, places: Sequence[float], widths: Sequence[float | None], columns: Columns
) -> tuple[float, float]:
    """Draw the frontend's bar: as high as its requests where their shares are known, else a rail beside the routes."""
    if not places:
        return 0.0, 0.0
    known = [width for width in widths if width is not None]
    if len(known) == len(widths):
        middle = (places[0] + places[-1]) / 2
        start, end = middle - sum(known) / 2, middle + sum(known) / 2
    else:
        start = places[0] - (widths[0] or _THIN * 2) / 2
        end = places[-1] + (widths[-1] or _THIN * 2) / 2
    look = "pool" if len(known) == len(widths) else "rail"
    drawing.boxes.append(Box(columns.source or 0.0, start, BAR, max(end - start, 2.0), look, source.label))
    return start, end


def _lane(drawing: Drawing, lane: Lane, y: float, width: float | None, entries: _Ports, columns: Columns) -> None:
    top = y - (width or _THIN) / 2
    look = "rail" if width is None else "pool"
    drawing.boxes.append(Box(columns.lane, top, BAR / 2, max(width or _THIN, 1.0), look, lane.label))
    words = drawing.write(columns.lane, top - 5, percent(lane.share), "mark", room=60, look="halo")
    room = columns.pool - columns.lane - words - 18 - (_END if entries.labelled else 0.0)
    drawing.write(columns.lane + words + 6, top - 5, lane.label, "name", room=room, look="halo")
    x0 = columns.lane + BAR / 2
    for sink, share in sorted(lane.streams, key=lambda stream: entries.ports[stream[0]].y):
        port = entries.ports[sink]
        title = f"{lane.names}: {percent(share)} of its requests"
        if width is None or share is None:
            end = entries.enter(sink, 0.0)
            drawing.links.append(Link(x0, y, port.x, end, title))
            if len(lane.streams) > 1 and share is not None and entries.has_room(sink, end):
                drawing.write(port.x - 6, end - 4, percent(share), "mark", room=_END, look="halo", anchor="end")
        else:
            part = share * width
            drawing.bands.append(Band(x0, top, port.x, entries.enter(sink, part), part, "flow", title))
            top += part

"""Where a pool's requests come from: frontends and their routes, alike ones joined, as streams towards sinks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.report.pictures.rows import total
from lbcheck.report.pictures.words import named, plain, told
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.traffic.outcome import FrontendTraffic, RouteTraffic, TargetTraffic

#: What a stream may end in besides a pool.
POOL = "pool"
ANSWER = "answer"
MISSING = "missing"
MYSTERY = "unknown"
NOBODY = "nobody"
OTHERS = "others"

#: What is said of several sinks that serve nobody, each for a reason of its own.
_JOINED = "nobody serves what goes there"
#: So many routes with the same targets, or frontends with the same routes, are shown one by one.
_APART = 2
_NAMES_ROOM = 60


#: Directives say less than the places of a drawing: `use_backend POOL if { … }`, `default_backend POOL`, `location …`.
_DIRECTIVE = re.compile(
    r"use_backend \S+ if (?:\{ ([^{}]*) \}|(.+))|(?:use_backend|default_backend|listen) \S+|location (.+)"
)


class Sink(NamedTuple):
    """Where requests end: `kind` is one of the words above; `key` the pool's place, or what to say.

    `why` is there where what is named there serves nobody, or perhaps nobody, for a reason of its own.
    """

    kind: str
    key: int | str = ""
    why: str = ""


#: What a drawing says of sinks without a name.
_SINK_WORDS = {ANSWER: "answered by the proxy itself", NOBODY: "no pool takes them", OTHERS: "other pools"}


def sink_words(sink: Sink, pools: Mapping[int, str] | None = None) -> str:
    """Return what a sink is called; `pools` has the names of those that are shown."""
    because = f"{sink.key}: {sink.why}" if sink.why else ""
    if sink.kind == MISSING:
        return because or f"no pool is named {sink.key}"
    if sink.kind == MYSTERY:
        return f"not known: {because or sink.key}"
    if sink.kind == POOL and pools and isinstance(sink.key, int):
        return pools.get(sink.key, _SINK_WORDS[OTHERS])
    return _SINK_WORDS.get(sink.kind, "")


class Lane(NamedTuple):
    """A route, or several that lead to the same: its part of the frontend's requests, and of that each sink's part.

    `doubts` are those of its sinks that have a `why`, each for itself where the streams join them.
    """

    label: str
    size: int
    share: float | None
    streams: tuple[tuple[Sink, float | None], ...]
    names: str = ""
    doubts: tuple[Sink, ...] = ()


class Source(NamedTuple):
    """A frontend, or several with the same routes."""

    label: str
    detail: str
    size: int
    lanes: tuple[Lane, ...]

    @property
    def unserved(self) -> float | None:
        """The part of its requests that no pool takes, or none that exists, and that the proxy does not answer."""
        return total(
            None if lane.share is None else lane.share * (share or 0.0)
            for lane in self.lanes
            for sink, share in lane.streams
            if sink.kind in (NOBODY, MISSING)
        )


def nowhere(found: Iterable[Source]) -> list[str]:
    """Return in words which routes lead to pools that do not exist: "web, every request: no pool is named nope"."""
    return [
        f"{source.label}, {lane.label}: {sink_words(sink)}"
        for source in found
        for lane in source.lanes
        for sink in [one for one in lane.doubts if one.kind == MISSING] or [one for one, _ in lane.streams]
        if sink.kind == MISSING
    ]


def sources(frontends: Iterable[FrontendTraffic], place: Callable[[int], Sink]) -> list[Source]:
    """Return the frontends of a config. `place` says where in the picture a pool of `Traffic.pools` is."""
    found = [_source(frontend, place) for frontend in frontends]
    groups: dict[object, list[Source]] = {}
    for number, source in enumerate(found):
        key: object = tuple((lane.label, lane.share, lane.streams) for lane in source.lanes) or number
        groups.setdefault(key, []).append(source)
    return _few([joined for group in groups.values() for joined in _joined(group)])


def _few(found: list[Source]) -> list[Source]:
    """Make one sink of many that are not known: a drawing has no room for each reason."""
    for kind in (MYSTERY, MISSING):
        ends = {sink for source in found for lane in source.lanes for sink, _ in lane.streams if sink.kind == kind}
        if len(ends) > _APART:
            keys = named(sorted({str(sink.key) for sink in ends}), _NAMES_ROOM)
            why = _JOINED if any(sink.why for sink in ends) else ""
            one = Sink(kind, f"{len(ends):,} places") if kind == MYSTERY else Sink(kind, keys, why)
            found = [source._replace(lanes=tuple(_into(one, lane) for lane in source.lanes)) for source in found]
    return found


def _into(one: Sink, lane: Lane) -> Lane:
    streams = [(one if sink.kind == one.kind else sink, share) for sink, share in lane.streams]
    return lane._replace(streams=_merged(streams))


def _joined(group: list[Source]) -> list[Source]:
    if len(group) <= _APART:
        return group
    first = group[0]
    label = counted(len(group), "frontend")
    return [first._replace(label=label, detail=named([each.label for each in group], _NAMES_ROOM), size=len(group))]


def _source(frontend: FrontendTraffic, place: Callable[[int], Sink]) -> Source:
    groups: dict[object, list[Lane]] = {}
    for route in frontend.routes:
        label = matching(plain(route.match), alone=len(frontend.routes) == 1)
        streams = _streams(route, place)
        lane = Lane(label, 1, route.share, streams, label, tuple(sink for sink, _ in streams if sink.why))
        groups.setdefault(lane.streams, []).append(lane)
    lanes = tuple(lane for group in groups.values() for lane in _together(group))
    doors = [plain(text) for text in (*frontend.listeners, *frontend.hosts)]
    name = plain(frontend.name) or named(doors, _NAMES_ROOM)
    return Source(name, named([door for door in doors if door != name], _NAMES_ROOM), 1, lanes)


def matching(label: str, *, alone: bool) -> str:
    """Return what a route matches, without the words that a drawing says by its place."""
    found = _DIRECTIVE.fullmatch(label)
    every = "every request" if alone else "every other request"
    return (found[1] or found[2] or found[3] or every) if found else label or every


def _together(group: list[Lane]) -> list[Lane]:
    if len(group) <= _APART:
        return group
    label = counted(len(group), "route")
    names = named([lane.label for lane in group], _NAMES_ROOM)
    first = group[0]
    return [Lane(label, len(group), total(lane.share for lane in group), first.streams, names, first.doubts)]


def _streams(route: RouteTraffic, place: Callable[[int], Sink]) -> tuple[tuple[Sink, float | None], ...]:
    if route.outcome == "answer":
        return ((Sink(ANSWER), 1.0),)
    streams = [(_sink(target, place), target.share) for target in route.targets]
    if route.outcome == "unknown" or (not streams and route.unserved < 1):
        reason = told(route.reason or "where it leads is not known")
        streams.append((Sink(MYSTERY, reason), None if streams else 1.0))
    if route.unserved > 0:
        streams.append((Sink(NOBODY), route.unserved))
    return _merged(streams)


def _sink(target: TargetTraffic, place: Callable[[int], Sink]) -> Sink:
    if target.at is not None and not target.doubtful:
        return place(target.at)
    why = told(target.reason or "")
    name = plain(target.pool)
    if why.startswith(f"{name}: "):
        return Sink(MISSING if target.missing else MYSTERY, name, why.removeprefix(f"{name}: "))
    if target.missing:
        return Sink(MISSING, name)
    return Sink(MYSTERY, told(target.reason or f"no pool named {target.pool} was seen"))


def _merged(streams: Sequence[tuple[Sink, float | None]]) -> tuple[tuple[Sink, float | None], ...]:
    """Join the streams to one sink: a route names many pools that a picture shows as one."""
    parts: dict[Sink, list[float | None]] = {}
    for sink, share in streams:
        parts.setdefault(sink, []).append(share)
    return tuple((sink, total(shares)) for sink, shares in parts.items())

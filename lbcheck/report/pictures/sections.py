"""A run as pictures show it: config by config, the worst pools first, and what is left out counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.report.pictures.sources import OTHERS, POOL, Lane, Sink, Source, nowhere, sources
from lbcheck.report.pictures.views import PoolView, leads_nowhere, serves_nobody, unreached
from lbcheck.report.pictures.words import plain
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.traffic.outcome import FrontendTraffic, Traffic

#: So many frontends of a config, and routes of a frontend, are shown; the rest is counted.
_MOST_SOURCES = 12
_MOST_LANES = 10


class Section(NamedTuple):
    """One config: its frontends and its pools, worst first. `left_out` counts the frontends that are not shown."""

    title: str
    sources: list[Source]
    pools: list[PoolView]
    left_out: int = 0


class Digest(NamedTuple):
    """The sections, worst first, and the pools that found no room in them, in order of rank."""

    sections: list[Section]
    left_out: list[PoolView]


def ranked(traffic: Traffic) -> list[PoolView]:
    """Return every pool, the worst first."""
    return sorted(views(traffic), key=lambda view: view.rank)


def digest(traffic: Traffic, most: int, ranks: Sequence[PoolView] | None = None) -> Digest:
    """Return the `most` worst pools in their configs' sections. `ranks` are the pools by rank, if somebody has them.

    A config with a route to a pool that does not exist, or to none, has a section even where it has no pool.
    """
    ranks = ranked(traffic) if ranks is None else ranks
    kept, left_out = list(ranks[:most]), list(ranks[most:])
    by_config: dict[str, list[PoolView]] = {}
    for view in kept:
        by_config.setdefault(view.pool.config, []).append(view)
    frontends = by_path(traffic.frontends)
    astray = (frontend.config for frontend in traffic.frontends if leads_nowhere(frontend) or serves_nobody(frontend))
    for path in list(dict.fromkeys(astray))[:most]:
        by_config.setdefault(path, [])
    return Digest([_section(path, frontends.get(path, ()), own) for path, own in by_config.items()], left_out)


def _section(path: str, frontends: Sequence[FrontendTraffic], own: list[PoolView]) -> Section:
    kept, left_out = shown_sources(sources(frontends, placing({view.at for view in own})))
    return Section(plain(path), kept, own, left_out)


def views(traffic: Traffic) -> list[PoolView]:
    """Return every pool with what is known about it, in the run's order."""
    used, without = used_pools(traffic.frontends), unreached(traffic.frontends)
    silent = {frontend.config for frontend in traffic.frontends} - _mysterious(traffic.frontends)
    return [
        PoolView(
            at,
            pool,
            orphan=at not in used and pool.config in silent,
            unreached=at in without,
            asked=traffic.chosen and bool(pool.losses),
        )
        for at, pool in enumerate(traffic.pools)
    ]


def used_pools(frontends: Iterable[FrontendTraffic]) -> set[int]:
    """Return the places of the pools that some route leads to."""
    return {
        target.at
        for frontend in frontends
        for route in frontend.routes
        for target in route.targets
        if target.at is not None
    }


def _mysterious(frontends: Iterable[FrontendTraffic]) -> set[str]:
    """Return the configs in which a route may lead anywhere: of no pool there can one say that nothing leads to it."""
    return {frontend.config for frontend in frontends if any(route.outcome == "unknown" for route in frontend.routes)}


def by_path(frontends: Iterable[FrontendTraffic]) -> dict[str, list[FrontendTraffic]]:
    """Return the frontends of each config."""
    found: dict[str, list[FrontendTraffic]] = {}
    for frontend in frontends:
        found.setdefault(frontend.config, []).append(frontend)
    return found


def placing(kept: set[int]) -> Callable[[int], Sink]:
    """Return where in a picture a pool is: itself if it is shown, else among the others."""
    return lambda at: Sink(POOL, at) if at in kept else Sink(OTHERS)


def shown_sources(found: Sequence[Source]) -> tuple[list[Source], int]:
    """Return the sources that a picture shows, those with a way to a pool in it, and how many it leaves out."""
    leading = [source for source in found if any(_leads(lane) for lane in source.lanes)]
    leading.sort(key=lambda source: not nowhere([source]))
    kept = [source._replace(lanes=_lanes(source.lanes)) for source in leading[:_MOST_SOURCES]]
    return kept, sum(source.size for source in found) - sum(source.size for source in kept)


def _leads(lane: Lane) -> bool:
    return any(sink.kind != OTHERS for sink, _ in lane.streams)


def _lanes(lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
    ordered = sorted(lanes, key=lambda lane: not _leads(lane))
    if len(ordered) <= _MOST_LANES:
        return tuple(ordered)
    rest = ordered[_MOST_LANES - 1 :]
    more = sum(lane.size for lane in rest)
    words = counted(more, "more route")
    return (*ordered[: _MOST_LANES - 1], Lane(words, more, None, ((Sink(OTHERS), None),), words))

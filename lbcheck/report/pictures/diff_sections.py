"""A diff as pictures show it: config by config, what moved most first, each side with its own routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.outcome import UNCHANGED
from lbcheck.report.pictures.pairs import PoolPair
from lbcheck.report.pictures.rows import total
from lbcheck.report.pictures.sections import shown_sources
from lbcheck.report.pictures.sources import OTHERS, POOL, Sink, Source, sources
from lbcheck.report.pictures.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.changes.outcome import Changes
    from lbcheck.traffic.outcome import PoolTraffic, Traffic

#: A pool's incoming share has changed if it differs by more than this.
_SAME = 1e-9


class DiffSection(NamedTuple):
    """One config on both sides: titles, sources before and after, the pools that changed, and the unchanged ones."""

    titles: tuple[str, str]
    sources: tuple[list[Source], list[Source]]
    pairs: list[PoolPair]
    unchanged: list[PoolPair]


class DiffDigest(NamedTuple):
    """The sections, what moved most first, and the changed pools that found no room in them."""

    sections: list[DiffSection]
    left_out: list[PoolPair]


def digest(changes: Changes, most: int) -> DiffDigest:
    """Return the `most` pools that moved most in their configs' sections."""
    pairs = sorted((PoolPair(at, change) for at, change in enumerate(changes.pools)), key=lambda pair: pair.rank)
    flows = [_arriving(changes, side) for side in (0, 1)]
    for pair in pairs:
        pair.flow = _rerouted(pair, flows)
    moved = [pair for pair in pairs if pair.change.status != UNCHANGED or pair.flow is not None]
    still = [pair for pair in pairs if pair.change.status == UNCHANGED and pair.flow is None]
    place = _config_of(changes)
    by_config: dict[str, list[PoolPair]] = {}
    for pair in moved[:most]:
        by_config.setdefault(place(pair), []).append(pair)
    sections = [
        _section(changes, own, [pair for pair in still if place(pair) == config]) for config, own in by_config.items()
    ]
    return DiffDigest(sections, moved[most:])


def _config_of(changes: Changes) -> Callable[[PoolPair], str]:
    """Return where to show a pool: a removed one in the config that its neighbours are in now."""
    now = {change.before.config: change.after.config for change in changes.pools if change.before and change.after}

    def place(pair: PoolPair) -> str:
        pool = pair.change.after or pair.change.before
        config = pair.change.config if pool is None else pool.config
        return config if pair.change.after is not None else now.get(config, config)

    return place


def _rerouted(pair: PoolPair, flows: Sequence[dict[int, float | None]]) -> tuple[float, float] | None:
    """Return which part of the requests a pool got and gets; None where it is the same, or not known."""
    if pair.change.before is None or pair.change.after is None:
        return None
    before, after = flows[0].get(pair.at, 0.0), flows[1].get(pair.at, 0.0)
    if before is None or after is None or abs(before - after) <= _SAME or max(before, after) > 1 + _SAME:
        return None
    return (before, after)


def _arriving(changes: Changes, side: int) -> dict[int, float | None]:
    """Return how much of their frontends each pool gets on one side: the shares summed up, None where not known."""
    parts: dict[int, list[float | None]] = {}
    for source in _sources(changes, side, set(range(len(changes.pools))), None):
        for lane in source.lanes:
            for sink, share in lane.streams:
                if sink.kind == POOL and isinstance(sink.key, int):
                    part = None if lane.share is None or share is None else lane.share * share * source.size
                    parts.setdefault(sink.key, []).append(part)
    return {at: total(shares) for at, shares in parts.items()}


def _section(changes: Changes, own: list[PoolPair], unchanged: list[PoolPair]) -> DiffSection:
    kept = {pair.at for pair in own}
    found = []
    titles = []
    for side in (0, 1):
        pools = [pool for pair in [*own, *unchanged] if (pool := _of_side(pair, side)) is not None]
        configs = dict.fromkeys(pool.config for pool in pools)
        titles.append(", ".join(map(plain, configs)))
        found.append(shown_sources(_sources(changes, side, kept, set(configs)))[0])
    return DiffSection((titles[0], titles[1]), (found[0], found[1]), own, unchanged)


def _of_side(pair: PoolPair, side: int) -> PoolTraffic | None:
    return pair.change.after if side else pair.change.before


def _sources(changes: Changes, side: int, kept: set[int], configs: set[str] | None) -> list[Source]:
    traffic: Traffic = changes.after if side else changes.before
    places: dict[object, int] = {}
    for at, change in enumerate(changes.pools):
        pool = change.after if side else change.before
        if pool is not None:
            places.setdefault(_key(pool), at)

    def place(at: int) -> Sink:
        found = places.get(_key(traffic.pools[at]))
        return Sink(POOL, found) if found in kept else Sink(OTHERS)

    frontends = traffic.frontends
    return sources((each for each in frontends if configs is None or each.config in configs), place)


def _key(pool: PoolTraffic) -> object:
    return (pool.config, pool.scope, pool.name)

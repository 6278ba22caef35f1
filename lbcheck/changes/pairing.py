"""Which thing of the new version is which thing of the old one: configs, pools and servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lbcheck.changes.outcome import ServerPair

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from lbcheck.changes.outcome import Version
    from lbcheck.model import Pool, Server

T = TypeVar("T")

#: Two things of different names are one if they have at least so much in common: shared parts / all parts.
ALIKE = 0.5
#: A part that more things than this have in common tells none of them apart.
_COMMON = 50


class Pair(NamedTuple):
    """A pool on both sides, None where it does not exist; each with the version of the config that holds it."""

    old: Pool | None
    new: Pool | None
    before: Version | None
    after: Version | None


def by_key(old: Sequence[T], new: Sequence[T], key: Callable[[T], Hashable]) -> list[tuple[T, T]]:
    """Return the pairs that have the same key, those of one key in order."""
    waiting: dict[Hashable, list[T]] = {}
    for item in reversed(old):
        waiting.setdefault(key(item), []).append(item)
    return [(waiting[found].pop(), item) for item in new if waiting.get(found := key(item))]


class Traits(NamedTuple):
    """What a thing is known by. Only `parts` make things alike; `hints` find pairs and choose between alike ones."""

    parts: frozenset[Hashable]
    hints: frozenset[Hashable] = frozenset()


def by_likeness(old: Sequence[T], new: Sequence[T], traits: Callable[[T], Traits]) -> list[tuple[T, T]]:
    """Return the pairs that have most of their parts in common, the likest first; each thing in one pair at most."""
    known = [traits(item) for item in new]
    owners: dict[Hashable, list[int]] = {}
    for place, one in enumerate(known):
        for trait in one.parts | one.hints:
            owners.setdefault(trait, []).append(place)
    found = sorted(
        (*score, before, after)
        for before, item in enumerate(old)
        for score, after in _scores(traits(item), known, owners)
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for _, _, before, after in found:
        if before not in taken[0] and after not in taken[1]:
            taken[0].add(before)
            taken[1].add(after)
            pairs.append((old[before], new[after]))
    return pairs


def _scores(
    own: Traits, known: Sequence[Traits], owners: dict[Hashable, list[int]]
) -> Iterator[tuple[tuple[float, int], int]]:
    """Yield ((likeness, hints in common), place), both negative, of those that are alike."""
    found = (owners.get(trait, ()) for trait in own.parts | own.hints)
    for place in {place for places in found if len(places) <= _COMMON for place in places}:
        other = known[place]
        shared, parts = len(own.parts & other.parts), len(own.parts | other.parts)
        if parts and shared / parts >= ALIKE:
            yield (-shared / parts, -len(own.hints & other.hints)), place


def without(items: Iterable[T], taken: Iterable[T]) -> list[T]:
    """Return the items that are not (the same objects as) those taken, in order."""
    gone = {id(item) for item in taken}
    return [item for item in items if id(item) not in gone]


def configs(old: Sequence[Version], new: Sequence[Version]) -> list[tuple[Version | None, Version | None]]:
    """Pair the configs of two versions: by path, then, for files that were moved, by what is in them.

    Manifests are one world, whatever its path is called after. A config that could not be read is paired by its path
    alone, whatever its dialect. Where either version is a single
    config, in another dialect, somebody moves from one balancer to another: they are one. Those of the new version come
    first, in order, then those that are gone.
    """
    found = by_key(old, new, lambda one: (one.config.dialect, "" if one.config.apart else one.path))
    rest_old, rest_new = without(old, (one for one, _ in found)), without(new, (one for _, one in found))
    found += [
        pair
        for pair in by_key(rest_old, rest_new, lambda one: one.path)
        if "" in {pair[0].config.dialect, pair[1].config.dialect}
    ]
    rest_old, rest_new = without(old, (one for one, _ in found)), without(new, (one for _, one in found))
    found += by_likeness(rest_old, rest_new, _traits) or _only(old, new)
    before = {id(one): other for other, one in found}
    return [
        *((before.get(id(one)), one) for one in new),
        *((one, None) for one in without(old, before.values())),
    ]


def _only(old: Sequence[Version], new: Sequence[Version]) -> list[tuple[Version, Version]]:
    """Pair the only config of each side where they are of two dialects. Files of none do not count."""
    known = [[one for one in side if one.config.dialect] for side in (old, new)]
    pairs = list(zip(*known, strict=False))
    alone = all(len(side) == 1 for side in known)
    return pairs if alone and across(*pairs[0]) else []


def across(before: Version | None, after: Version | None) -> bool:
    """Say whether a config is written for another balancer now."""
    dialects = {side.config.dialect for side in (before, after) if side is not None and side.config.dialect}
    return len(dialects) > 1


def _traits(version: Version) -> Traits:
    """Return what a config is known by: its pools and their servers, or its lines where it has none; and its path."""
    config = version.config
    found: set[Hashable] = {("server", address(server)) for pool in config.pools for server in pool.servers}
    found |= {("pool", pool.scope, pool.name) for pool in config.pools}
    if not found:
        found = {("line", line.strip()) for source in config.files[:1] for line in source.text.splitlines()}
    path = frozenset((config.dialect, "path", part) for part in version.path.split("/"))
    return Traits(frozenset((config.dialect, part) for part in found), path)


def pools(pairs: Sequence[tuple[Version | None, Version | None]]) -> list[list[Pair]]:
    """Pair the pools of each pair of configs: by name; renamed ones, and those moved to another config, by servers.

    A pool that moved from one config to another stands with the pair of configs that has it now.
    """
    found: list[list[Pair]] = []
    gone: list[tuple[int, Version, Pool]] = []
    come: list[tuple[int, Version, Pool]] = []
    for at, (before, after) in enumerate(pairs):
        old, new = before.config.pools if before else [], after.config.pools if after else []
        same = _across(old, new) if across(before, after) else _within(old, new)
        found.append([Pair(one, other, before, after) for one, other in same])
        gone += [(at, before, pool) for pool in without(old, (one for one, _ in same)) if before]
        come += [(at, after, pool) for pool in without(new, (one for _, one in same)) if after]
    moved = by_likeness(gone, come, _members_and_name)
    for (_, before, pool), (at, after, other) in moved:
        found[at].append(Pair(pool, other, before, after))
    for at, after, pool in without(come, (one for _, one in moved)):
        found[at].append(Pair(None, pool, pairs[at][0], after))
    for at, before, pool in without(gone, (one for one, _ in moved)):
        found[at].append(Pair(pool, None, before, pairs[at][1]))
    return [sorted(each, key=_place) for each in found]


def _within(old: Sequence[Pool], new: Sequence[Pool]) -> list[tuple[Pool, Pool]]:
    same = by_key(old, new, lambda pool: (pool.scope, pool.name))
    rest_old, rest_new = without(old, (one for one, _ in same)), without(new, (one for _, one in same))
    return same + by_likeness(rest_old, rest_new, _members)


def _across(old: Sequence[Pool], new: Sequence[Pool]) -> list[tuple[Pool, Pool]]:
    """Pair pools of two dialects: by servers, for each has names of its own; of alike ones, and the rest, by name."""
    same = by_likeness(old, new, lambda pool: Traits(_members(pool).parts, frozenset({("name", _bare(pool))})))
    rest_old, rest_new = without(old, (one for one, _ in same)), without(new, (one for _, one in same))
    return same + by_key(rest_old, rest_new, _bare)


def _bare(pool: Pool) -> str:
    """Return a pool's name without what other dialects have no word for: the namespace of a Service."""
    return pool.name.rpartition("/")[2]


def _place(pair: Pair) -> tuple[bool, str, int]:
    """Order pools as the new version has them, those that are gone behind them as the old one had them."""
    pool = pair.new or pair.old
    return (pair.new is None, "", 0) if pool is None else (pair.new is None, pool.span.path, pool.span.start)


def _members(pool: Pool) -> Traits:
    return Traits(frozenset(address(server) for server in pool.servers))


def _members_and_name(item: tuple[int, Version, Pool]) -> Traits:
    _, version, pool = item
    dialect, name = version.config.dialect, ("name", pool.name)
    parts = {(dialect, part) for part in (*_members(pool).parts, name)}
    return Traits(frozenset(parts), frozenset({("path", version.path)}))


def servers(old: Sequence[Server], new: Sequence[Server]) -> tuple[ServerPair, ...]:
    """Pair the servers of one pool: by address, of several at one address by name too; by name where it is new.

    Those of the new version come first, in order, then those that are gone.
    """
    found = by_key(old, new, lambda server: (address(server), server.name))
    for key in (address, lambda server: server.name):
        rest_old, rest_new = without(old, (one for one, _ in found)), without(new, (one for _, one in found))
        found += by_key(rest_old, rest_new, key)
    places = {id(server): at for at, server in enumerate(old)}
    before = {id(one): other for other, one in found}
    return (
        *(_server_pair(before.get(id(server)), server, places, at) for at, server in enumerate(new)),
        *(ServerPair(server, None, places[id(server)], None) for server in without(old, before.values())),
    )


def doubtful(pairs: Iterable[ServerPair]) -> list[str]:
    """Return the names of servers that may be one another's machine, for the address of one of them is not known.

    They have no counterpart of the same address, and there are some on both sides.
    """
    moved = [pair for pair in pairs if pair.before is None or pair.after is None or pair.elsewhere]
    sides = ([pair.before for pair in moved if pair.before], [pair.after for pair in moved if pair.after])
    if not all(sides):
        return []
    return list(dict.fromkeys(one.name for side in sides for one in side if not one.address.known))


def _server_pair(before: Server | None, after: Server, places: dict[int, int], at: int) -> ServerPair:
    return ServerPair(before, after, None if before is None else places[id(before)], at)


def address(server: Server) -> Hashable:
    """Return what makes two servers one machine: the address, or the text where it holds a variable."""
    return server.address.key if server.address.known else ("as written", server.address.text)

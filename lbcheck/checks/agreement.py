"""One server in several pools of a config: the pools should agree on what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.addresses import located
from lbcheck.checks.pools import unused
from lbcheck.checks.zeros import chosen_by_name
from lbcheck.findings import ERROR, INFO, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lbcheck.checks.addresses import Key
    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Span

    #: A server and a pool that it is in.
    Entry = tuple[Pool, Server]
    #: What only servers that may be compared have in common: scope, protocol, role, place.
    Identity = tuple[str, str, str, Key]

#: So many pools on each side of a disagreement are looked at.
_PAIRS = 10


def conflicting_settings(config: Config, context: Context) -> Iterator[Hit]:
    """X01: a server that one pool has taken out and another still uses, or that two pools reach or rank differently.

    Compared are pools of one mode that are in use, and servers of one role. Only the drained state, TLS and the
    rank by weight count: pools made for different purposes may well differ in the rest.
    """
    entries = _several(config, context.once(config, located))
    if not entries:
        return
    idle = {id(pool) for pool in context.once(config, unused)}
    ranked: dict[tuple[int, int], list[tuple[Entry, Entry]]] = {}
    apart, spoken = _mirrored(entries), _spoken(config)
    for group in entries.values():
        live = [entry for entry in group if id(entry[0]) not in idle]
        if len(live) < 2:
            continue
        hit = _drained_elsewhere(live, apart) or _tls_elsewhere(live, spoken)
        if hit is not None:
            yield hit
            continue
        first = live[0]
        for other in live[1:]:
            if first[1].serving and other[1].serving:
                ranked.setdefault((id(first[0]), id(other[0])), []).append((first, other))
    for pairs in ranked.values():
        hit = _opposite_rank(pairs)
        if hit is not None:
            yield hit


def _several(config: Config, places: Sequence[Sequence[tuple[Key, Server]]]) -> dict[Identity, list[Entry]]:
    """Return the servers that are in several pools, at most once of each name (two of one are alternatives)."""
    several = _repeated(places)
    found: dict[Identity, list[Entry]] = {}
    for pool, servers in zip(config.pools, places, strict=True) if several else ():
        if pool.open or pool.implicit:
            continue
        for where, server in servers:
            if where in several:
                found.setdefault((pool.scope, pool.protocol, server.role, where), []).append((pool, server))
    return {
        identity: group
        for identity, group in found.items()
        if len(group) > 1 and len({pool.name for pool, _ in group}) == len(group)
    }


def _repeated(places: Iterable[Iterable[tuple[Key, Server]]]) -> set[Key]:
    """Return the places of more than one server: mostly there are few."""
    once: set[Key] = set()
    again: set[Key] = set()
    for servers in places:
        for where, _ in servers:
            (again if where in once else once).add(where)
    return again


def _drained(entry: Entry) -> bool:
    """Say whether this pool, which serves others, has taken the server out."""
    pool, server = entry
    return not server.enabled or not (server.weight.value or chosen_by_name(pool, server))


def _sides(group: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return (entries that are drained, entries that are in rotation) of the pools that have a choice.

    A pool that serves with others has drained this one; a pool of this server alone is the way to reach it, drained
    or not.
    """
    drained = [entry for entry in group if _drained(entry) and entry[0].serving]
    return drained, [entry for entry in group if not _drained(entry) and len(entry[0].servers) > 1]


def _mirrored(entries: dict[Identity, list[Entry]]) -> set[tuple[int, int]]:
    """Return pairs of pools in which the first has drained what the second uses: each way, they split the servers."""
    pairs: set[tuple[int, int]] = set()
    for group in entries.values():
        drained, active = _sides(group)
        pairs.update((id(one[0]), id(other[0])) for one in drained[:_PAIRS] for other in active[:_PAIRS])
    return {(one, other) for one, other in pairs if (other, one) in pairs}


def _drained_elsewhere(group: Sequence[Entry], apart: set[tuple[int, int]]) -> Hit | None:
    drained, active = _sides(group)
    if not drained or not active or (id(drained[0][0]), id(active[0][0])) in apart:
        return None
    (pool, server), (other_pool, other) = drained[0], active[0]
    state = "has it out of rotation" if not server.enabled else "gives it weight 0"
    difference = f"{pool.name} {state}, {other_pool.name} still sends it requests"
    place = server.disabled if not server.enabled else server.weight
    span = (place and place.span) or server.span
    return _conflict(pool, server, other_pool, other, difference, span, ERROR)


def _tls_elsewhere(group: Sequence[Entry], spoken: Mapping[int, bool | None]) -> Hit | None:
    """Return the finding for a server to which one pool speaks TLS and another does not."""
    voices = [(entry, _speaks_tls(entry, spoken)) for entry in group if entry[1].enabled]
    plain = next((entry for entry, tls in voices if tls is False), None)
    secure = next((entry for entry, tls in voices if tls), None)
    if plain is None or secure is None:
        return None
    difference = f"{secure[0].name} speaks TLS to it, {plain[0].name} does not, and one port answers only one of them"
    return _conflict(*plain, *secure, difference, plain[1].span, None)


def _speaks_tls(entry: Entry, spoken: Mapping[int, bool | None]) -> bool | None:
    pool, server = entry
    return spoken.get(id(pool)) if server.tls is None else server.tls.value


def _spoken(config: Config) -> dict[int, bool | None]:
    """Return how each pool speaks to servers that say nothing themselves: TLS, plain, or both or neither (None).

    nginx says it at each `proxy_pass`; elsewhere a server that says nothing is spoken to in plain text.
    """
    if config.dialect != "nginx":
        return {id(pool): False for pool in config.pools}
    found: dict[int, bool | None] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                tls = "tls" in route.options
                if found.setdefault(id(target.pool), tls) is not tls:
                    found[id(target.pool)] = None
    return found


def _opposite_rank(pairs: Sequence[tuple[Entry, Entry]]) -> Hit | None:
    """Return the finding for two pools that put two of the servers they share in opposite order of weight.

    Pools that give the same weights to other servers prefer one each, which is meant.
    """
    mine, others = ([entry[1].weight.value for entry in side] for side in zip(*pairs, strict=True))
    if sorted(mine) == sorted(others):
        return None
    ordered = sorted(pairs, key=lambda pair: (pair[0][1].weight.value, -pair[1][1].weight.value))
    best: tuple[Entry, Entry] | None = None
    for pair in ordered:
        if best is None or pair[1][1].weight.value > best[1][1].weight.value:
            best = pair
            continue
        lighter = best[0][1].weight.value < pair[0][1].weight.value
        if lighter and best[1][1].weight.value > pair[1][1].weight.value:
            (pool, server), (other_pool, other) = pair
            low = best[0][1].name
            difference = (
                f"{pool.name} gives it more weight than {low} ({server.weight.value} to {best[0][1].weight.value}), "
                f"{other_pool.name} less ({other.weight.value} to {best[1][1].weight.value})"
            )
            return _conflict(other_pool, other, pool, server, difference, other.weight.span or other.span, INFO)
    return None


def _conflict(
    pool: Pool, server: Server, other_pool: Pool, other: Server, difference: str, span: Span, severity: str | None
) -> Hit:
    address = server.address.text
    args = {"server": server.name if server.name == address else f"{server.name} ({address})", "difference": difference}
    related = [Related(other.span, f"the same server in {other_pool.name}")]
    return Hit("X01", span, args, severity=severity, related=related, pool=pool.name, server=server.name)

"""One pool in two balancers that serve the same clients: both should have the same servers, and map keys alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.addresses import fixed_place
from lbcheck.findings import Hit, Related
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.checks.addresses import Key
    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

    #: The servers of a pool that are in rotation, by place.
    Members = dict[Key, Server]
    #: A pool here and there, with the servers of both.
    Twin = tuple[Pool, Pool, Members, Members]

#: Pools have so much in common at least, shared servers / all servers, or they only have a name in common.
_ALIKE = 0.5


def pool_drift(config: Config, context: Context) -> Iterator[Hit]:
    """X02: a pool that another balancer of the group has too, with other servers, weights or another algorithm."""
    for mine, other, here, there in context.once(config, _twins):
        difference = _difference(mine, other, here, there)
        if difference is not None:
            yield _hit("X02", mine, other, {"difference": difference})


def hash_drift(config: Config, context: Context) -> Iterator[Hit]:
    """S09: the same servers and the same hash, written so that the other balancer maps keys to other servers."""
    twins = context.once(config, _twins)
    if not twins:
        return
    from lbcheck.changes.keys import Budget, keys_apart  # every hash there is: most runs have no group
    from lbcheck.changes.pairing import servers

    budget = Budget()
    for mine, other, here, there in twins:
        if _difference(mine, other, here, there) is not None:
            continue
        pairs = servers(other.servers, mine.servers)
        moved = keys_apart((other, config.dialect), (mine, config.dialect), pairs, budget).share
        if moved:
            yield _hit("S09", mine, other, {"moved": percent(moved), "advice": _advice(config.dialect, mine)})


def _advice(dialect: str, pool: Pool) -> str:
    if dialect == "haproxy" and pool.algorithm.consistent:
        return "give each server the same `id` on both, or from 3.0 on `hash-key addr-port`"
    if dialect == "nginx" and pool.algorithm.name == "hash_consistent":
        return "write each server alike on both, with its port: the ring is made of the texts"
    return "list the servers in one order on both"


def _hit(code: str, mine: Pool, other: Pool, args: dict[str, str]) -> Hit:
    args = {"pool": mine.name, "peer": other.span.source.path, **args}
    related = [Related(other.span, "the same pool on the other balancer")]
    return Hit(code, mine.span, args, related=related, pool=mine.name)


def _twins(config: Config) -> list[Twin]:
    """Return the pools that the config has in common with another balancer's, by name and most servers.

    Left out are pools of which a member is not known, that reach their own machine (another one on each balancer), or
    that rank the servers the other way round: each balancer then prefers what is near.
    """
    peer = config.peer()
    if peer is None or config.open is not None or peer.open is not None or any(hit.code[0] == "E" for hit in peer.hits):
        return []
    others = {(pool.scope, pool.name): pool for pool in peer.pools if not pool.implicit}
    found = []
    for mine in config.pools:
        other = None if mine.implicit else others.get((mine.scope, mine.name))
        here, there = _members(mine), _members(other)
        if other is None or not here or not there or _mirrored(here, there):
            continue
        if len(here.keys() & there.keys()) / len(here.keys() | there.keys()) >= _ALIKE:
            found.append((mine, other, here, there))
    return found


def _members(pool: Pool | None) -> Members:
    """Return a pool's servers by their places; none where one of them has no place of its own."""
    if pool is None or pool.open is not None or pool.unsure is not None:
        return {}
    found = {fixed_place(server): server for server in pool.enabled}
    if len(found) < len(pool.enabled) or any(server.address.loopback for server in pool.servers):
        return {}
    return {place: server for place, server in found.items() if place is not None} if None not in found else {}


def _mirrored(here: Members, there: Members) -> bool:
    """Say whether both have the same ranks, given to other servers."""
    mine, others = ({place: (one.role, one.weight.value) for place, one in side.items()} for side in (here, there))
    return mine != others and sorted(mine.values()) == sorted(others.values()) and mine.keys() == others.keys()


def _difference(mine: Pool, other: Pool, here: Members, there: Members) -> str | None:
    for side, against, words in ((here, there, "is only here"), (there, here, "is only there")):
        alone = [server.address.text for place, server in side.items() if place not in against]
        if alone:
            return f"{listed(alone)} {words if len(alone) == 1 else words.replace('is', 'are', 1)}"
    for place, server in here.items():
        twin = there[place]
        if server.role != twin.role:
            return f"{server.address.text} is a {server.role} here and a {twin.role} there"
        if server.weight.value != twin.weight.value:
            return f"{server.address.text} has weight {server.weight.value} here and {twin.weight.value} there"
    if mine.algorithm.name != other.algorithm.name:
        return f"it is balanced by {mine.algorithm.name} here and by {other.algorithm.name} there"
    keys = [None if one.algorithm.key is None else one.algorithm.key.value for one in (mine, other)]
    return None if keys[0] == keys[1] else f"it hashes {keys[0]} here and {keys[1]} there"

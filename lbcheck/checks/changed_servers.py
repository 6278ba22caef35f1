"""Checks of a change: pools that lose most of their servers, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.pairing import address
from lbcheck.checks.fairness import times
from lbcheck.checks.intent import drained, trial
from lbcheck.checks.pools import EFFECTS, loss, routed_pools
from lbcheck.findings import Hit
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from lbcheck.changes.outcome import ConfigChange, PoolChange
    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.traffic.outcome import PoolTraffic


class Both(NamedTuple):
    """A pool of a change that both versions know in full."""

    change: PoolChange
    old: PoolTraffic
    new: PoolTraffic
    config: Config


def known(change: ConfigChange, context: Context) -> Iterator[Both]:
    """Yield the pools that are in both versions with all their members, and that requests reach or may reach."""
    if change.after is None:
        return
    config = change.after.config
    routed, complete = context.once(config, routed_pools)
    for pool in change.pools:
        old, new = pool.before, pool.after
        if old is None or new is None or old.pool.open is not None or new.pool.open is not None:
            continue
        if not complete or (new.pool.scope, new.pool.name) in routed:
            yield Both(pool, old, new, config)


def pool_lost_servers(change: ConfigChange, context: Context) -> Iterator[Hit]:
    """V01: more than half of a pool's servers take no requests any more, and nothing took their place.

    Servers that went to another pool are not lost. Silent where a name came in, which may be many machines, where
    capacities say that the rest can take as much, and where names or comments speak of a trial or of maintenance.
    """
    for pool in known(change, context):
        lost = most_lost(pool, change)
        if lost is None:
            continue
        before, after = lost
        args = {
            "pool": pool.new.name,
            "before": counted(before, "server"),
            "after": str(after),
            "ratio": times(before / after),
        }
        yield Hit("V01", pool.new.pool.span, args, pool=pool.new.name)


def most_lost(pool: Both, change: ConfigChange) -> tuple[int, int] | None:
    """Return how many servers served before, those that serve elsewhere now left out, and how many do now.

    None where that is not more than half of them lost, or where there is another reason to be silent.
    """
    old, new = pool.old.pool, pool.new.pool
    left = machines(new.serving)
    if not left or left * 2 >= machines(old.serving) or trial(new.name, new.span) or _named_anew(old, new.serving):
        return None
    elsewhere = _come_to_others(pool, change)
    before = [server for server in old.serving if address(server) not in elsewhere]
    was = machines(before) - _drained(pool)
    whole, rest = capacity(before), capacity(new.serving)
    enough = left * 2 >= was if whole is None or rest is None else rest * 2 >= whole
    return None if enough else (was, left)


def _drained(pool: Both) -> int:
    """Return how many servers are still written, out of rotation, with words that say that it is for maintenance."""
    return sum(
        pair.before.count
        for pair in pool.change.pairs
        if pair.before is not None and pair.after is not None
        if pair.before.serving and not pair.after.serving and drained(pair.after)
    )


def _come_to_others(pool: Both, change: ConfigChange) -> set[Hashable]:
    """Return the machines that serve in another pool of the new version and did not before."""
    found: set[Hashable] = set()
    for other in change.pools:
        if other is not pool.change and other.after is not None:
            there = {address(server) for server in other.after.pool.serving}
            found |= there - ({address(server) for server in other.before.pool.serving} if other.before else set())
    return found


def machines(servers: Sequence[Server]) -> int:
    """Return for how many machines the lines of these servers stand."""
    return sum(server.count for server in servers)


def _named_anew(old: Pool, after: Sequence[Server]) -> bool:
    """Say whether a name (or a variable) came in, behind which there may be any number of machines."""
    written = {address(server) for server in old.servers}
    return any(server.address.kind in {"name", "opaque"} and address(server) not in written for server in after)


def capacity(servers: Sequence[Server]) -> float | None:
    """Return what the servers can take together, None where one does not say."""
    values = [server.capacity.value * server.count for server in servers if server.capacity is not None]
    return sum(values) if values and len(values) == len(servers) else None


def pool_became_empty(change: ConfigChange, context: Context) -> Iterator[Hit]:
    """V02: a pool that served has no server left that takes requests, backups included."""
    for pool in known(change, context):
        if pool.old.unserved in {None, 1.0} or pool.new.unserved != 1.0 or pool.new.pool.answers:
            continue
        severity = loss(pool.new.pool, pool.config, context)
        if severity is None:
            continue
        taking = sum(server.alike for server in pool.old.servers if server.share)
        args = {"pool": pool.new.name, "before": counted(taking, "server"), "effect": EFFECTS[severity]}
        yield Hit("V02", pool.new.pool.span, args, severity=severity, pool=pool.new.name)

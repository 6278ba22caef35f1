"""Checks of a change: keys that change their server, and servers whose share grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.changed_servers import capacity, known, machines, most_lost
from lbcheck.checks.fairness import ABOVE, times
from lbcheck.checks.intent import canary
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.changes.outcome import ConfigChange, ServerPair
    from lbcheck.checks.changed_servers import Both
    from lbcheck.context import Context
    from lbcheck.model import Server

#: So many times the least that must move is still "must": the points of a ring are chance.
_UNAVOIDABLE = 1.25
#: A server that gets no more than this times a fair share has come to its due, however fast.
_DUE = 1.5


def hash_keys_move(change: ConfigChange, context: Context) -> Iterator[Hit]:
    """V03: more of a hash pool's keys change their server than a change of servers has to cost.

    Half of them by default: on a ring, a server more or less of n moves 1/n of the keys, at most half where there
    were two; by remainder it moves n / (n + 1). Where so many servers were replaced that no hash could have kept the
    keys, it is only told; where servers only came, they are to have keys.
    """
    limit = context.option("V03", "max_moved", 0.5)
    for pool in known(change, context):
        moved = pool.change.keys_moved
        if moved is None or moved <= limit * ABOVE or most_lost(pool, change) is not None:
            continue
        forced = moved <= (pool.change.moved or 0.0) * _UNAVOIDABLE
        if forced and not any(map(_gone, pool.change.pairs)):
            continue
        reason, advice = _story(pool, forced=forced)
        share = percent(moved) if pool.change.keys_exact else f"about {moved * 100:.0f} %"
        args = {"pool": pool.new.name, "moved": share, "reason": reason, "advice": advice}
        place = pool.new.pool.algorithm.span or pool.new.pool.span
        yield Hit("V03", place, args, severity=INFO if forced else None, pool=pool.new.name)


def _gone(pair: ServerPair) -> bool:
    """Say whether a machine took requests and takes none now; its name may stand for another one."""
    if pair.before is None or not pair.before.serving:
        return False
    return pair.after is None or not pair.after.serving or pair.elsewhere


def _story(pool: Both, *, forced: bool) -> tuple[str, str]:
    """Return (why keys move, what to do about it)."""
    old, new = pool.old.pool.algorithm, pool.new.pool.algorithm
    if forced:
        return "their servers are gone", "change a server at a time, and let the caches fill in between"
    hashed = [(one.name, one.key.value if one.key else None, one.function, one.avalanche) for one in (old, new)]
    consistent = [one.consistent or one.name == "hash_consistent" for one in (old, new)]
    if hashed[0] != hashed[1] or consistent[0] != consistent[1]:
        return (
            "the two versions hash differently",
            "change it at a quiet hour: every cache starts cold once",
        )
    if consistent[1]:
        return "the servers' places on the ring changed", "keep their names, order and ids, and change few at a time"
    if pool.config.dialect == "haproxy":
        return "a map deals all keys anew", "write `hash-type consistent`, which moves only the changed servers' keys"
    if new.name == "ip_hash":
        return "ip_hash deals all clients anew", "mark a server `down` instead of taking its line out"
    return "hash deals all keys anew", "write `consistent` behind the key, which moves only the changed servers' keys"


def server_share_grew(change: ConfigChange, context: Context) -> Iterator[Hit]:
    """V04: a server gets many times its former share, and more than its due.

    Silent where it had nothing before (it was drained), where it ends at a fair share (a trial that has grown up),
    where its capacity or a declared demand says that it can take it, and where names or comments speak of a trial.
    """
    limit = context.option("V04", "max_growth", 3)
    for pool in known(change, context):
        grown = [found for at in range(len(pool.change.pairs)) if (found := _grown(pool, at, limit)) is not None]
        if not grown:
            continue
        ratio, server, before, after = max(grown, key=lambda one: one[0])
        args = {
            "server": server.name,
            "pool": pool.new.name,
            "before": percent(before),
            "after": percent(after),
            "ratio": times(ratio),
        }
        place = server.weight.span or server.span
        yield Hit("V04", place, args, related=_was(pool, server), pool=pool.new.name, server=server.name)


def _was(pool: Both, server: Server) -> list[Related]:
    """Return the places of the other servers that lost what this one gained."""
    shrunk = [
        (was.share - (now.share or 0.0), now.name, pair.after)
        for pair in pool.change.pairs
        if pair.old is not None and pair.new is not None and pair.after is not None and pair.after is not server
        for was, now in [(pool.old.servers[pair.old], pool.new.servers[pair.new])]
        if was.share is not None and was.share > (now.share or 0.0)
    ]  # fmt: skip
    if not shrunk:
        return []
    lost, name, other = max(shrunk, key=lambda one: one[0])
    return [Related(other.span, f"{name} gets {percent(lost)} of the pool's requests less")]


def _grown(pool: Both, at: int, limit: float) -> tuple[float, Server, float, float] | None:
    """Return (how many times, server, share before, share now) of a server whose share grew too much."""
    pair = pool.change.pairs[at]
    if pair.old is None or pair.new is None or pair.after is None:
        return None
    was, now = pool.old.servers[pair.old], pool.new.servers[pair.new]
    if not was.share or not now.share or canary(pair.after, pool.new.pool):
        return None
    before, after = was.share / was.alike, now.share / now.alike
    if after <= limit * before * ABOVE or after <= _DUE * _fair(pool, at) * ABOVE:
        return None
    if now.load is not None and now.capacity is not None and now.load <= now.capacity * now.alike:
        return None
    return after / before, pair.after, before, after


def _fair(pool: Both, at: int) -> float:
    """Return the share that is a server's due: an equal one, or by capacity where all declare one."""
    serving = pool.new.pool.serving
    whole = capacity(serving)
    server = pool.change.pairs[at].after
    if whole and server is not None and server.capacity is not None:
        return server.capacity.value / whole
    return 1 / max(1, machines(serving))

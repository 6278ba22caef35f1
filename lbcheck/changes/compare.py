"""Two versions of the configs: which pools and servers come, go and gain, and how much of each pool's traffic moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.changes import pairing
from lbcheck.changes.across import renamed as is_renamed
from lbcheck.changes.across import same_group
from lbcheck.changes.keys import Budget, KeysMoved, keys_moved
from lbcheck.changes.outcome import ADDED, CHANGED, REMOVED, UNCHANGED, ConfigChange, PoolChange, ServerChange
from lbcheck.changes.written import in_order, same_pool
from lbcheck.traffic.algorithms.keymaps import hashes
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import ServerPair, Version
    from lbcheck.changes.pairing import Pair
    from lbcheck.traffic.outcome import PoolTraffic, ServerTraffic

#: Shares that differ by less are the same: rounding of doubles.
_SAME = 1e-12


def compare(old: Sequence[Version], new: Sequence[Version], *, exact: bool = False) -> list[ConfigChange]:
    """Pair the configs of two versions and say of each pool what changed, as the new version has them in order.

    `exact` compares the keys of large hash rings too.
    """
    budget = Budget(exact=exact)
    configs = pairing.configs(old, new)
    traffic = {id(pool.pool): pool for version in (*old, *new) for pool in version.traffic.pools}
    return [
        ConfigChange(before, after, [_change(pair, traffic, budget) for pair in pairs])
        for (before, after), pairs in zip(configs, pairing.pools(configs), strict=True)
    ]


def _change(pair: Pair, traffic: dict[int, PoolTraffic], budget: Budget) -> PoolChange:
    before = None if pair.old is None else traffic[id(pair.old)]
    after = None if pair.new is None else traffic[id(pair.new)]
    if before is not None and after is not None:
        return _both(before, after, budget)
    if before is not None:
        return _one(before, REMOVED, pair.after)
    if after is not None:
        return _one(after, ADDED, pair.before)
    raise ValueError(pair)


def _one(known: PoolTraffic, status: str, other: Version | None) -> PoolChange:
    """Return a pool that one version lacks; where that version was not seen in full, it is only not known there."""
    before, after = (known, None) if status == REMOVED else (None, known)
    reason = None
    if other is not None and other.unseen is not None:
        reason = f"{'before' if before is None else 'after'}: {other.unseen}"
    pairs = pairing.servers(known.pool.servers if before else (), known.pool.servers if after else ())
    return PoolChange(
        known.name,
        None,
        known.path,
        known.config,
        known.dialect,
        known.protocol,
        status if reason is None else CHANGED,
        None,
        _servers(pairs, before, after),
        reason=reason,
        before=before,
        after=after,
        pairs=pairs,
    )


def _both(before: PoolTraffic, after: PoolTraffic, budget: Budget) -> PoolChange:
    pairs = pairing.servers(before.pool.servers, after.pool.servers)
    alike = _alike(before, after)
    doubtful = pairing.doubtful(pairs)
    moved = None if doubtful else _moved(before, after, pairs)
    if alike and before.pool.open is None and in_order(before.pool) == in_order(after.pool):
        keys = KeysMoved(0.0 if hashes(before.pool, before.dialect) else None)
    else:
        keys = keys_moved(before, after, pairs, budget)
    changed = not alike or bool(moved and moved > _SAME) or bool(keys.share) or before.reason != after.reason
    return PoolChange(
        after.name,
        before.name if before.name != after.name else None,
        after.path,
        after.config,
        after.dialect,
        after.protocol,
        CHANGED if changed else UNCHANGED,
        moved,
        _servers(pairs, before, after),
        keys.share,
        None if moved is not None else _why(before.reason, after.reason, doubtful),
        before,
        after,
        keys.exact,
        keys.reason,
        pairs,
    )


def _alike(before: PoolTraffic, after: PoolTraffic) -> bool:
    """Say whether two pools say the same, each in the words of its dialect."""
    if before.dialect == after.dialect:
        return same_pool(before.pool, after.pool)
    return same_group(before.pool, before.dialect, after.pool, after.dialect)


def _moved(before: PoolTraffic, after: PoolTraffic, pairs: Sequence[ServerPair]) -> float | None:
    """Return the total-variation distance of a pool's shares; None where a side is not known.

    The address is the machine: what goes to a name that stands for another one now has moved, whatever its share.
    """
    if before.unserved is None or after.unserved is None:
        return None
    whole = abs(before.unserved - after.unserved)
    for pair in pairs:
        was = None if pair.old is None else before.servers[pair.old].share
        now = None if pair.new is None else after.servers[pair.new].share
        whole += pair.distance(was or 0.0, now or 0.0)
    return min(1.0, whole / 2)


def _why(before: str | None, after: str | None, doubtful: Sequence[str]) -> str:
    if before == after:
        return before or (f"the address of {listed(doubtful)} is not known" if doubtful else "not known")
    said = (("before", before), ("after", after))
    return "; ".join(f"{side}: {reason}" for side, reason in said if reason is not None)


def _servers(
    pairs: Sequence[ServerPair], before: PoolTraffic | None, after: PoolTraffic | None
) -> tuple[ServerChange, ...]:
    across = before is not None and after is not None and before.dialect != after.dialect
    return tuple(
        _server(
            None if before is None or pair.old is None else before.servers[pair.old],
            None if after is None or pair.new is None else after.servers[pair.new],
            pair if across else None,
        )
        for pair in pairs
    )


def _server(before: ServerTraffic | None, after: ServerTraffic | None, across: ServerPair | None) -> ServerChange:
    """Return what becomes of a server. `across`: the pair of servers where the dialects are two."""
    if before is None or after is None:
        shown = before or after
        if shown is None:
            raise ValueError((before, after))
        status = ADDED if before is None else REMOVED
        return ServerChange(
            shown.name, shown.address, before.share if before else None, after.share if after else None, status
        )
    renamed = before.name if before.name != after.name else None
    elsewhere = before.address if before.address != after.address else None
    role = _role(before) == _role(after)
    if across is not None:  # texts of one address, and weights of one share, differ from dialect to dialect
        renamed = renamed if is_renamed(across) else None
        elsewhere = elsewhere if across.elsewhere else None
        role = (before.role, before.enabled) == (after.role, after.enabled)
    unknown = before.share is None or after.share is None
    steady = unknown or abs((before.share or 0.0) - (after.share or 0.0)) <= _SAME
    same = steady and (renamed is None or across is not None) and elsewhere is None and role
    return ServerChange(
        after.name, after.address, before.share, after.share, UNCHANGED if same else CHANGED, renamed, elsewhere
    )


def _role(server: ServerTraffic) -> tuple[str, bool, int, int]:
    return (server.role, server.enabled, server.weight, server.alike)

"""Which part of a hash pool's keys change their server: whose cache is cold and whose sessions are lost."""

from __future__ import annotations

from collections import Counter
from math import gcd, inf
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.pairing import address
from lbcheck.traffic.algorithms import MAX_RING_POINTS, ring_points
from lbcheck.traffic.algorithms.keymaps import IP_HASH, KeyMap, UnknownKeysError, hashes, key_map

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lbcheck.changes.outcome import ServerPair
    from lbcheck.model import Pool, Server
    from lbcheck.traffic.outcome import PoolTraffic

    #: A pool and its config's dialect.
    Dialected = tuple[Pool, str]

_MAX_POINTS = 500_000
_MAX_ALL_POINTS = 1_500_000
#: Keys that stand for all where a value alone does not decide (nginx's further tries past servers that are down).
_SAMPLES = 20_000
_SEED = 1


class KeysMoved(NamedTuple):
    """The part of the keys that change their server; None where the pool does not hash, or with a `reason`.

    `exact` False: a sample of keys, or what is to be expected where the two versions hash so differently that a key's
    old server says nothing about its new one.
    """

    share: float | None
    exact: bool = True
    reason: str | None = None


class Budget:
    """How many ring points may be compared: of one ring, and of all together. A point takes a good microsecond.

    `exact`: as many as shares are computed for.
    """

    __slots__ = ("each", "left")

    def __init__(self, *, exact: bool = False) -> None:
        self.each = MAX_RING_POINTS if exact else _MAX_POINTS
        self.left: float = inf if exact else _MAX_ALL_POINTS

    def spend(self, points: int) -> str | None:
        """Take so many points; return why that is not possible, where it is not."""
        if points > self.each:
            return f"not compared: {points:,} ring points, more than the limit of {self.each:,}; --exact compares them"
        if points > self.left:
            return f"not compared: more than {_MAX_ALL_POINTS:,} ring points together; --exact compares them"
        self.left -= points
        return None


def keys_moved(before: PoolTraffic, after: PoolTraffic, pairs: Sequence[ServerPair], budget: Budget) -> KeysMoved:
    """Compare where the two versions of a pool send keys; servers are the same as `pairs` says."""
    return keys_apart((before.pool, before.dialect), (after.pool, after.dialect), pairs, budget)


def keys_apart(one: Dialected, other: Dialected, pairs: Sequence[ServerPair], budget: Budget) -> KeysMoved:
    """Compare where two pools, each with its dialect, send keys; servers are the same as `pairs` says."""
    if not (hashes(*one) and hashes(*other)):
        return KeysMoved(None)
    for pool, dialect in (one, other):
        refused = budget.spend(ring_points(pool, dialect)) if pool.open is None else None
        if refused is not None:
            return KeysMoved(None, reason=refused)
    try:
        old, new = key_map(*one), key_map(*other)
    except UnknownKeysError as error:
        return KeysMoved(None, reason=str(error))
    if old is None or new is None:
        return KeysMoved(None)
    was, now = _machines(old, new, pairs)
    alike, exact = _alike(old, new, was, now)
    return KeysMoved(max(0.0, 1 - alike), exact=exact)


def _alike(old: KeyMap, new: KeyMap, was: Sequence[Hashable], now: Sequence[Hashable]) -> tuple[float, bool]:
    """Return the part of the keys that have the same machine in both maps, and whether that is exact."""
    if old.variable is not None and new.variable is not None and old.variable != new.variable:
        return _alike_by_chance(_parts(old, was), _parts(new, now)), False
    if old.pick is not None or new.pick is not None:
        return _sampled(old, new, was, now), False
    if old.ends is not None and new.ends is not None:
        return _alike_by_stretches(old, new, was, now), True
    if old.ends is None and new.ends is None:
        return _alike_by_remainder([was[owner] for owner in old.owners], [now[owner] for owner in new.owners]), True
    # A stretch is so long that all remainders are alike in it.
    return _alike_by_chance(_parts(old, was), _parts(new, now)), True


def _machines(old: KeyMap, new: KeyMap, pairs: Sequence[ServerPair]) -> tuple[list[Hashable], list[Hashable]]:
    """Return for each owner of both maps which machine it is. The owner -1, nobody, is the last of each list."""
    was: dict[int, Hashable] = {}
    now: dict[int, Hashable] = {}
    for number, pair in enumerate(pairs):
        if pair.old is not None:
            was[pair.old] = _machine(pair.before, number, "before" if pair.elsewhere else "")
        if pair.new is not None:
            now[pair.new] = _machine(pair.after, number, "after" if pair.elsewhere else "")
    return (
        [*((was[place], ordinal) for place, ordinal in old.servers), "nobody before"],
        [*((now[place], ordinal) for place, ordinal in new.servers), "nobody after"],
    )


def _machine(server: Server | None, number: int, side: str) -> Hashable:
    """Return what tells a machine from others: its address; where that is not known, its pair (of one side).

    Several lines of one address are one machine: it does not matter to which of them a key goes.
    """
    return (number, side) if server is None or not server.address.known else address(server)


def _parts(one: KeyMap, machines: Sequence[Hashable]) -> dict[Hashable, float]:
    """Return each machine's part of the values."""
    found: Counter[Hashable] = Counter()
    if one.ends is None:
        found.update(machines[owner] for owner in one.owners)
        return {machine: count / len(one.owners) for machine, count in found.items()}
    start = 0
    for end, owner in zip(one.ends, one.owners, strict=True):
        found[machines[owner]] += end - start
        start = end
    return {machine: count / start for machine, count in found.items()}


def _alike_by_chance(was: dict[Hashable, float], now: dict[Hashable, float]) -> float:
    return sum(share * now.get(machine, 0.0) for machine, share in was.items())


def _alike_by_stretches(old: KeyMap, new: KeyMap, was: Sequence[Hashable], now: Sequence[Hashable]) -> float:
    """Return the part of the values that have the same machine in both maps of stretches."""
    numbers = {machine: number for number, machine in enumerate({*was, *now})}
    before, after = [numbers[machine] for machine in was], [numbers[machine] for machine in now]
    stretches = zip(old.ends or (), old.owners, strict=True)
    others = zip(new.ends or (), new.owners, strict=True)
    alike = place = other_end = other = 0
    for end, owner in stretches:
        machine = before[owner]
        while other_end <= place:
            other_end, other = next(others)
        while other_end < end:
            if machine == after[other]:
                alike += other_end - place
            place = other_end
            other_end, other = next(others)
        if machine == after[other]:
            alike += end - place
        place = end
    return alike / place


def _alike_by_remainder(was: Sequence[Hashable], now: Sequence[Hashable]) -> float:
    """Return the part of the values that have the same machine in two tables taken by remainder.

    Of all values, every pair of places whose difference the greatest common divisor divides is as frequent as any
    other (Chinese remainder theorem); no other pair occurs.
    """
    step = gcd(len(was), len(now))
    alike = 0
    for start in range(step):
        here, there = Counter(was[start::step]), Counter(now[start::step])
        alike += sum(count * there[machine] for machine, count in here.items())
    return alike * step / (len(was) * len(now))


def _sampled(old: KeyMap, new: KeyMap, was: Sequence[Hashable], now: Sequence[Hashable]) -> float:
    """Return the part of random keys that go to the same machine."""
    random = Random(_SEED)  # noqa: S311 - a simulation, the same in every run
    size = 4 if IP_HASH in {old.variable, new.variable} else 12
    keys = (random.randbytes(size) for _ in range(_SAMPLES))
    return sum(was[old.owner(key)] == now[new.owner(key)] for key in keys) / _SAMPLES

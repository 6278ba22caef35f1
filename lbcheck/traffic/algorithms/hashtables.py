"""Envoy's consistent hashing: the points of a ring and the table of Maglev, host by host.

source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc and maglev/maglev_lb.cc. Weights are normalised:
each host's part of all.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.ring import Ring
from lbcheck.traffic.algorithms.xxhash import murmur2, xxh64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Bounds of a ring's size and the table's size where nothing is written.
MINIMUM_RING, MAXIMUM_RING = 1024, 8 * 1024 * 1024
TABLE = 65537
#: A hash is 64 bits long.
VALUES = 1 << 64


def scale(parts: Sequence[float], minimum: int = MINIMUM_RING, maximum: int = MAXIMUM_RING) -> float:
    """Return how many points a ring has in all: so many that the least part is a whole number of them."""
    least = min(parts)
    return min(ceil(least * minimum) / least, float(maximum))


def point_counts(parts: Sequence[float], minimum: int = MINIMUM_RING, maximum: int = MAXIMUM_RING) -> list[int]:
    """Return how many points each host gets; fractions run over to the next one."""
    size = scale(parts, minimum, maximum)
    current = 0
    target = 0.0
    found = []
    for part in parts:
        target += size * part
        count = max(0, ceil(target - current))
        current += count
        found.append(count)
    return found


class Points:
    """The points of hosts, made once however many rings they stand on."""

    __slots__ = ("_function", "_known")

    def __init__(self, function: str = "XX_HASH") -> None:
        self._function: Callable[[bytes], int] = murmur2 if function == "MURMUR_HASH_2" else xxh64
        self._known: dict[str, list[int]] = {}

    def of(self, key: str, count: int) -> list[int]:
        """Return the first `count` points of a host's hash key."""
        found = self._known.setdefault(key, [])
        for number in range(len(found), count):
            found.append(self._function(f"{key}_{number}".encode("utf-8", "surrogateescape")))
        return found[:count]


def ring(keys: Sequence[str], counts: Sequence[int], points: Points) -> Ring:
    """Return the ring of hosts with so many points each."""
    return Ring((points.of(key, count) for key, count in zip(keys, counts, strict=True)), VALUES)


def table_counts(parts: Sequence[float], size: int = TABLE) -> list[int]:
    """Return how many of the table's places each host gets, the hosts in the order of their keys.

    A host takes one place whenever its turn comes, whichever that is, so that the counts depend on weights and order
    alone.
    """
    counts = [0] * len(parts)
    for host in _turns(parts, size):
        counts[host] += 1
    return counts


def _turns(parts: Sequence[float], size: int) -> Iterator[int]:
    """Yield whose turn it is to take a place, until all are taken: a host of the largest weight has one each round."""
    largest = max(parts)
    targets = [0.0] * len(parts)
    left, round_ = size, 0
    while left:
        round_ += 1
        for host, part in enumerate(parts):
            if left and round_ * part >= targets[host]:
                targets[host] += largest
                left -= 1
                yield host


@lru_cache(maxsize=32)  # a large one takes half a second, and both versions of a pool may have the same
def table(keys: tuple[str, ...], parts: tuple[float, ...], size: int = TABLE) -> list[int]:
    """Return Maglev's table: which host each remainder of a hash belongs to. Hosts in the order of their keys."""
    hashed = [key.encode("utf-8", "surrogateescape") for key in keys]
    places = [xxh64(key) % size for key in hashed]
    skips = [xxh64(key, 1) % (size - 1) + 1 for key in hashed]
    found = [-1] * size
    for host in _turns(parts, size):
        place = places[host]
        while found[place] >= 0:
            place = (place + skips[host]) % size
        found[place] = host
        places[host] = (place + skips[host]) % size
    return found


def on_ring(found: Ring, value: int) -> int:
    """Return the host to which a ring sends a hash: the first point at or behind it."""
    return found.owners[bisect_left(found.places, value) % len(found.places)]

"""Where nginx's `hash KEY` and `ip_hash` send the requests whose first server is unusable: samples of further tries."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from functools import cache, lru_cache
from itertools import accumulate
from math import sqrt
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

from lbcheck.traffic.algorithms import modulo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

#: Requests that stand for all, and the seed that makes them the same in every run.
_SAMPLES = 10_000
SEED = 1
#: Lengths of their keys. nginx hashes the number of the try before the key, and the CRC is linear: keys of one length
#: differ in their second hash only by what they differ in their first one. With 4 or 8 equal servers all keys of one
#: length that a server loses go to one other server (seen on nginx 1.22.1), so much depends on the lengths.
_LENGTHS = range(4, 40)
#: Stands in a server's place where round robin chooses.
_ROUND_ROBIN = -1


class Tries:
    """Requests that stand for all others, with the hash of each one's first try, its second try and so on.

    `lengths` are the lengths of their keys. `values` is how many different first hashes there are. `exact`: there
    are no requests that behave otherwise.
    """

    __slots__ = ("_known", "_more", "exact", "lengths", "values")

    def __init__(
        self,
        first: list[int],
        more: Callable[[int, list[list[int]]], list[int]],
        values: int,
        lengths: Sequence[int],
        *,
        exact: bool,
    ) -> None:
        self._known = [first]
        self._more = more
        self.values = values
        self.lengths = lengths
        self.exact = exact

    def hashes(self, attempt: int) -> list[int]:
        """Return each request's hash at a try; 0 is the first one."""
        while len(self._known) <= attempt:
            self._known.append(self._more(len(self._known), self._known))
        return self._known[attempt]


@cache
def of_keys() -> Tries:
    """Return tries of random keys, for `hash KEY`."""
    random = Random(SEED)  # noqa: S311 - a simulation, the same in every run
    lengths = [random.choice(_LENGTHS) for _ in range(_SAMPLES)]
    keys = [random.randbytes(length) for length in lengths]

    def more(attempt: int, known: list[list[int]]) -> list[int]:
        salt = str(attempt).encode()
        return [value + (crc32(salt + key) >> 16 & 0x7FFF) for value, key in zip(known[-1], keys, strict=True)]

    return Tries([crc32(key) >> 16 & 0x7FFF for key in keys], more, modulo.HASH_VALUES, lengths, exact=False)


@cache
def of_addresses() -> Tries:
    """Return the tries of every IPv4 address, for `ip_hash`: one for each first hash, which decides all others."""
    first = list(range(modulo.IP_HASH_VALUES))

    def more(_attempt: int, known: list[list[int]]) -> list[int]:
        return [modulo.next_hash(value, start) for value, start in zip(known[-1], first, strict=True)]

    return Tries(first, more, modulo.IP_HASH_VALUES, [0] * len(first), exact=True)


class Landed:
    """Where the requests of some servers land when these are down: `counts` of each server, of so many `samples`.

    `error` is the largest standard error of a server's part in them.
    """

    __slots__ = ("counts", "error", "samples")

    def __init__(self, counts: Counter[tuple[int, int]]) -> None:
        """Take how many requests of each (length of key, server) land there."""
        self.counts: Counter[int] = Counter()
        self.samples = sum(counts.values())
        of_length: Counter[int] = Counter()
        for (length, server), count in counts.items():
            self.counts[server] += count
            of_length[length] += count
        self.error = self._largest_error(counts, of_length) if self.samples else 1.0

    def _largest_error(self, counts: Counter[tuple[int, int]], of_length: Counter[int]) -> float:
        """Return how far a server's part differs from one length to another.

        The variance of the samples' parts is that of the true parts and that of drawing so few.
        """
        squares: defaultdict[int, float] = defaultdict(float)
        for (length, server), count in counts.items():
            squares[server] += count * count / of_length[length]
        largest = 0.0
        for server, count in self.counts.items():
            part = count / self.samples
            drawn = part * (1 - part) / self.samples
            between = squares[server] / self.samples - part * part - drawn * len(of_length)
            largest = max(largest, max(0.0, between) + drawn)
        return sqrt(largest)


def shares(weights: Sequence[int], tries: Tries, down: Collection[int]) -> tuple[list[float], float | None]:
    """Return each server's share when some are down, and the largest standard error; None where shares are exact.

    What falls on a usable server at once is exact; where the rest goes is counted on the requests of `tries`. The
    error is that of a pool whose keys all have one length.
    """
    found = modulo.first_try_shares(weights, tries.values)
    moved = sum(found[server] for server in down)
    for server in down:
        found[server] = 0.0
    landed = _landed_without(tuple(weights), tries, down)
    by_turns = moved if not landed.samples else 0.0
    for server, count in landed.counts.items():
        if server == _ROUND_ROBIN:
            by_turns = moved * count / landed.samples
        else:
            found[server] += moved * count / landed.samples
    if by_turns:
        total = sum(weight for server, weight in enumerate(weights) if server not in down)
        for server, weight in enumerate(weights):
            found[server] += 0.0 if server in down else by_turns * weight / total
    return found, None if tries.exact else moved * landed.error


def _landed_without(weights: tuple[int, ...], tries: Tries, down: Collection[int]) -> Landed:
    if len(down) == 1:
        return _landed_without_each(weights, tries).get(next(iter(down)), Landed(Counter()))
    servers = _Servers(weights, tries)
    counts: Counter[tuple[int, int]] = Counter()
    for request, (length, first) in enumerate(zip(tries.lengths, servers.at(0), strict=True)):
        if first in down:
            counts[length, servers.first_outside(down, request)] += 1
    return Landed(counts)


@lru_cache(256)  # most pools are like others, and this takes milliseconds
def _landed_without_each(weights: tuple[int, ...], tries: Tries) -> dict[int, Landed]:
    """Return where the requests go that a server loses when it alone is down, by server."""
    servers = _Servers(weights, tries)
    counts: defaultdict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    places = zip(tries.lengths, servers.at(0), servers.at(1), strict=True)
    for request, (length, first, second) in enumerate(places):
        counts[first][length, second if second != first else servers.first_outside((first,), request)] += 1
    return {server: Landed(found) for server, found in counts.items()}


class _Servers:
    """The server of each request at each try, by weights."""

    __slots__ = ("_ends", "_known", "_tries")

    def __init__(self, weights: tuple[int, ...], tries: Tries) -> None:
        self._ends = list(accumulate(weights))
        self._tries = tries
        self._known: list[list[int]] = []

    def at(self, attempt: int) -> list[int]:
        ends = self._ends
        total = ends[-1]
        while len(self._known) <= attempt:
            hashes = self._tries.hashes(len(self._known))
            self._known.append([bisect_right(ends, value % total) for value in hashes])
        return self._known[attempt]

    def first_outside(self, down: Collection[int], request: int) -> int:
        for attempt in range(modulo.TRIES):
            server = self.at(attempt)[request]
            if server not in down:
                return server
        return _ROUND_ROBIN

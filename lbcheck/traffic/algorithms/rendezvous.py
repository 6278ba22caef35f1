"""Highest random weight as Traefik 3.6 and newer computes it (pkg/server/service/loadbalancer/hrw/hrw.go).

A server's score for a client is weight / -ln(FNV-1a(client's address + server's URL) / 2^64), and the highest wins.
With a good hash that gives every server its weight's part. FNV-1a is none: what differs in the last bytes alone hardly
reaches the upper bits, so among http://10.0.0.1 and http://10.0.0.2 with weights 3 and 1 the first gets every client
(seen on 3.7.13, all of 20,000 addresses). So the shares are counted, not derived.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The clients are always the same ones.
SEED = 1
#: For more servers the clients would be too few to say anything.
MAX_SERVERS = 50
#: How many clients there are, and how many of their scores are computed in all.
_CLIENTS, _SCORES = 5_000, 100_000

_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF


def fnv1a(data: bytes, value: int = _OFFSET) -> int:
    """Return the 64-bit FNV-1a hash of some bytes, going on from `value`."""
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def choice(client: str, names: Sequence[str], weights: Sequence[int]) -> int:
    """Return the place of the server that takes a client's requests; weights are above 0."""
    scores = _scores(fnv1a(client.encode()), [name.encode() for name in names], weights)
    return max(range(len(names)), key=scores.__getitem__)


def _scores(start: int, names: Sequence[bytes], weights: Sequence[int]) -> list[float]:
    return [weight * _log_score(fnv1a(name, start)) for name, weight in zip(names, weights, strict=True)]


def _log_score(value: int) -> float:
    """Return 1 / -ln(x), as Go's doubles do it: 0 for x = 0, infinite for x = 1."""
    part = value / 2**64
    if part == 0:
        return 0.0
    return 1.0 / -math.log(part) if part < 1 else math.inf


def _common_start(names: Sequence[str]) -> str:
    """Return what all names begin with, so that it is hashed once for each client."""
    first, last = min(names, default=""), max(names, default="")
    differ = (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differ, min(len(first), len(last)))]


class Clients:
    """Clients with random IPv4 addresses, and the score of each server for each of them."""

    __slots__ = ("_scores", "count")

    def __init__(self, names: Sequence[str], weights: Sequence[int]) -> None:
        self._scores: list[list[float]] = []
        self.count = 0 if len(names) > MAX_SERVERS else min(_CLIENTS, _SCORES // max(len(names), 1))
        common = _common_start(names)
        rests = [name[len(common) :].encode() for name in names]
        random = Random(SEED)  # noqa: S311 - a sample, no secret
        for _ in range(self.count):
            client = ".".join(str(random.randrange(1, 255)) for _ in range(4))
            self._scores.append(_scores(fnv1a((client + common).encode()), rests, weights))

    def parts(self, taking: Sequence[int]) -> list[float] | None:
        """Return the part of the clients that goes to each of the servers at these places; None for too many."""
        if not self.count:
            return None
        won = dict.fromkeys(taking, 0)
        for scores in self._scores:
            won[max(taking, key=scores.__getitem__)] += 1
        return [won[place] / self.count for place in taking]

    def standard_error(self, parts: Sequence[float]) -> float:
        """Return the largest standard error of these parts."""
        return max(math.sqrt(part * (1 - part) / self.count) for part in parts)

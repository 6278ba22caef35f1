"""HAProxy's map of slots (src/lb_map.c): `static-rr` walks it, map-based hashing takes slot hash % slots."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def slots(weights: Sequence[int]) -> list[int]:
    """Return which server each slot belongs to: as many slots as the weights' sum after dividing by their divisor.

    Every server has exactly weight / sum of the slots. Empty where all weights are 0.
    """
    divisor = gcd(*weights) if weights else 0
    if not divisor:
        return []
    reduced = [weight // divisor for weight in weights]
    total = sum(reduced)
    if total == 1:
        return [reduced.index(1)]
    taking = [server for server, weight in enumerate(reduced) if weight]
    score = [0] * len(weights)
    found = []
    for _ in range(total):
        best, most = -1, 0
        for server in taking:
            score[server] += reduced[server]
            level = max(0, score[server] + total) // total  # C divides towards 0
            if best < 0 or level > most:
                best, most = server, level
        found.append(best)
        score[best] -= total
    return found


def server_for(table: Sequence[int], value: int) -> int:
    """Return the server for a hash: `hashes.key_hash` or `hashes.source_hash` of the request."""
    return table[value % len(table)]

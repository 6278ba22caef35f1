"""nginx's `random two` on idle servers (ngx_http_upstream_random_module.c, ngx_http_upstream_get_random2_peer())."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: nginx draws anew after so many misses, then takes round robin. A miss is the same server again, or an unusable one;
#: the first server that is found counts as one too.
_MISSES = 20


def random_two_shares(weights: Sequence[int], down: Collection[int] = ()) -> list[float]:
    """Return each server's share when no server has a request in flight.

    Two different servers are drawn by weight, and the second one wins ties, so a heavy server that is drawn first
    loses: weights 3 and 1 give 1/4 and 3/4. After 21 draws round robin decides instead, which is what weights like
    500 and 1 nearly always come to.
    """
    total = sum(weights)
    up = [server for server in range(len(weights)) if server not in down and weights[server]]
    usable = sum(weights[server] for server in up)
    found = [0.0] * len(weights)
    if len(weights) < 2 or not usable:
        for server in up:
            found[server] = 1.0
        return found
    missed = 1 - usable / total
    waits = [missed**k for k in range(_MISSES + 1)] if missed else [1.0]
    chances = {weight: _drawn_first(weight / total, missed, waits) for weight in {weights[server] for server in up}}
    # of what a first one leaves, the others get their parts by weight: all firsts together, minus the server's own
    left = {weight: chance / (usable - weight) if usable > weight else 0.0 for weight, chance in chances.items()}
    together = sum(left[weights[server]] for server in up)
    settled = sum(chances[weights[server]] for server in up if usable > weights[server])
    for server in up:
        weight = weights[server]
        found[server] = weight * (together - left[weight]) + (1 - settled) * weight / usable
    return found


def _drawn_first(part: float, missed: float, waits: Sequence[float]) -> float:
    """Return the chance to be drawn first, after k misses, and to be followed by a second one in time."""
    again = missed + part
    return sum(wait * (1 - again ** (_MISSES - k)) for k, wait in enumerate(waits)) * part

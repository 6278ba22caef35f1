"""nginx's `random two` on idle servers (ngx_http_upstream_random_module.c, ngx_http_upstream_get_random2_peer())."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: nginx draws anew after so many misses (the same server again, or an unusable one), then takes round robin.
_MISSES = 20


def random_two_shares(weights: Sequence[int], down: Collection[int] = ()) -> list[float]:
    """Return each server's share when no server has a request in flight.

    Two different servers are drawn by weight, and the second one wins ties, so a heavy server that is drawn first
    loses: weights 3 and 1 give 1/4 and 3/4. After 21 misses round robin decides instead, which is what weights like
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
    settled = 0.0
    missed = 1 - usable / total
    for first in up:
        again = missed + weights[first] / total
        # k misses before the first server is drawn, and at most _MISSES - k before the second one
        chance = sum(missed**k * (1 - again ** (_MISSES + 1 - k)) for k in range(_MISSES + 1)) * weights[first] / total
        rest = usable - weights[first]
        if not rest:
            continue
        settled += chance
        for second in up:
            if second != first:
                found[second] += chance * weights[second] / rest
    for server in up:
        found[server] += (1 - settled) * weights[server] / usable
    return found

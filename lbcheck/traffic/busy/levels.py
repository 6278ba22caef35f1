"""Where requests stand when each goes to the server that is then the least loaded, and whether they stay so."""

from __future__ import annotations

from heapq import heapify, heapreplace, nsmallest
from typing import TYPE_CHECKING, Protocol

from lbcheck.traffic.algorithms.load import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Beyond so many requests nobody looks whether they stand still: the averages are as good then.
_MOST = 10_000


class Leveller(Protocol):
    """A rule that takes the server of the least load, which grows with the server's requests."""

    room: list[bool]
    limits: list[float]

    def load(self, server: int, inflight: int, /) -> float:
        """Return a server's load with so many requests."""


def settled(rule: Leveller, in_flight: int) -> list[int] | None:
    """Return the requests of each server where they never change: whichever ends, the next one takes its place.

    With x the requests after all have arrived one by one: if each server's load with one less is below every other
    server's load, then the next request always goes to where one ended. From any other distribution requests only
    move towards x, for as long as they differ some server has less than in x, and its load is below those that have
    not. So x is where the loop ends up, and x / in_flight are the shares exactly. None where it goes on for ever.
    """
    if in_flight > _MOST:
        return None
    servers = [server for server, room in enumerate(rule.room) if room]
    counts = [0] * len(rule.room)
    heap = [(rule.load(server, 0), server) for server in servers]
    heapify(heap)
    for _ in range(in_flight):
        server = heap[0][1]
        counts[server] += 1
        heapreplace(heap, (_load(rule, server, counts[server]), server))
    lowest = nsmallest(2, ((_load(rule, server, counts[server]), server) for server in servers))
    for server in servers:
        others = lowest[0] if lowest[0][1] != server else lowest[-1]
        if counts[server] and others[1] != server and rule.load(server, counts[server] - 1) >= others[0]:
            return None
    return counts


def _load(rule: Leveller, server: int, inflight: int) -> float:
    return rule.load(server, inflight) if inflight < rule.limits[server] else NO_LIMIT


def standing(weights: Sequence[float], limits: Sequence[float], in_flight: int) -> list[int]:
    """Return about `in_flight` requests, and never more, shared out by weight up to each server's limit."""
    level = 0.0
    order = sorted(
        (limit / weight, server) for server, (weight, limit) in enumerate(zip(weights, limits, strict=True)) if weight
    )
    rest, together = float(in_flight), sum(weights)
    for full_at, server in order:
        level = rest / together
        if full_at > level:
            break
        rest -= limits[server]
        together -= weights[server]
    return [int(min(limit, level * weight)) for weight, limit in zip(weights, limits, strict=True)]

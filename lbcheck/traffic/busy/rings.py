"""Consistent hashing that looks at load: nginx goes on to the next point, HAProxy bounds each server's part."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.load import NO_LIMIT
from lbcheck.traffic.busy.choices import RoundRobin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from random import Random

    from lbcheck.traffic.algorithms.chash import Tree
    from lbcheck.traffic.algorithms.ketama import Continuum
    from lbcheck.traffic.algorithms.load import Load

#: So many draws stand for a walk around a ring that is not built; then one of the suitable servers is drawn.
_DRAWS = 64


class Points(RoundRobin):
    """nginx's `hash KEY consistent` where servers are full: the next point, 20 times at most, then round robin.

    `request` makes the hash of a new request.
    """

    __slots__ = ("_continuum", "_hash")

    def __init__(
        self,
        continuum: Continuum,
        request: Callable[[], int],
        weights: Sequence[int],
        limits: Sequence[float],
        down: Collection[int],
    ) -> None:
        super().__init__(weights, limits, down)
        self._continuum = continuum
        self._hash = request

    def choose(self) -> int | None:
        """Return the server of the first point behind the request's hash that has one with room."""
        room = self.room
        for group in self._continuum.groups_from(self._hash()):
            among = [server for server in group if room[server]]
            if among:
                return among[0] if len(among) == 1 else self._turns.pick(among)
        return super().choose()


class Bounds:
    """HAProxy's `hash-balance-factor` (src/lb_chash.c, chash_server_is_eligible()).

    All requests and the one to come, times `factor` percent, are shared out as slots by weight.
    """

    __slots__ = ("_before", "_factor", "_limits", "_total", "_weights")

    def __init__(self, factor: int, weights: Sequence[int], limits: Sequence[float]) -> None:
        """Take the factor, the scaled weights, and how many requests each server works on at most."""
        self._factor = factor
        self._weights = list(weights)
        self._before = list(accumulate(weights, initial=0))
        self._total = self._before[-1]
        self._limits = None if all(limit == NO_LIMIT for limit in limits) else list(limits)

    def slots(self, server: int, served: int) -> int:
        """Return how many requests `server` may have when the pool has `served`; 1 at least."""
        whole, rest = divmod(((served + 1) * self._factor + 99) // 100, self._total)
        before, weight = self._before[server], self._weights[server]
        part = (before + weight) * rest // self._total - before * rest // self._total
        return max(1, weight * whole + part)

    def served(self, inflight: Sequence[int]) -> Sequence[float]:
        """Return how many requests each server works on; those that wait for it do not count."""
        return inflight if self._limits is None else list(map(min, inflight, self._limits))


def walking(tree: Tree, bounds: Bounds, request: Callable[[], int]) -> Callable[[Load], int]:
    """Return a choice that goes around the ring from a request's hash to the first server with a slot left."""

    def choose(load: Load) -> int:
        served = bounds.served(load.inflight)
        total = int(sum(served))
        passed: set[int] = set()
        for server in tree.servers_from(request()):
            if server in passed:
                continue
            if served[server] < bounds.slots(server, total):
                return server
            passed.add(server)
        raise AssertionError("the slots are more than the requests, so some server has one left")

    return choose


def drawing(draw: Callable[[], int], bounds: Bounds, random: Random) -> Callable[[Load], int]:
    """Return the same for a ring of so many points that neighbours are as good as drawn by weight."""

    def choose(load: Load) -> int:
        served = bounds.served(load.inflight)
        total = int(sum(served))
        for _ in range(_DRAWS):
            server = draw()
            if served[server] < bounds.slots(server, total):
                return server
        return random.choice([one for one in range(len(served)) if served[one] < bounds.slots(one, total)])

    return choose

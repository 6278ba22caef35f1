"""Weighted round robin, pick by pick, as nginx and HAProxy do it. In the long run every server gets weight / sum.

HAProxy's rounding loses or adds a pick every few windows for a few sets of weights (5, 36 and 36 give 4.94, 36.03 and
36.03 in 77 requests, the real one too); the shares leave that out.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: HAProxy's scale of weights (include/haproxy/backend-t.h BE_WEIGHT_SCALE) and its largest scaled weight.
WEIGHT_SCALE = 16
_EWEIGHT_MAX = 256 * WEIGHT_SCALE


class SmoothRoundRobin:
    """nginx's smooth weighted round robin with its memory of failures (src/http/ngx_http_upstream_round_robin.c).

    `max_fails` and `fail_timeout` (whole seconds) hold one value per server. A server that failed comes back
    gradually: its effective weight restarts at 0 and gains 1 a pick.
    """

    __slots__ = ("_accessed", "_checked", "_current", "_effective", "_fails", "_timeout", "down", "limit", "weights")

    def __init__(
        self,
        weights: Sequence[int],
        max_fails: Sequence[int] | None = None,
        fail_timeout: Sequence[int] | None = None,
        down: Collection[int] = (),
    ) -> None:
        self.weights = list(weights)
        self.limit = list(max_fails or [1] * len(weights))
        self.down = frozenset(down)
        self._timeout = list(fail_timeout or [10] * len(weights))
        self._current = [0] * len(weights)
        self._effective = list(weights)
        self._fails = [0] * len(weights)
        self._accessed = [0] * len(weights)
        self._checked = [0] * len(weights)

    def usable(self, server: int, now: int) -> bool:
        """Say whether a server may be chosen at the time `now`."""
        if server in self.down:
            return False
        limit = self.limit[server]
        failed = limit and self._fails[server] >= limit
        return not (failed and now - self._checked[server] <= self._timeout[server])

    def pick(self, now: int = 0, tried: Collection[int] = ()) -> int | None:
        """Return the next server that was not tried in this request, or None ("no live upstreams")."""
        current, effective = self._current, self._effective
        best, total = None, 0
        for server, weight in enumerate(self.weights):
            if server in tried or not self.usable(server, now):
                continue
            current[server] += effective[server]
            total += effective[server]
            if effective[server] < weight:
                effective[server] += 1
            if best is None or current[server] > current[best]:
                best = server
        if best is not None:
            current[best] -= total
            if now - self._checked[best] > self._timeout[best]:
                self._checked[best] = now
        return best

    def failed(self, server: int, now: int = 0) -> None:
        """Note that an attempt on `server` failed."""
        self._fails[server] += 1
        self._accessed[server] = self._checked[server] = now
        limit = self.limit[server]
        if limit:
            self._effective[server] = max(0, self._effective[server] - self.weights[server] // limit)

    def succeeded(self, server: int) -> None:
        """Note that an attempt on `server` succeeded."""
        if self._accessed[server] < self._checked[server]:
            self._fails[server] = 0


class Turns:
    """Smooth weighted round robin among the servers that another rule leaves over, all of which answer."""

    __slots__ = ("_current", "weights")

    def __init__(self, weights: Sequence[int]) -> None:
        self.weights = list(weights)
        self._current = [0] * len(weights)

    def pick(self, among: Sequence[int]) -> int:
        """Return the next one of the servers `among`, which are in order and at least one."""
        current, weights = self._current, self.weights
        total = 0
        for server in among:
            weight = weights[server]
            current[server] += weight
            total += weight
        best = max(among, key=current.__getitem__)
        current[best] -= total
        return best


def smooth_picks(weights: Sequence[int], count: int) -> list[int]:
    """Return nginx's first `count` picks among servers that all answer. Some weight must be above 0."""
    balancer = SmoothRoundRobin(weights)
    return [server for _ in range(count) if (server := balancer.pick()) is not None]


class WindowRoundRobin:
    """HAProxy's `balance roundrobin` among servers that all answer (src/lb_fwrr.c), one thread group's state.

    Servers are places in a window as wide as the sum of weights. `_now` holds those with a place in this window,
    `_first` those without one yet, heaviest first, `_next` those that have used theirs up.
    """

    __slots__ = ("_first", "_next", "_now", "_order", "_place", "_position", "_remainder", "_weights", "_width")

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = [weight * WEIGHT_SCALE for weight in weights]
        self._width = self._position = sum(self._weights)
        self._place = [0] * len(weights)
        self._remainder = [0] * len(weights)
        self._order = len(weights)
        self._now: list[tuple[int, int, int]] = []
        self._next: list[tuple[int, int, int]] = []
        self._first = [(-weight, at, at) for at, weight in enumerate(self._weights) if weight]
        heapify(self._first)

    def pick(self, full: Collection[int] = ()) -> int | None:
        """Return the next server that is not full; None where there is none.

        Full ones that come up are passed over, and queued anew behind the pick (fwrr_get_next_server()).
        """
        passed: list[int] = []
        switched = False
        while True:
            server = self._take()
            if server is None:
                if switched:
                    break
                self._first, self._next = self._next, self._first
                self._position = self._width
                switched = True
                continue
            self._move(server)
            self._position += 1
            if server not in full:
                self._queue(server)
                break
            passed.append(server)
        for one in reversed(passed):
            if switched:
                self._order += 1
                heappush(self._first, (-self._weights[one], self._order, one))
            else:
                self._queue(one)
        return server

    def _take(self) -> int | None:
        if self._now and self._place[self._now[0][2]] <= self._position:
            return heappop(self._now)[2]
        if self._first:
            server = heappop(self._first)[2]
            self._place[server] = self._remainder[server] = 0
            return server
        return heappop(self._now)[2] if self._now else None

    def _move(self, server: int) -> None:
        weight = self._weights[server]
        step, rest = divmod(self._width, weight)
        self._place[server] = (self._place[server] or self._position) + step
        self._remainder[server] += rest
        if self._remainder[server] >= weight:
            self._remainder[server] -= weight
            self._place[server] += 1

    def _queue(self, server: int) -> None:
        weight, place = self._weights[server], self._place[server]
        self._order += 1
        if place >= 2 * self._width:
            self._place[server] -= self._width
            heappush(self._next, (-weight, self._order, server))
        else:
            key = 256 * place + (_EWEIGHT_MAX + self._remainder[server] - weight) // WEIGHT_SCALE
            heappush(self._now, (key, self._order, server))


def window_picks(weights: Sequence[int], count: int) -> list[int]:
    """Return HAProxy's first `count` picks under `balance roundrobin`. Some weight must be above 0."""
    balancer = WindowRoundRobin(weights)
    return [server for _ in range(count) if (server := balancer.pick()) is not None]

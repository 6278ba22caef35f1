"""How the next server is chosen when some have requests in flight, method by method; draws come from the caller."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import maps
from lbcheck.traffic.algorithms.load import Load
from lbcheck.traffic.algorithms.weighted import Turns, WindowRoundRobin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from random import Random

#: So often nginx draws or hashes before it takes round robin.
_TRIES = 21


class Draw:
    """Servers drawn with the given chances."""

    __slots__ = ("_ends", "_random", "_sum")

    def __init__(self, chances: Sequence[float], random: Random) -> None:
        self._ends = list(accumulate(chances))
        self._sum = self._ends[-1]
        self._random = random.random
        while len(self._ends) > 1 and self._ends[-2] == self._sum:  # nobody is drawn by a rounding at the end
            self._ends.pop()

    def __call__(self) -> int:
        """Return a server."""
        return bisect_right(self._ends, self._random() * self._sum, 0, len(self._ends) - 1)


class RoundRobin(Load):
    """nginx's smooth weighted round robin among the servers that are not full."""

    __slots__ = ("_turns",)

    def __init__(self, weights: Sequence[int], limits: Sequence[float], down: Collection[int] = ()) -> None:
        super().__init__(len(weights), limits, down)
        self._turns = Turns(weights)

    def choose(self) -> int | None:
        """Return the next in turn."""
        return self._turns.pick(self.free) if self.free else None


class Redrawn(RoundRobin):
    """nginx's `random`: drawn anew where a server is full, round robin after 21 misses."""

    __slots__ = ("_draw",)

    def __init__(
        self, draw: Callable[[], int], weights: Sequence[int], limits: Sequence[float], down: Collection[int] = ()
    ) -> None:
        super().__init__(weights, limits, down)
        self._draw = draw

    def choose(self) -> int | None:
        """Return the first server drawn that has room."""
        room = self.room
        for _ in range(_TRIES):
            server = self._draw()
            if room[server]:
                return server
        return super().choose()


class Rehashed(RoundRobin):
    """nginx's `hash` and `ip_hash`: hashed again where a server is full, round robin after 21 hashes.

    `request` makes the hashes of a new request, in the order of the tries.
    """

    __slots__ = ("_ends", "_request")

    def __init__(
        self,
        request: Callable[[], Iterator[int]],
        weights: Sequence[int],
        limits: Sequence[float],
        down: Collection[int] = (),
    ) -> None:
        super().__init__(weights, limits, down)
        self._request = request
        self._ends = list(accumulate(weights))

    def choose(self) -> int | None:
        """Return the first server hashed to that has room."""
        ends, room = self._ends, self.room
        for value in islice(self._request(), _TRIES):
            server = bisect_right(ends, value % ends[-1])
            if room[server]:
                return server
        return super().choose()


class RandomTwo(RoundRobin):
    """nginx's `random two` (ngx_http_upstream_get_random2_peer()): of two that are drawn, the less busy for its weight.

    The second one wins ties.
    """

    __slots__ = ("_draw", "_weights")

    def __init__(
        self, draw: Callable[[], int], weights: Sequence[int], limits: Sequence[float], down: Collection[int] = ()
    ) -> None:
        super().__init__(weights, limits, down)
        self._weights = list(weights)
        self._draw = draw

    def choose(self) -> int | None:
        """Return the better of two servers that have room."""
        if len(self._weights) < 2:
            return super().choose()
        first = -1
        room, inflight, weights = self.room, self.inflight, self._weights
        for _ in range(_TRIES):
            server = self._draw()
            if server == first or not room[server]:
                continue
            if first < 0:
                first = server
                continue
            return first if inflight[server] * weights[first] > inflight[first] * weights[server] else server
        return super().choose()


class Window(Load):
    """HAProxy's `roundrobin`, which passes over full servers."""

    __slots__ = ("_full", "_window")

    def __init__(self, weights: Sequence[int], limits: Sequence[float]) -> None:
        super().__init__(len(weights), limits)
        self._window = WindowRoundRobin(weights)
        self._full: set[int] = set()

    def choose(self) -> int | None:
        """Return the next in turn."""
        return self._window.pick(self._full)

    def take(self, server: int) -> None:
        """Note one more request on `server`."""
        super().take(server)
        if not self.room[server]:
            self._full.add(server)

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        super().release(server)
        self._full.discard(server)


class Slots(Load):
    """HAProxy's `static-rr` (src/lb_map.c, map_get_server_rr()): slot by slot, full servers passed over."""

    __slots__ = ("_at", "_table")

    def __init__(self, weights: Sequence[int], limits: Sequence[float]) -> None:
        super().__init__(len(weights), limits)
        self._table = maps.slots(weights)
        self._at = 0

    def choose(self) -> int | None:
        """Return the next slot's server that has room."""
        if not self.free:
            return None
        table, room = self._table, self.room
        while True:
            server = table[self._at]
            self._at = (self._at + 1) % len(table)
            if room[server]:
                return server


class LeastDrawn(Load):
    """HAProxy's `random(N)` (src/backend.c, get_server_rnd()): of N draws, the least busy for its weight.

    The last one wins ties, as up to HAProxy 3.3; newer ones look at the rate of the last second then. A full one is
    returned too: the request waits for it, or for any other server, in the backend's queue.
    """

    __slots__ = ("_draw", "_draws", "_weights")

    def __init__(
        self,
        draw: Callable[[Load], int],
        draws: int,
        weights: Sequence[int],
        limits: Sequence[float],
    ) -> None:
        super().__init__(len(weights), limits)
        self._draw = draw
        self._draws = draws
        self._weights = list(weights)

    def choose(self) -> int | None:
        """Return the best of the draws; None where it is full."""
        inflight, weights = self.inflight, self._weights
        best = self._draw(self)
        for _ in range(self._draws - 1):
            server = self._draw(self)
            if server == best or inflight[server] * weights[best] <= inflight[best] * weights[server]:
                best = server
        return best if self.room[best] else None


class Bound(Load):
    """A server that the request's key alone decides: full or not, nobody else is asked."""

    __slots__ = ("_draw",)

    def __init__(self, draw: Callable[[Load], int], limits: Sequence[float]) -> None:
        super().__init__(len(limits), limits)
        self._draw = draw

    def choose(self) -> int | None:
        """Return the key's server; None where it takes no more."""
        server = self._draw(self)
        return server if self.room[server] else None

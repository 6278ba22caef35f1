"""Least connections, pick by pick: nginx keeps the weights where servers are equally busy, HAProxy rotates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.load import NO_LIMIT, Load
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE, Turns

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_EWEIGHT_MAX = 256 * WEIGHT_SCALE
#: Keys of the tree are made of the load and, behind it, the time since when it has been so.
_TIME_BITS = 40
_FULL = 1 << 128


class LeastConn(Load):
    """nginx's `least_conn` (ngx_http_upstream_least_conn_module.c): fewest connections for its weight, ties by turns.

    Among servers that all answer. `ahead` 1 counts the next request with the others, as `least_time` does
    (ngx_http_upstream_least_time_module.c): that is what is left of its choice where all response times are alike.
    """

    __slots__ = ("_ahead", "_loads", "_turns", "weights")

    def __init__(
        self,
        weights: Sequence[int],
        limits: Sequence[float] | None = None,
        down: Collection[int] = (),
        *,
        ahead: int = 0,
    ) -> None:
        super().__init__(len(weights), limits, down)
        self.weights = list(weights)
        self._ahead = ahead
        self._loads = [self.load(server, 0) if room else NO_LIMIT for server, room in enumerate(self.room)]
        self._turns = Turns(weights)

    def load(self, server: int, inflight: int) -> float:
        """Return what the server with the least of is chosen: requests by weight.

        The quotients of whole numbers up to a million are equal where the fractions are.
        """
        return (inflight + self._ahead) / self.weights[server]

    def choose(self) -> int | None:
        """Return the server of the least load; turns among those that share it."""
        if not self.free:
            return None
        loads = self._loads
        least = min(loads)
        if loads.count(least) == 1:
            return loads.index(least)
        return self._turns.pick([server for server, load in enumerate(loads) if load == least])

    def take(self, server: int) -> None:
        """Note one more request on `server`."""
        super().take(server)
        self._loads[server] = self.load(server, self.inflight[server]) if self.room[server] else NO_LIMIT

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        super().release(server)
        self._loads[server] = self.load(server, self.inflight[server])


class LeastConnTree(Load):
    """HAProxy's `leastconn` (src/lb_fwlc.c): the smallest key, and among equals the one that waits longest.

    The key of an idle server is 0 whatever its weight, so idle servers take plain turns. From 3.2 on equals are
    kept in several lists of which one is drawn, so the turns are no longer exact ones.
    """

    __slots__ = ("_keys", "_now", "_places", "weights")

    def __init__(
        self, weights: Sequence[int], limits: Sequence[float] | None = None, down: Collection[int] = ()
    ) -> None:
        without = {server for server, weight in enumerate(weights) if not weight}
        super().__init__(len(weights), limits, without.union(down))
        self.weights = [weight * WEIGHT_SCALE for weight in weights]
        #: Where each server stands in the tree: its key, and since when it has had it. `_keys` hides full servers.
        self._places = list(range(len(weights)))
        self._keys = [server if self.room[server] else _FULL for server in range(len(weights))]
        self._now = len(weights)

    def load(self, server: int, inflight: int) -> int:
        """Return the server's key without regard to time."""
        return (inflight + 1) * _EWEIGHT_MAX // self.weights[server] if inflight else 0

    def choose(self) -> int | None:
        """Return the server of the smallest key."""
        if not self.free:
            return None
        return self._keys.index(min(self._keys))

    def take(self, server: int) -> None:
        """Note one more request on `server`."""
        super().take(server)
        self._place(server)

    def wait(self, server: int) -> None:
        """Note one more request that waits for `server`, which keeps its place in the tree until the next change."""
        super().take(server)
        if not self.room[server]:
            self._keys[server] = _FULL

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        super().release(server)
        self._place(server)

    def _place(self, server: int) -> None:
        load = self.load(server, self.inflight[server])
        if self._places[server] >> _TIME_BITS != load:
            self._now += 1
            self._places[server] = load << _TIME_BITS | self._now
        self._keys[server] = self._places[server] if self.room[server] else _FULL

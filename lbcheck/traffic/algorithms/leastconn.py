"""Least connections, pick by pick: nginx keeps the weights where servers are equally busy, HAProxy rotates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE, SmoothRoundRobin

if TYPE_CHECKING:
    from collections.abc import Sequence

_EWEIGHT_MAX = 256 * WEIGHT_SCALE


class LeastConn:
    """nginx's `least_conn` (ngx_http_upstream_least_conn_module.c): fewest connections for its weight, ties by turns.

    Among servers that all answer.
    """

    __slots__ = ("_turns", "connections", "weights")

    def __init__(self, weights: Sequence[int]) -> None:
        self.weights = list(weights)
        self.connections = [0] * len(weights)
        self._turns = SmoothRoundRobin(weights)

    def pick(self) -> int | None:
        """Return the server of the next request, which is then in flight."""
        weights, connections = self.weights, self.connections
        if not weights:
            return None
        best = 0
        for server in range(1, len(weights)):
            if connections[server] * weights[best] < connections[best] * weights[server]:
                best = server
        busier = [
            server
            for server in range(len(weights))
            if connections[server] * weights[best] != connections[best] * weights[server]
        ]
        if len(busier) < len(weights) - 1:
            turn = self._turns.pick(tried=busier)
            best = best if turn is None else turn
        connections[best] += 1
        return best

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        self.connections[server] -= 1


class LeastConnTree:
    """HAProxy's `leastconn` (src/lb_fwlc.c): the smallest key, and among equals the one that waits longest.

    The key of an idle server is 0 whatever its weight, so idle servers take plain turns.
    """

    __slots__ = ("_keys", "_now", "inflight", "weights")

    def __init__(self, weights: Sequence[int]) -> None:
        self.weights = [weight * WEIGHT_SCALE for weight in weights]
        self.inflight = [0] * len(weights)
        self._keys = [(0, server) for server in range(len(weights))]
        self._now = len(weights)

    def pick(self) -> int | None:
        """Return the server of the next request, which is then in flight."""
        taking = [server for server, weight in enumerate(self.weights) if weight]
        server = min(taking, key=self._keys.__getitem__, default=None)
        if server is not None:
            self._change(server, 1)
        return server

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        self._change(server, -1)

    def _change(self, server: int, by: int) -> None:
        self.inflight[server] += by
        inflight = self.inflight[server]
        key = (inflight + 1) * _EWEIGHT_MAX // self.weights[server] if inflight else 0
        self._now += 1
        self._keys[server] = (key, self._now)

"""HAProxy's `hash-type consistent` and `balance random` (src/lb_chash.c): both choose the nearest point of one ring."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.hashes import full_hashes
from lbcheck.traffic.algorithms.ring import CIRCLE, Ring
from lbcheck.traffic.algorithms.serverkeys import id_key
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.traffic.algorithms.ring import Moves


class Tree:
    """The ring of a backend's usable servers."""

    __slots__ = ("_arcs", "_moves", "ring", "servers")

    def __init__(self, ids: Sequence[int], weights: Sequence[int], keys: Sequence[int] | None = None) -> None:
        """Take the servers that may be chosen, in order, with their weights above 0.

        Their ids say where they stand, or other `keys` (`serverkeys`).
        """
        self.servers = len(ids)
        bases = [
            key + node
            for key, weight in zip(keys or [id_key(number) for number in ids], weights, strict=True)
            for node in range(weight * WEIGHT_SCALE)
        ]
        places = full_hashes(value % CIRCLE for value in bases)
        ends = accumulate((weight * WEIGHT_SCALE for weight in weights), initial=0)
        self.ring = Ring(places[start:end] for start, end in pairwise(ends))
        self._arcs: list[int] = []
        self._moves: Moves | None = None

    def server_for(self, value: int) -> int:
        """Return the server for a hash: `hashes.key_hash` or `hashes.source_hash` of the request, or a random one."""
        return self.ring.owners[self.ring.nearest(value)]

    def servers_from(self, value: int) -> Iterator[int]:
        """Yield the servers of a hash's point and of those behind it, once around the ring."""
        owners = self.ring.owners
        start = self.ring.nearest(value)
        for at in range(start - len(owners), start):
            yield owners[at]

    def shares(self) -> list[float]:
        """Return each server's share of evenly spread hashes."""
        if not self._arcs:
            self._arcs = self.ring.nearest_arcs(self.servers)
        return [arc / CIRCLE for arc in self._arcs]

    def shares_without(self, server: int) -> list[float]:
        """Return each server's share, of two at least, once one has left the tree; all are found out at once."""
        if self._moves is None:
            self._arcs = self._arcs or self.ring.nearest_arcs(self.servers)
            self._moves = self.ring.nearest_moves(self.servers)
        return [arc / CIRCLE for arc in self._moves.without(server, self._arcs)]

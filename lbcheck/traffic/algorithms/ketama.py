"""nginx's `hash KEY consistent` (ngx_http_upstream_hash_module.c, ngx_http_upstream_update_chash())."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from lbcheck.traffic.algorithms.ring import CIRCLE, Ring

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lbcheck.traffic.algorithms.ring import Moves

POINTS_PER_WEIGHT = 160
#: How many further points nginx looks at when a point's servers cannot be used; then it takes round robin.
_FURTHER = 20


def host_and_port(server: str) -> tuple[bytes, bytes]:
    """Split a server as the config writes it, as nginx does for hashing: digits behind the last colon are the port."""
    text = server.encode("utf-8", "surrogateescape")
    if text[:5].lower() == b"unix:":
        return text[5:], b""
    host, colon, port = text.rpartition(b":")
    if colon and not port.strip(b"0123456789"):
        return host, port
    return text, b""


def points(server: str, weight: int) -> list[int]:
    """Return the places of a server's points, each hashed from the one before."""
    host, port = host_and_port(server)
    base = crc32(port, crc32(host + b"\0"))
    places = []
    place = 0
    for _ in range(weight * POINTS_PER_WEIGHT):
        place = crc32(place.to_bytes(4, "little"), base)
        places.append(place)
    return places


class Continuum:
    """The ring of an upstream. Servers written alike share their points, and take turns by weight."""

    __slots__ = ("_arcs", "_groups", "_moves", "_weights", "names", "ring")

    def __init__(self, names: Sequence[str], weights: Sequence[int]) -> None:
        """Take the servers as written, in order, `down` ones included, for they have their points too."""
        self._weights = weights
        self._groups: dict[str, list[int]] = {}
        for at, name in enumerate(names):
            self._groups.setdefault(name, []).append(at)
        self.names = list(self._groups)
        self.ring = Ring(
            points(name, max(weights[at] for at in self._groups[name]))  # equal places coincide: the longest list stays
            for name in self.names
        )
        self._arcs: list[int] = []
        self._moves: Moves | None = None

    def server_for(self, key: bytes, down: Collection[int] = ()) -> int | None:
        """Return the first server written as the key's point says; None where round robin decides (nothing found)."""
        at = self.ring.clockwise(crc32(key))
        for further in range(_FURTHER + 1):
            owner = self.ring.owners[(at + further) % len(self.ring.owners)]
            for server in self._groups[self.names[owner]]:
                if server not in down:
                    return server
        return None

    def turns(self, server: int, down: Collection[int]) -> list[int]:
        """Return the servers that share this one's points."""
        return next([at for at in group if at not in down] for group in self._groups.values() if server in group)

    def stretches(self, down: Collection[int] = ()) -> tuple[list[int], list[int]]:
        """Return (ends of stretches of key hashes, the first server of each; -1 where round robin decides)."""
        first = [next((server for server in self._groups[name] if server not in down), None) for name in self.names]
        ends, owners = self.ring.clockwise_stretches()
        if None not in first:
            return ends, [first[owner] or 0 for owner in owners]
        count = len(self.ring.owners)
        found = []
        for at in range(count + 1):
            near = (first[self.ring.owners[(at + further) % count]] for further in range(_FURTHER + 1))
            found.append(next((server for server in near if server is not None), -1))
        return ends, found

    def shares(self, down: Collection[int] = ()) -> list[float]:
        """Return each server's share of evenly spread key hashes. Some server must be usable and have a weight."""
        groups = list(self._groups.values())
        gone = [at for at, group in enumerate(groups) if all(one in down for one in group)] if down else []
        if len(gone) > 1:
            arcs, lost = self.ring.skipping_arcs(len(groups), frozenset(gone), _FURTHER)
        else:
            arcs, lost = self._arcs_without(gone[0]) if gone else (self._every_arc(), 0)
        return share_out(groups, arcs, lost, self._weights, down)

    def _every_arc(self) -> list[int]:
        if not self._arcs:
            self._arcs = self.ring.clockwise_arcs(len(self.names))
        return self._arcs

    def _arcs_without(self, gone: int) -> tuple[list[int], int]:
        """Return the arcs, and what finds nobody, when one is gone; all of them are found out at once."""
        if self._moves is None:
            self._moves = self.ring.clockwise_moves(len(self.names), _FURTHER)
        return self._moves.without(gone, self._every_arc()), self._moves.lost[gone]


def share_out(
    groups: Sequence[Sequence[int]], arcs: Sequence[int], lost: int, weights: Sequence[int], down: Collection[int]
) -> list[float]:
    """Return each server's share: the arcs by weight among those written alike, what was lost by weight among all."""
    total = sum(weight for at, weight in enumerate(weights) if at not in down)
    fractions = [0.0 if at in down else weight / total * (lost / CIRCLE) for at, weight in enumerate(weights)]
    for group, arc in zip(groups, arcs, strict=True):
        taking = [at for at in group if at not in down]
        together = sum(weights[at] for at in taking)
        for at in taking:
            fractions[at] += arc / CIRCLE * weights[at] / together
    return fractions


def estimated_shares(names: Sequence[str], weights: Sequence[int], down: Collection[int] = ()) -> list[float]:
    """Return the shares that a ring of endlessly many points would give."""
    groups: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        if at not in down:
            groups.setdefault(name, []).append(at)
    sizes = [max(weights[at] for at in group) for group in groups.values()]
    arcs = [size * CIRCLE // sum(sizes) for size in sizes]
    return share_out(list(groups.values()), arcs, CIRCLE - sum(arcs), weights, down)

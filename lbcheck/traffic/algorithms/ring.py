"""Consistent-hash rings: points on a circle of 2^32 places (Envoy: 2^64), each owned by a server."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: The circle's length in nginx and HAProxy.
CIRCLE = 1 << 32
#: Rings up to this size are walked whatever their shape.
_SMALL_RING = 4_096
#: Rings with at most this many points a server, on average, are walked: an arc is then 6 % and more off its weight.
_COARSE_RING = 256
#: Nothing larger is walked unless a caller asks for it: 200,000 points take 0.2 s.
_LARGE_RING = 200_000


class Moves:
    """Where each owner's arc goes when that owner alone is gone, for all owners at once.

    `to` maps an owner to the others that take over and how many values each of them gets; `lost` holds how many
    find nobody.
    """

    __slots__ = ("lost", "to")

    def __init__(self, owners: int) -> None:
        self.to: list[defaultdict[int, int]] = [defaultdict(int) for _ in range(owners)]
        self.lost = [0] * owners

    def without(self, gone: int, arcs: Sequence[int]) -> list[int]:
        """Return what becomes of the owners' `arcs` once one of them is gone."""
        left = list(arcs)
        left[gone] = 0
        for taker, amount in self.to[gone].items():
            left[taker] += amount
        return left


class Ring:
    """Points in order of their place, and their owners. Where two servers meet in one place, the first one stays."""

    __slots__ = ("circle", "owners", "places")

    def __init__(self, points: Iterable[Sequence[int]], circle: int = CIRCLE) -> None:
        """Take the places of each owner's points, owner 0 first, and the circle's length."""
        self.circle = circle
        owner_of: dict[int, int] = {}
        for owner, places in reversed(list(enumerate(points))):
            owner_of.update(dict.fromkeys(places, owner))
        self.places = sorted(owner_of)
        self.owners = [owner_of[place] for place in self.places]

    def clockwise(self, value: int) -> int:
        """Return which point nginx looks at first: the first one at or behind the value, around the circle."""
        return bisect_left(self.places, value) % len(self.places)

    def nearest(self, value: int) -> int:
        """Return which point HAProxy takes: the nearest one, the one before where both are equally near."""
        circle = self.circle
        behind = self.clockwise(value)
        before = behind - 1
        from_before = (value - self.places[before]) % circle
        to_behind = (self.places[behind] - value) % circle
        return before % len(self.places) if from_before <= to_behind else behind

    def clockwise_arcs(self, owners: int) -> list[int]:
        """Return how many values each owner's points stand for when the first point at or behind a value is taken."""
        arcs = [0] * owners
        last = self.places[-1] - self.circle
        for place, owner in zip(self.places, self.owners, strict=True):
            arcs[owner] += place - last
            last = place
        return arcs

    def nearest_arcs(self, owners: int) -> list[int]:
        """Return how many values each owner's points stand for when the nearest point is taken."""
        arcs = [0] * owners
        last, before = self.places[-1] - self.circle, self.owners[-1]
        for place, owner in zip(self.places, self.owners, strict=True):
            half = (place - last) // 2
            arcs[before] += half
            arcs[owner] += place - last - half
            last, before = place, owner
        return arcs

    def nearest_moves(self, owners: int) -> Moves:
        """Return where each owner's arc goes, of two owners at least, when the nearest of the other points is taken."""
        circle = self.circle
        moves = Moves(owners)
        start = next(at for at, owner in enumerate(self.owners) if owner != self.owners[at - 1])
        turned = [*self.owners[start:], *self.owners[:start]]
        places = [*self.places[start:], *(place + circle for place in self.places[:start])]
        before, before_place = turned[-1], places[-1] - circle
        at = 0
        while at < len(turned):
            owner = turned[at]
            end = at + 1
            while end < len(turned) and turned[end] == owner:
                end += 1
            behind, behind_place = (turned[end], places[end]) if end < len(turned) else (turned[0], places[0] + circle)
            half = (behind_place - before_place) // 2
            to_last = behind_place - places[end - 1]
            to = moves.to[owner]
            to[before] += half - (places[at] - before_place) // 2
            to[behind] += behind_place - before_place - half - (to_last - to_last // 2)
            before, before_place = owner, places[end - 1]
            at = end
        return moves

    def clockwise_moves(self, owners: int, further: int) -> Moves:
        """Return where each owner's arc goes when a value goes on to the next point, `further` times at most."""
        circle = self.circle
        moves = Moves(owners)
        count = len(self.places)
        behind = self.owners[0]
        other = 4 * count  # where the first point behind of another owner is: far away until one is met
        for at in range(2 * count - 1, -1, -1):  # two rounds, for the first one begins without knowing what is behind
            owner = self.owners[at % count]
            if owner != behind:
                other, behind = at + 1, owner
            if at >= count:
                continue
            arc = (self.places[at] - self.places[at - 1]) % circle or circle
            if other - at <= further:
                moves.to[owner][self.owners[other % count]] += arc
            else:
                moves.lost[owner] += arc
        return moves

    def clockwise_stretches(self) -> tuple[list[int], list[int]]:
        """Return the circle cut where owners may change when the first point at or behind a value is taken.

        Values below the first end have the first owner, those from there below the second end the second, and so on.
        """
        ends = [place + 1 for place in self.places]
        ends.append(self.circle)
        return ends, [*self.owners, self.owners[0]]

    def nearest_stretches(self) -> tuple[list[int], list[int]]:
        """Return the circle cut where owners may change when the nearest point is taken."""
        circle = self.circle
        first, last = self.places[0], self.places[-1]
        ends = [(place + behind) // 2 + 1 for place, behind in pairwise(self.places)]
        turn = (last + first + circle) // 2 + 1
        if turn > circle:  # the last point's stretch goes on at the beginning
            return [turn - circle, *ends, circle], [self.owners[-1], *self.owners]
        return [*ends, turn, circle], [*self.owners, self.owners[0]]

    def skipping_arcs(self, owners: int, skipped: Collection[int], further: int) -> tuple[list[int], int]:
        """Return clockwise arcs when `skipped` owners take nothing, and the rest.

        A value whose point is skipped goes on to the next point, `further` times at most; the rest is how many
        values find no owner that way.
        """
        circle = self.circle
        count = len(self.places)
        start = next((at for at, owner in enumerate(self.owners) if owner not in skipped), None)
        arcs = [0] * owners
        if start is None:
            return arcs, circle
        waiting: list[int] = []
        lost = 0
        for step in range(1, count + 1):
            at = (start + step) % count
            waiting.append((self.places[at] - self.places[at - 1]) % circle or circle)
            owner = self.owners[at]
            if owner in skipped:
                continue
            arcs[owner] += sum(waiting[-further - 1 :])
            lost += sum(waiting[: -further - 1])
            waiting.clear()
        return arcs, lost


def worth_walking(points: int, servers: int, exact_points: int | None) -> bool:
    """Say whether a ring is to be walked arc by arc rather than estimated from the weights.

    The standard error of an arc is about 1 / sqrt(its points): 8 % at nginx's 160 points for weight 1, 1 % at
    weight 64. The economical choice spends time where the error is large, and so at most some 256 points a server.
    """
    if exact_points is not None:
        return points <= exact_points
    return points <= _SMALL_RING or (points <= _LARGE_RING and points <= _COARSE_RING * servers)


def standard_error(fractions: Iterable[float], points: int) -> float:
    """Return the largest standard error of arcs that are estimated as `fractions` of a ring of random points."""
    return sqrt(max((share * (1 - share) for share in fractions), default=0.0) / (points + 1))

"""Consistent-hash rings: points on a circle of 2^32 places, each owned by a server."""

from __future__ import annotations

from bisect import bisect_left
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: The circle's length.
CIRCLE = 1 << 32
#: Rings up to this size are walked whatever their shape.
_SMALL_RING = 4_096
#: Rings with at most this many points a server, on average, are walked: an arc is then 6 % and more off its weight.
_COARSE_RING = 256
#: Nothing larger is walked unless a caller asks for it: 200,000 points take 0.2 s.
_LARGE_RING = 200_000


class Ring:
    """Points in order of their place, and their owners. Where two servers meet in one place, the first one stays."""

    __slots__ = ("owners", "places")

    def __init__(self, points: Iterable[Sequence[int]]) -> None:
        """Take the places of each owner's points, owner 0 first."""
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
        behind = self.clockwise(value)
        before = behind - 1
        from_before = (value - self.places[before]) % CIRCLE
        to_behind = (self.places[behind] - value) % CIRCLE
        return before % len(self.places) if from_before <= to_behind else behind

    def clockwise_arcs(self, owners: int) -> list[int]:
        """Return how many values each owner's points stand for when the first point at or behind a value is taken."""
        arcs = [0] * owners
        last = self.places[-1] - CIRCLE
        for place, owner in zip(self.places, self.owners, strict=True):
            arcs[owner] += place - last
            last = place
        return arcs

    def nearest_arcs(self, owners: int) -> list[int]:
        """Return how many values each owner's points stand for when the nearest point is taken."""
        arcs = [0] * owners
        last, before = self.places[-1] - CIRCLE, self.owners[-1]
        for place, owner in zip(self.places, self.owners, strict=True):
            half = (place - last) // 2
            arcs[before] += half
            arcs[owner] += place - last - half
            last, before = place, owner
        return arcs

    def skipping_arcs(self, owners: int, skipped: Collection[int], further: int) -> tuple[list[int], int]:
        """Return clockwise arcs when `skipped` owners take nothing, and the rest.

        A value whose point is skipped goes on to the next point, `further` times at most; the rest is how many
        values find no owner that way.
        """
        count = len(self.places)
        start = next((at for at, owner in enumerate(self.owners) if owner not in skipped), None)
        arcs = [0] * owners
        if start is None:
            return arcs, CIRCLE
        waiting: list[int] = []
        lost = 0
        for step in range(1, count + 1):
            at = (start + step) % count
            waiting.append((self.places[at] - self.places[at - 1]) % CIRCLE or CIRCLE)
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
    return max((sqrt(share * (1 - share) / (points + 1)) for share in fractions), default=0.0)

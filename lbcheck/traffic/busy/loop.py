"""The closed loop: so many requests in flight all the time, and where they are on average.

Service times are exponential and alike for all servers, so whichever request is worked on, each is equally likely to
be the next to end; as it ends the next one arrives. A request that is refused comes back after as long a time as a
served one takes: of those in flight, the part that finds no room is unserved.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.traffic.busy.waiting import REFUSED

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from random import Random

    from lbcheck.traffic.busy.waiting import Balancer

#: Requests of one simulation at most and at least, and steps of work for all of them together.
_MOST, _LEAST = 10_000, 1_500
_WORK = 1_500_000
#: Batches whose means tell the standard error. Full batches are merged two by two, which doubles their length.
_BATCHES = 20
#: Precise enough to stop: this much of an even share, and never more than this.
_PRECISION, _COARSEST = 0.02, 0.001


class Averages(NamedTuple):
    """Each server's part of the requests and the refused part, which sum to 1, and the largest standard error."""

    servers: list[float]
    refused: float
    stderr: float


class Loop:
    """One pool's closed loop under way; `work` is what a choice costs, in servers looked at.

    `alike` has one key per server: those with equal keys are told apart by nothing, and get their mean.
    """

    __slots__ = ("_active", "_balancer", "_counts", "_groups", "_random", "_steps")

    def __init__(self, balancer: Balancer, alike: Sequence[Hashable], random: Random, work: int) -> None:
        self._balancer = balancer
        self._random = random.random
        self._active: list[int] = []
        self._counts = [0] * (len(alike) + 1)
        groups: dict[Hashable, list[int]] = {}
        for server, key in enumerate(alike):
            groups.setdefault(key, []).append(server)
        self._groups = list(groups.values())
        self._steps = max(_LEAST, min(_MOST, _WORK // work))

    def begin(self, standing: Sequence[int], arriving: int) -> None:
        """Start with requests `standing` on the servers, of which the balancer knows, and let others arrive."""
        for server, count in enumerate(standing):
            self._active += [server] * count
            self._counts[server] = count
        for _ in range(arriving):
            place = self._balancer.arrive()
            if place is not None:
                self._active.append(place)
                self._counts[place] += 1

    def averages(self, settling: int = 2) -> Averages:
        """Run until the averages are precise, or long enough.

        Before that, as many requests end as there are, `settling` times over.
        """
        size = len(self._active)
        steps = self._steps
        self._run(min(steps, max(steps // 10, settling * size)))
        length = max(steps // (8 * _BATCHES), min(size, steps // _BATCHES))
        batches = _Batches(len(self._counts) - 1)
        run = 0
        while run < steps:
            batches.add(*self._run(length))
            run += length
            if batches.full:
                if batches.precise:
                    break
                batches.merge()
                length *= 2
        return batches.averages(size if size > steps else None)

    def _run(self, steps: int) -> tuple[list[float], list[float]]:
        """Run so many ends of requests; return where requests were on average, and where they began.

        The time between two ends is taken for its mean, one by the number of requests that are worked on.
        """
        arrive, leave, random = self._balancer.arrive, self._balancer.leave, self._random
        active, counts = self._active, self._counts
        present, since, begun = [0.0] * len(counts), [0.0] * len(counts), [0.0] * len(counts)
        now = 0.0
        for _ in range(steps):
            size = len(active)
            now += 1 / size
            at = int(random() * size)
            place = active[at]
            entering = 0 if place == REFUSED else leave(place)
            came = arrive()
            if came == place and not entering:
                begun[place] += 1
                continue
            present[place] += counts[place] * (now - since[place])
            since[place] = now
            counts[place] -= 1
            if entering:
                counts[place] += entering
                begun[place] += entering
                active += [place] * (entering - 1)
                if came is None:
                    continue
                active.append(came)
            elif came is None:
                active[at] = active[-1]
                active.pop()
                continue
            else:
                active[at] = came
            begun[came] += 1
            present[came] += counts[came] * (now - since[came])
            since[came] = now
            counts[came] += 1
        for place, count in enumerate(counts):
            present[place] += count * (now - since[place])
        return self._evened(present), self._evened(begun)

    def _evened(self, amounts: list[float]) -> list[float]:
        """Return parts of the sum, the mean for servers that are alike."""
        total = sum(amounts) or 1.0
        parts = [0.0] * len(amounts)
        parts[-1] = amounts[-1] / total
        for group in self._groups:
            part = sum(amounts[server] for server in group) / total / len(group)
            for server in group:
                parts[server] = part
        return parts


class _Batches:
    """Two estimates of the same shares, batch by batch: requests present (Little's law), and requests begun.

    The first is the steadier one where servers are busy all the time, the second where most of them are idle and
    take turns.
    """

    __slots__ = ("_begun", "_present", "_wanted")

    def __init__(self, servers: int) -> None:
        self._present: list[list[float]] = []
        self._begun: list[list[float]] = []
        self._wanted = min(_COARSEST, _PRECISION / servers)

    def add(self, present: list[float], begun: list[float]) -> None:
        """Add a batch."""
        self._present.append(present)
        self._begun.append(begun)

    @property
    def full(self) -> bool:
        """Whether there are so many that they are to be merged."""
        return len(self._present) == _BATCHES

    @property
    def precise(self) -> bool:
        """Whether no more are needed."""
        return min(_summary(self._present)[1], _summary(self._begun)[1]) <= self._wanted

    def merge(self) -> None:
        """Make one batch of two."""
        for batches in (self._present, self._begun):
            batches[:] = [_mean(pair) for pair in zip(batches[::2], batches[1::2], strict=True)]

    def averages(self, large: int | None) -> Averages:
        """Return the steadier estimate.

        `large` is the number of requests in flight where it is so large that most of them never ended: the spread of
        that many independent ones is then part of the error.
        """
        means, error = min(_summary(self._present), _summary(self._begun), key=lambda found: found[1])
        if large is not None:
            error = max(error, *(sqrt(mean * (1 - mean) / large) for mean in means))
        return Averages(means[:-1], means[-1], error)


def _mean(batches: Sequence[Sequence[float]]) -> list[float]:
    return [sum(values) / len(batches) for values in zip(*batches, strict=True)]


def _summary(batches: Sequence[Sequence[float]]) -> tuple[list[float], float]:
    """Return the batches' mean and its largest standard error."""
    means = _mean(batches)
    count = len(batches)
    if count < 2:
        return means, 1.0
    squares = [
        sum((value - mean) ** 2 for value in values)
        for mean, values in zip(means, zip(*batches, strict=True), strict=True)
    ]
    return means, sqrt(max(squares) / (count * (count - 1)))

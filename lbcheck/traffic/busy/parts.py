"""What becomes of a group's requests, before it is put into shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares
from lbcheck.traffic.busy.levels import standing
from lbcheck.traffic.busy.loop import Averages, Loop

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from random import Random

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.load import Load
    from lbcheck.traffic.algorithms.members import Member
    from lbcheck.traffic.busy.waiting import Balancer

#: So many requests are let arrive one by one; of more, most are put where they will stand about.
_ARRIVING = 500


class Parts:
    """The part of the requests that each member of a group gets, and the part that is refused; they sum to 1.

    `stderr` None is exact. `simulated` ones depend on the seed.
    """

    __slots__ = ("members", "refused", "simulated", "stderr")

    def __init__(
        self, members: Sequence[float], refused: float = 0.0, stderr: float | None = None, *, simulated: bool = False
    ) -> None:
        self.members = list(members)
        self.refused = refused
        self.stderr = stderr
        self.simulated = simulated

    def shares(self, pool: Pool, members: Iterable[Member], seed: int) -> Shares:
        """Return them as the pool's shares."""
        servers = [0.0] * len(pool.servers)
        for member, part in zip(members, self.members, strict=True):
            servers[member.index] += part
        return Shares(
            servers,
            unserved=self.refused,
            exact=self.stderr is None,
            seed=seed if self.simulated else None,
            stderr=self.stderr,
        )


def of_amounts(amounts: Sequence[float], refused: float = 0.0) -> Parts:
    """Return the parts of requests that stay where they are: so many on each member, so many refused."""
    total = sum(amounts) + refused
    return Parts([amount / total for amount in amounts], refused / total)


def even(alike: Sequence[Hashable]) -> Parts | None:
    """Return even parts where all members are alike (None stands for one that takes nothing).

    That is exact where the choice looks at nothing but load, weight and limit, and breaks ties by chance or by turns.
    Turns are even, too: of n alike servers under least_conn, r have one request more than the rest. Which of those
    ends is chance, so all stay so for as long on average. Then it and the n - r others take a turn, in which each
    one's current weight gains 1 and the picked one's loses n - r + 1. As these weights stay bounded, a server is picked
    once in n - r + 1 turns that it takes part in, and with the times in which it does not, once in n.
    """
    kinds = {kind for kind in alike if kind is not None}
    if len(kinds) != 1:
        return None
    count = sum(kind is not None for kind in alike)
    return Parts([0.0 if kind is None else 1 / count for kind in alike])


def simulated(
    rule: Load,
    balancer: Balancer,
    in_flight: int,
    alike: Sequence[Hashable],
    weights: Sequence[float],
    random: Random,
    *,
    work: int = 1,
    serving: Sequence[float] | None = None,
) -> Parts:
    """Return the parts in a closed loop.

    `weights` say about how many requests stand where, if there are many, up to as many as the servers work on
    (`serving`, or else the rule's limits). `work` is how many servers a choice looks at.
    """
    loop = Loop(balancer, alike, random, work)
    counts = [0] * len(alike)
    if in_flight > _ARRIVING:
        counts = standing(weights, serving or rule.limits, max(0, in_flight - len(alike)))
        for server, count in enumerate(counts):
            rule.put(server, count)
    loop.begin(counts, in_flight - sum(counts))
    return _found(loop.averages())


def simulated_from_empty(balancer: Balancer, in_flight: int, alike: Sequence[Hashable], random: Random) -> Parts:
    """Return the parts where nobody can say before where requests will stand: they gather at the slowest server."""
    loop = Loop(balancer, alike, random, 1)
    loop.begin([0] * len(alike), in_flight)
    return _found(loop.averages(settling=5))


def _found(averages: Averages) -> Parts:
    return Parts(averages.servers, averages.refused, averages.stderr, simulated=True)

"""Native pools under load: any balancer that passes over full servers, and queues or refuses the rest."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.leastconn import LeastConn
from lbcheck.traffic.busy.choices import Draw, Redrawn, RoundRobin
from lbcheck.traffic.busy.levels import settled
from lbcheck.traffic.busy.limits import UnknownError, limit
from lbcheck.traffic.busy.parts import Parts, even, of_amounts, simulated
from lbcheck.traffic.busy.waiting import Passing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms import Shares
    from lbcheck.traffic.algorithms.load import Load
    from lbcheck.traffic.algorithms.native import Balancer


def busy(balancer: Balancer, in_flight: int, seed: int) -> Shares:
    """Return a native pool's shares with so many requests in flight.

    `least_connections` takes the fewest connections for a server's weight, and turns where several have as few.
    """
    pool = balancer.pool
    name = pool.algorithm.name
    taking = balancer.acting()
    limits = [limit(member.server) for member in taking]
    reached = bool(limits) and min(limits) < in_flight
    if not taking or in_flight == 1 or (name != "least_connections" and not reached):
        return balancer.shares()
    if in_flight >= sum(limits):
        parts = of_amounts(limits, _refused(pool, in_flight - int(sum(limits))))
    else:
        parts = _parts(name, [member.weight for member in taking], limits, in_flight, Random(seed))  # noqa: S311
    return parts.shares(pool, taking, seed)


def _refused(pool: Pool, over: int) -> int:
    """Return how many requests neither find a server nor wait for one."""
    if not over:
        return 0
    if pool.max_queue is None:
        raise UnknownError("all servers are full, and no max_queue says whether requests wait")
    return max(0, over - pool.max_queue.value)


def _parts(name: str, weights: Sequence[int], limits: Sequence[float], in_flight: int, random: Random) -> Parts:
    alike = list(zip(weights, limits, strict=True))
    rule: Load
    if name == "least_connections":
        found = even(alike)
        rule = least = LeastConn(weights, limits)
        if found is None and (counts := settled(least, in_flight)) is not None:
            found = of_amounts(counts)
        if found is not None:
            return found
    elif name == "round_robin":
        rule = RoundRobin(weights, limits)
    elif name == "random":
        rule = Redrawn(Draw(weights, random), weights, limits)
    else:
        raise UnknownError(f"nothing says where requests go under {name} when their server is full")
    return simulated(rule, Passing(rule), in_flight, alike, weights, random, work=len(weights))

"""What the machines can take: the declared peak against the declared capacities once a server is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.fairness import ABOVE
from lbcheck.findings import Hit
from lbcheck.traffic.algorithms import Shares, balancer
from lbcheck.traffic.algorithms.members import members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

#: A server, and its part of the demand over its capacity.
Strain = tuple[float, "Server", float]


def capacity_n_minus_1(config: Config, context: Context) -> Iterator[Hit]:
    """F14: the loss of one server gives another one more of the declared peak than it was declared to take.

    Silent where a server is beyond its capacity already while all are up: that is D01's, and worse.
    """
    for pool in config.pools:
        demand = pool.options.get("demand")
        serving = pool.serving
        if demand is None or pool.open is not None or len(serving) < 2:
            continue
        if any(server.capacity is None or server.capacity.value <= 0 for server in serving):
            continue
        if _strain(pool, context.shares(pool, config.dialect), demand.value)[0] > ABOVE:
            continue
        worst = max(_losses(pool, config.dialect, demand.value), key=lambda loss: loss[0][0], default=None)
        if worst is not None and worst[0][0] > ABOVE:
            (_, server, load), lost = worst
            capacity = server.capacity.value * server.count if server.capacity is not None else 0.0
            args = {
                "pool": pool.name,
                "lost": lost.name,
                "server": server.name,
                "load": f"{load:,.0f}",
                "demand": f"{demand.value:,.0f}",
                "capacity": f"{capacity:,.0f}",
            }
            yield Hit("F14", pool.span, args, pool=pool.name, server=lost.name)


def _losses(pool: Pool, dialect: str, demand: float) -> Iterator[tuple[Strain, Server]]:
    """Yield the greatest strain after the loss of each serving server; of a line for several, of one of them."""
    found = balancer(pool, dialect, None)
    if isinstance(found, Shares):
        return
    seen: set[int] = set()
    for place, member in enumerate(members(pool)):
        if member.server.serving and member.index not in seen:
            seen.add(member.index)
            yield _strain(pool, found.shares({place}), demand), member.server


def _strain(pool: Pool, shares: Shares, demand: float) -> Strain:
    """Return the server whose part of the demand is the most times its capacity; 0.0 times where nobody knows."""
    worst: Strain = (0.0, pool.servers[0], 0.0)
    for server, share in zip(pool.servers, shares.servers or (), strict=False):
        if server.capacity is not None and server.capacity.value > 0:
            load = share * demand
            worst = max(worst, (load / (server.capacity.value * server.count), server, load), key=lambda one: one[0])
    return worst

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

#: A server's part of the demand over its capacity, the server, its part, and its capacity.
Strain = tuple[float, "Server", float, float]


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
            (_, server, load, capacity), lost = worst
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
            yield _strain(pool, found.shares({place}), demand, member.server), member.server


def _strain(pool: Pool, shares: Shares, demand: float, lost: Server | None = None) -> Strain:
    """Return the server whose part of the demand is the most times its capacity; 0.0 times where nobody knows.

    Of a line that stands for several servers, one is lost.
    """
    worst: Strain = (0.0, pool.servers[0], 0.0, 0.0)
    for server, share in zip(pool.servers, shares.servers or (), strict=False):
        capacity = _capacity(server) * (server.count - (server is lost))
        if capacity > 0:
            load = share * demand
            worst = max(worst, (load / capacity, server, load, capacity), key=lambda one: one[0])
    return worst


def _capacity(server: Server) -> float:
    return 0.0 if server.capacity is None else server.capacity.value

"""How an Envoy cluster takes its hosts: in turns, by a hash, or by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.envoy.keys import hashed
from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, hashtables
from lbcheck.traffic.algorithms.envoy import HASHES, Cluster

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.proxies.seam import Pick


def ordered(pool: Pool, lost: Collection[int] = ()) -> bool:
    """Say whether hosts take turns: all in one priority and locality, by weights that do not grow.

    Least request draws two of hosts that weigh the same, and lets others take turns (least_request_lb.cc). Which
    priority a request goes to is drawn.
    """
    cluster = _cluster(pool)
    taking = None if cluster is None else cluster.acting(lost)
    if cluster is None or not taking or "slow_start" in pool.algorithm.options:
        return False
    hosts = [host for host, _ in taking]
    if len({host.locality for host in hosts}) > 1 and pool.options["localities"].value != "flat":
        return False
    alike = len({host.member.weight for host in hosts}) == 1
    return pool.algorithm.name == "round_robin" or (pool.algorithm.name == "least_request" and not alike)


def picker(pool: Pool, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to the index in `pool.servers` (`seam.Adapter.picker`)."""
    cluster = _cluster(pool)
    if cluster is None or pool.algorithm.name not in HASHES or pool.algorithm.key is None:
        return None
    taking = cluster.acting(lost)
    if taking is None or len(taking) < 2:
        return None
    keys = [host.key for host, _ in taking]
    names, parts = [key or "" for key in keys], [part for _, part in taking]
    if None in keys or len(set(keys)) < len(keys):
        return None
    places = [host.member.index for host, _ in taking]
    ring = cluster.ring(names, parts) if pool.algorithm.name == "ring_hash" else None
    table = cluster.table(names, parts) if ring is None else []

    def pick(ask: Ask) -> int | None:
        value = hashed(pool, ask)
        if value is None:
            return None
        return places[table[value % len(table)] if ring is None else hashtables.on_ring(ring, value)]

    return pick


def _cluster(pool: Pool) -> Cluster | None:
    found = balancer(pool, "envoy", MAX_RING_POINTS)
    return found if isinstance(found, Cluster) and found.reason is None else None

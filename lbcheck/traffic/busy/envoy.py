"""Envoy under load: most of its policies do not look at it, and a cluster's circuit breakers are for all hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.busy.limits import UnknownError

if TYPE_CHECKING:
    from lbcheck.traffic.algorithms import Shares
    from lbcheck.traffic.algorithms.envoy import Cluster

#: circuit_breaker.proto: what holds of max_connections and max_requests where nothing is written.
_DEFAULT = 1024


def busy(cluster: Cluster, in_flight: int) -> Shares:
    """Return the shares with so many requests in flight. Raises UnknownError."""
    options = cluster.pool.options
    for name in ("max_connections", "max_requests"):
        setting = options.get(name)
        limit = _DEFAULT if setting is None or setting.value is None else setting.value
        if in_flight > limit:
            raise UnknownError(f"with more than {limit:,} requests its circuit breaker {name} may open")
    if cluster.pool.algorithm.name == "least_request" and not _alike(cluster):
        raise UnknownError("how its hosts' weights and load together decide is not emulated")
    if "hash_balance_factor" in cluster.pool.algorithm.options:
        raise UnknownError("where hash_balance_factor sends requests of busy hosts is not emulated")
    return cluster.shares()


def _alike(cluster: Cluster) -> bool:
    """Say whether all hosts are the same to the policy, so that load makes no difference in the long run."""
    return len({host.member.weight for host in cluster.hosts}) == 1

"""Shares among the pods of a Service: what kube-proxy, an ingress controller or Istio's Envoy make of it.

Pods have no weights, so that every way of choosing that does not look at keys gives all of them the same: kube-proxy's
`statistic mode random` and ipvs `rr`, ingress-nginx's round robin and its random choice for clients that then stay
(sticky_persistent), Envoy's round robin, random and, at low load, least request. Service entries have weights, which
Envoy's pickers keep (its random one does not read them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares
from lbcheck.traffic.algorithms.members import members, nobody, proportional, spread

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.members import Member

#: Several ways of choosing, or one of several that nobody knows.
SEVERAL = "several"
_RING = "the ring is made of the pods' addresses, which nobody knows before they run"
#: By name of the algorithm, why its shares are not computed.
_UNKNOWN = {
    "chash": _RING,
    "chashsubset": _RING,
    "sticky_balanced": _RING,
    "ewma": "pods that answer faster get more, and nobody knows which do",
    SEVERAL: "those who send requests there do not choose pods in one way that is known",
    "RING_HASH": _RING,
    "MAGLEV": "the table is made of the pods' addresses, which nobody knows before they run",
    "PASSTHROUGH": "callers choose the address themselves",
}
_WEIGHTED = frozenset({"ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN"})
#: externalTrafficPolicy Local: balancers share out among nodes, a node among its own pods (Kubernetes, virtual IPs).
LOCAL = "kube-proxy, externalTrafficPolicy Local"


class Balancer:
    """A Service's ready endpoints."""

    __slots__ = ("known", "pool")
    interchangeable = False

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        weighted = pool.algorithm.name in _WEIGHTED
        self.known = [
            (place, member)
            for place, member in enumerate(members(pool))
            if member.server.enabled and (member.weight > 0 or not weighted)
        ]

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return the pods' shares; the members at the places `lost` are gone."""
        name = self.pool.algorithm.name
        taking = [member for place, member in self.known if place not in lost]
        if not taking:
            return nobody(self.pool)
        if name in _UNKNOWN and len(taking) > 1:
            return Shares(None, reason=_UNKNOWN[name])
        if name == LOCAL and len(taking) > 1:
            return self._by_node(taking)
        weights = [member.weight if name in _WEIGHTED else 1 for member in taking]
        return spread(self.pool, taking, proportional(weights))

    def _by_node(self, taking: list[Member]) -> Shares:
        nodes = [member.server.zone.value for member in taking if member.server.zone is not None]
        if len(nodes) < len(taking):
            return Shares(None, reason="with externalTrafficPolicy Local shares go by node, and nodes are not known")
        part = 1 / len(set(nodes))
        return spread(self.pool, taking, [part / nodes.count(node) for node in nodes])

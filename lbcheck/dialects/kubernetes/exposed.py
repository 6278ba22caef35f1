"""Services that the world outside reaches without a proxy of the cluster: type LoadBalancer and NodePort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import targets
from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.services import is_exposed, ports
from lbcheck.model import EVERY_REQUEST, Address, Frontend, Listener, Route

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.graph import Graph


def frontends(graph: Graph) -> list[Frontend]:
    """Return a frontend for each such Service."""
    found = []
    for one in graph.cluster.all(CORE, "Service"):
        pool = graph.pool(one.namespace, one.name) if is_exposed(one) and one.name else None
        if pool is None:
            continue
        listeners = [
            Listener(
                Address(f"*:{port.number}", "ipv4", "", port.number),
                port.view.place("port"),
                transport="udp" if port.protocol == "UDP" else "tcp",
            )
            for port in ports(one)
        ]
        route = Route("every connection", one.span, EVERY_REQUEST, targets.only(pool.name, one.span, pool))
        found.append(Frontend(f"Service {one.shown}", one.span, listeners, [route], protocol="tcp"))
    return found

"""The objects as the model's World, for configs of other balancers that lie beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.disruption import evictable
from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.services import ports
from lbcheck.world import Port, Service, Workload, World

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.pods import Pods

_OPEN = "the cluster may hold more objects than the scanned files"


def world(graph: Graph) -> World:
    """Return the workloads and Services of the run."""
    return World(open=_OPEN, later=lambda: _contents(graph))


def _contents(graph: Graph) -> tuple[list[Workload], list[Service]]:
    budgets = evictable(graph)
    workloads = {id(one): _workload(one, budgets.get(id(one))) for one in graph.pods}
    services = []
    for one in graph.cluster.all(CORE, "Service"):
        behind = graph.pods_of(one)
        names = [f"{one.name}.{one.namespace}{end}" for end in ("", ".svc", ".svc.cluster.local")]
        known = [
            Port(
                port.number,
                port.view.place("port"),
                name=port.name,
                target=port.target,
                protocol=port.protocol.lower(),
                application=port.application,
            )
            for port in ports(one)
        ]
        services.append(
            Service(
                one.name,
                one.span,
                scope=one.namespace,
                names=names,
                ports=known,
                workloads=[workloads[id(pods)] for pods in behind] if behind else None,
            )
        )
    return list(workloads.values()), services


def _workload(pods: Pods, budget: int | None) -> Workload:
    owner = pods.owner
    declared = [
        Port(
            port.integer("containerPort"),
            port.span,
            name=port.text("name"),
            protocol=(port.text("protocol") or "TCP").lower(),
        )
        for port in pods.ports()
    ]
    return Workload(
        owner.kind,
        owner.name,
        owner.span,
        scope=owner.namespace,
        labels=pods.labels,
        ports=declared,
        replicas=None if pods.replicas is None else pods.replicas.value,
        evictable=budget,
    )

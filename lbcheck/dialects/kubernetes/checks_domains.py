"""F10: pods or endpoints that stand in for each other and are all on one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.checks_services import services
from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.model import Config
    from lbcheck.text import Span

_BINDING = ("nodeName", "nodeSelector")
#: The label of nodes that each has for itself (well-known labels of the API).
_HOSTNAME = "kubernetes.io/hostname"


def shared_failure_domain(config: Config, context: Context) -> Iterator[Hit]:
    """F10: several pods of a Service that are bound to one node, or several endpoints that are on it."""
    graph = tree_of(config).graph
    for one, _ in context.once(config, services):
        behind = graph.judged(one)
        first = _node(behind[0]) if behind else None
        if first is None or not all(pods.stays and pods.owner.sure for pods in behind):
            continue
        number = sum(0 if pods.replicas is None else pods.replicas.value for pods in behind)
        if number > 1 and all((bound := _node(pods)) is not None and bound[0] == first[0] for pods in behind):
            yield _together(one, counted(number, "pod"), first[0], first[1])
    for one in tree_of(config).cluster.all(CORE, "Service") if graph.endpoints else ():
        endpoints = [address for address in graph.endpoints.of(one) or () if address.ready]
        nodes = {address.node for address in endpoints}
        node = next(iter(nodes), None)
        if len(nodes) == 1 and node is not None and len({address.text for address in endpoints}) > 1:
            yield _together(one, counted(len(endpoints), "endpoint"), node, endpoints[0].span)


def _node(pods: Pods) -> tuple[str, Span] | None:
    """Return the node to which pods are bound, by its name or by the label that it alone has."""
    if pods.spec.fields.keys().isdisjoint(_BINDING):
        return None
    selector = pods.spec.view("nodeSelector")
    for view, key in ((pods.spec, "nodeName"), (selector, _HOSTNAME)):
        name = view.text(key)
        if name and not opaque(name):
            return name, view.place(key)
    return None


def _together(service: Object, who: str, node: str, span: Span) -> Hit:
    args = {"pool": service.shown, "who": who, "where": f"on node {node}", "effect": "no pod is left"}
    related = [Related(service.span, f"Service {service.shown}")]
    return Hit("F10", span, args, severity=INFO, related=related, pool=service.shown)

"""K06: pods that get traffic before they are ready, and go on getting it when they are not any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.checks_services import services
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.reach import routed
from lbcheck.dialects.kubernetes.services import ports
from lbcheck.findings import INFO, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.dialects.kubernetes.services import ServicePort
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config


def readiness_missing(config: Config, context: Context) -> Iterator[Hit]:
    """K06: a container that serves a routed Service has no readiness probe.

    One finding for each workload. A headless Service, or one that publishes pods that are not ready, does not go by
    readiness: info.
    """
    graph = tree_of(config).graph
    reached = context.once(config, routed)
    told: set[int] = set()
    for one, _ in context.once(config, services):
        users = reached.get((one.namespace, one.name))
        if not users:
            continue
        for pods in graph.judged(one):
            if id(pods) in told or not pods.stays or pods.owner.patched or pods.owner.wrong or pods.owner.opaque:
                continue
            container = serving(pods, ports(one))
            if container is None or "readinessProbe" in container or _injected(container):
                continue
            told.add(id(pods))
            yield _hit(one, users[0].owner, pods, container)


def serving(pods: Pods, wanted: Sequence[ServicePort]) -> View | None:
    """Return the container behind a Service's ports: the one that declares such a port, or the only one."""
    targets = {port.target for port in wanted}
    for container in pods.containers:
        declared = container.views("ports")
        if any(port.integer("containerPort") in targets or port.text("name") in targets for port in declared):
            return container
    return pods.containers[0] if len(pods.containers) == 1 else None


def _injected(container: View) -> bool:
    """Say whether Istio writes the container, its probe with it, as it does where the image is `auto`.

    Source: istio manifests/charts/istio-control/istio-discovery/files/gateway-injection-template.yaml; `auto` is no
    image that a kubelet could pull (istio.io, "Installing Gateways").
    """
    return container.text("image") == "auto"


def _hit(service: Object, user: Object, pods: Pods, container: View) -> Hit:
    owner = pods.owner
    headless = service.spec.text("clusterIP") == "None" or service.spec.flag("publishNotReadyAddresses") is True
    by = "from outside the cluster" if user.kind == "Service" else f"by {user.kind} {user.shown}"
    args = {
        "container": container.text("name") or "?",
        "workload": f"{owner.kind} {owner.shown}",
        "service": service.shown,
        "by": by,
    }
    return Hit(
        "K06",
        container.place("name"),
        args,
        severity=INFO if headless else None,
        related=[Related(service.span, f"Service {service.name} selects its pods")],
        pool=service.shown,
        server=owner.name,
    )

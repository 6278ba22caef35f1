"""Services: their ports, and the pods or addresses behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.view import View, integer, opaque

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.text import Span

SERVICE_NAME = "kubernetes.io/service-name"


class ServicePort(NamedTuple):
    """A port of a Service. `target` is a number or a container port's name, after the default (the port itself)."""

    number: int | None
    name: str | None
    target: int | str | None
    protocol: str
    application: str | None
    view: View

    @property
    def span(self) -> Span:
        """Where the target is written, or else the port."""
        return self.view.place("targetPort" if "targetPort" in self.view else "port")


def ports(service: Object) -> list[ServicePort]:
    """Return a Service's ports."""
    if service.known_ports is None:
        service.known_ports = [_port(view) for view in service.spec.views("ports")]
    return service.known_ports


def _port(view: View) -> ServicePort:
    number = view.integer("port")
    target = view.scalar("targetPort")
    application = view.text("appProtocol")
    return ServicePort(
        number,
        view.text("name"),
        number if target is None else target_of(target),
        view.text("protocol") or "TCP",
        application,
        view,
    )


def target_of(node: ScalarNode) -> int | str | None:
    """Return a port as number or name: `"8080"` in quotes is a name to Kubernetes, but nobody has such a name."""
    number = integer(node)
    if number is not None:
        return number
    return None if opaque(node.text) else node.text


def has_port(service: Object, port: int | str) -> bool:
    """Say whether a Service has a port of that number or name."""
    return any(port in (one.number, one.name) for one in ports(service))


def external(service: Object) -> str | None:
    """Return the host name that an ExternalName Service stands for."""
    return service.spec.text("externalName") if service.spec.text("type") == "ExternalName" else None


def is_exposed(service: Object) -> bool:
    """Say whether clients outside the cluster reach a Service directly."""
    return service.spec.text("type") in ("LoadBalancer", "NodePort")


class Address(NamedTuple):
    """One endpoint's address as an Endpoints or EndpointSlice object has it.

    `port` is None where the object has several, or none that is a number: which one is asked, its Service says.
    """

    text: str
    port: int | None
    span: Span
    ready: bool
    node: str | None
    zone: str | None


class Endpoints:
    """The addresses that objects of the run give to Services."""

    __slots__ = ("_found",)

    def __init__(self, cluster: Cluster) -> None:
        self._found: dict[tuple[str, str], list[Address]] = {}
        for one in cluster.all("discovery.k8s.io", "EndpointSlice"):
            found = self._found.setdefault((one.namespace, one.labels.get(SERVICE_NAME, "")), [])
            port = _only_port(one.root)
            found += [address for view in one.root.views("endpoints") for address in _of_slice(view, port)]
        for one in cluster.all(CORE, "Endpoints"):
            found = self._found.setdefault((one.namespace, one.name), [])
            for subset in one.root.views("subsets"):
                for key, ready in (("addresses", True), ("notReadyAddresses", False)):
                    found += [_of_subset(view, subset, ready=ready) for view in subset.views(key) if "ip" in view]

    def __bool__(self) -> bool:
        return bool(self._found)

    def of(self, service: Object) -> list[Address] | None:
        """Return the addresses of a Service; None where no object has any."""
        return self._found.get((service.namespace, service.name))


def _only_port(owner: View) -> int | None:
    """Return the port of a slice or subset that has one."""
    ports = owner.views("ports")
    return ports[0].integer("port") if len(ports) == 1 else None


def _of_slice(view: View, port: int | None) -> list[Address]:
    ready = view.view("conditions").flag("ready") is not False
    texts = view.texts("addresses")[:1]  # consumers take the first (discovery.k8s.io Endpoint.addresses)
    return [Address(one.text, port, one.span, ready, view.text("nodeName"), view.text("zone")) for one in texts]


def _of_subset(view: View, subset: View, *, ready: bool) -> Address:
    return Address(view.text("ip") or "", _only_port(subset), view.place("ip"), ready, view.text("nodeName"), None)

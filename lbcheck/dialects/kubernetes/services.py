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


#: Who looks for the endpoints of a Service. kube-proxy sends each new connection to any ready one, all alike (iptables
#: `statistic mode random`).
KUBE_PROXY = "kube-proxy"
INGRESS_NGINX = "ingress-nginx"
OTHERS = "other proxies"
#: Why they do not all find the same.
ALL_TERMINATING = "all its endpoints are terminating: kube-proxy still sends them connections, ingress-nginx does not"
_OTHER_PORT = "its endpoints have no port of the Service's name: kube-proxy sends them nobody, ingress-nginx does"


class Address(NamedTuple):
    """One endpoint's address as an Endpoints or EndpointSlice object has it.

    `port` is None where the Service has several, or the object none that is a number: which one is asked, its Service
    says. `ready` says whether new connections go there.
    """

    text: str
    port: int | None
    span: Span
    ready: bool
    node: str | None
    zone: str | None


class EndpointPort(NamedTuple):
    """A port of an Endpoints or EndpointSlice object."""

    name: str
    protocol: str
    number: int | None


class Endpoint(NamedTuple):
    """An address before anybody has looked for a Service's ports among its own.

    `last` says that it is terminating and still serves.
    """

    address: Address
    ports: tuple[EndpointPort, ...]
    last: bool


class Endpoints:
    """The addresses that objects of the run give to Services.

    kube-proxy finds them by name and protocol of the Service's port (pkg/proxy/endpointslicecache.go
    endpointInfoByServicePort()), and sends connections to endpoints that are terminating and still serve where no other
    is ready (pkg/proxy/topology.go, KEP-1669). ingress-nginx takes the number of targetPort where no name fits, and
    only what is ready (internal/ingress/controller/endpointslices.go getEndpointsFromSlices()).
    """

    __slots__ = ("_found",)

    def __init__(self, cluster: Cluster) -> None:
        self._found: dict[tuple[str, str], list[Endpoint]] = {}
        for one in cluster.all("discovery.k8s.io", "EndpointSlice"):
            found = self._found.setdefault((one.namespace, one.labels.get(SERVICE_NAME, "")), [])
            here = _ports(one.root)
            found += [endpoint for view in one.root.views("endpoints") for endpoint in _of_slice(view, here)]
        for one in cluster.all(CORE, "Endpoints"):
            found = self._found.setdefault((one.namespace, one.name), [])
            for subset in one.root.views("subsets"):
                here = _ports(subset)
                for key, ready in (("addresses", True), ("notReadyAddresses", False)):
                    found += [_of_subset(view, here, ready=ready) for view in subset.views(key) if "ip" in view]

    def __bool__(self) -> bool:
        return bool(self._found)

    def of(self, service: Object, asker: str = KUBE_PROXY) -> list[Address] | None:
        """Return the addresses of a Service as one who looks for them has it; None where no object has any."""
        known = self._found.get((service.namespace, service.name))
        if known is None:
            return None
        found = [(one, *_asked(service, one, asker)) for one in known]
        fall_back = asker == KUBE_PROXY and not any(one.address.ready and there for one, there, _ in found)
        return [
            one.address._replace(port=port, ready=there and (one.address.ready or (fall_back and one.last)))
            for one, there, port in found
        ]

    def disputed(self, service: Object) -> str | None:
        """Return why it depends on who asks where a Service's connections go; None where all agree."""
        if self.of(service, KUBE_PROXY) != self.of(service, OTHERS):
            return ALL_TERMINATING
        return None if self._ready(service, KUBE_PROXY) == self._ready(service, INGRESS_NGINX) else _OTHER_PORT

    def _ready(self, service: Object, asker: str) -> list[Address]:
        return [one for one in self.of(service, asker) or () if one.ready]


def _ports(owner: View) -> tuple[EndpointPort, ...]:
    return tuple(
        EndpointPort(view.text("name") or "", view.text("protocol") or "TCP", view.integer("port"))
        for view in owner.views("ports")
    )


def _asked(service: Object, one: Endpoint, asker: str) -> tuple[bool, int | None]:
    """Return whether an endpoint has a port that one who asks finds, and which; None where it may be one of several.

    A slice without ports, or a Service without them, says nothing about that.
    """
    wanted = ports(service)
    if not wanted or not one.ports or any(port.name is not None and opaque(port.name) for port in wanted):
        return True, one.ports[0].number if len(one.ports) == 1 else None
    numbers = [number for port in wanted for number in _numbers(port, one, asker)]
    if not numbers:
        return False, one.ports[0].number if len(one.ports) == 1 else None
    return True, numbers[0] if len(set(numbers)) == 1 else None


def _numbers(wanted: ServicePort, one: Endpoint, asker: str) -> list[int | None]:
    """Return the numbers of the ports of an endpoint that one who asks for a port of a Service finds."""
    alike = [port for port in one.ports if port.protocol == wanted.protocol]
    loose = asker == INGRESS_NGINX
    found = [port.number for port in alike if port.name == (wanted.name or "") or (loose and not wanted.name)]
    if not found and loose and alike and isinstance(wanted.target, int):
        return [wanted.target]
    return found


def _of_slice(view: View, here: tuple[EndpointPort, ...]) -> list[Endpoint]:
    """Return the endpoint: consumers take the first of its addresses (discovery.k8s.io Endpoint.addresses)."""
    conditions = view.view("conditions")
    ready = conditions.flag("ready") is not False
    last = conditions.flag("terminating") is True and conditions.flag("serving") is True
    texts = view.texts("addresses")[:1]
    return [
        Endpoint(Address(one.text, None, one.span, ready, view.text("nodeName"), view.text("zone")), here, last)
        for one in texts
    ]


def _of_subset(view: View, here: tuple[EndpointPort, ...], *, ready: bool) -> Endpoint:
    address = Address(view.text("ip") or "", None, view.place("ip"), ready, view.text("nodeName"), None)
    return Endpoint(address, here, last=False)

"""What leads where: Services with the pods behind them, as pools of the model, made when something asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.pods import Selection, all_pods
from lbcheck.dialects.kubernetes.probes import readiness
from lbcheck.dialects.kubernetes.services import KUBE_PROXY, Endpoints, external, is_exposed
from lbcheck.model import Address, Algorithm, Pool, Server, Setting
from lbcheck.traffic.algorithms.kubernetes import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.dialects.kubernetes.services import Address as EndpointAddress
    from lbcheck.model import WeightedTarget
    from lbcheck.text import Span

_ONE = Setting(1)
#: With more workloads behind one Service the run holds versions of them, or nobody's config: rules leave it alone.
_MOST = 100
#: What is said of pools whose members this run does not show.
UNSEEN = "no object of this run says which pods are behind it"


class Lead(NamedTuple):
    """A target of a route, with the object that names it and the reference as its kind has it."""

    target: WeightedTarget
    owner: Object
    ref: object


class Behind(NamedTuple):
    """A pool with the Services that it stands for, all versions of one in the run.

    `labels` are those that a subset asks of their pods; None for the Service as a whole. `sure`: they are all that the
    subset will have.
    """

    pool: Pool
    services: Sequence[Object]
    labels: Mapping[str, str] | None = None
    sure: bool = True


class Graph:
    """The cluster, its pods and the pools that stand for Services and their subsets; and who leads to them."""

    __slots__ = ("_among", "_behind", "behind", "cluster", "endpoints", "leads", "pods", "pools", "selection")

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.pods = all_pods(cluster)
        self.selection = Selection(self.pods)
        self.endpoints = Endpoints(cluster)
        self.pools: dict[str, Pool] = {}
        self.behind: list[Behind] = []
        self.leads: list[Lead] = []
        self._among: dict[tuple[int, ...], Selection | None] = {}
        self._behind: dict[int, list[Pods]] = {}

    def judged(self, service: Object) -> list[Pods]:
        """Return what `pods_of` does; none where these are more than a person would keep behind one Service."""
        found = self.pods_of(service)
        return found if len(found) <= _MOST else []

    def pods_of(self, service: Object) -> list[Pods]:
        """Return the workloads whose pods a Service selects."""
        found = self._behind.get(id(service))
        if found is None:
            found = self.selection.matching(service.namespace, service.selector)
            self._behind[id(service)] = found
        return found

    def pool(self, namespace: str, name: str) -> Pool | None:
        """Return the pool of a Service; None where the run has no such Service."""
        key = shown(namespace, name)
        found = self.pools.get(key)
        if found is None:
            services = self.cluster.service(namespace, name)
            if not services:
                return None
            found = self.pools[key] = self._made(
                key, services[0], ambiguous=not all(map(_alike(services[0]), services))
            )
            self.behind.append(Behind(found, services))
        return found

    def _made(self, key: str, service: Object, *, ambiguous: bool) -> Pool:
        servers, why = self._servers(service)
        if ambiguous:
            why = why or f"the run holds several Services {key}"
        local = service.spec.text("externalTrafficPolicy") == "Local" and is_exposed(service)
        affinity = service.spec.text("sessionAffinity")
        options = {"affinity": Setting(affinity)} if affinity == "ClientIP" else {}
        return Pool(
            key,
            service.span,
            servers,
            Algorithm(LOCAL if local else KUBE_PROXY),
            scope=service.namespace,
            protocol="tcp",
            open=why,
            options=options,
        )

    def _servers(self, service: Object) -> tuple[list[Server], str | None]:
        """Return what is behind a Service, and why that is not all."""
        name = external(service)
        if name is not None:
            return [Server(name, _address(name, "name"), service.spec.place("externalName"), _ONE)], None
        addresses = self.endpoints.of(service)
        if addresses:
            return at_addresses(addresses), self.endpoints.disputed(service)
        if not service.selector:
            return [], "it has no selector: something else says what is behind it"
        pods = [one for one in self.pods_of(service) if one.stays]
        return servers_of(pods)

    def _narrowed(self, service: Object, labels: Mapping[str, str]) -> list[Pods]:
        """Return those workloads behind a Service whose pods stay and have certain labels more."""
        selector = service.selector
        if not selector or any(selector.get(key, value) != value for key, value in labels.items()):
            return []
        return [one for one in self.selection.matching(service.namespace, {**selector, **labels}) if one.stays]

    def among(self, services: Sequence[Object]) -> Selection | None:
        """Return the pods behind versions of one Service by their labels.

        None where none was scanned, or a patch may give them labels.
        """
        key = tuple(map(id, services))
        if key not in self._among:
            pods = [one for service in services for one in self.pods_of(service) if one.stays]
            self._among[key] = None if not pods or any(one.owner.patched for one in pods) else Selection(pods)
        return self._among[key]

    def subset(
        self,
        key: str,
        span: Span,
        base: Pool | None,
        labels: Mapping[str, str],
        services: Sequence[Object],
        *,
        sure: bool,
    ) -> Pool:
        """Return the pool of those pods of a Service that have certain labels more (an Istio subset).

        `sure`: the labels are all that the subset will have.
        """
        found = self.pools.get(key)
        if found is None:
            pods = self._narrowed(services[0], labels)
            servers, why = servers_of(pods)
            if base is not None and base.open and not pods:
                why = base.open
            found = self.pools[key] = Pool(
                key, span, servers, Algorithm(KUBE_PROXY), scope=services[0].namespace, protocol="tcp", open=why
            )
            self.behind.append(Behind(found, services, labels, sure))
        return found


def _alike(first: Object) -> Callable[[Object], bool]:
    """Return what says whether another version of a Service leads to the same pods."""
    selector, name = first.selector, external(first)
    return lambda one: one.selector == selector and external(one) == name


def servers_of(pods: list[Pods]) -> tuple[list[Server], str | None]:
    """Return one server for the pods of each workload, and why their number is not known.

    A workload that lies in the run twice, with as many pods, is one.
    """
    if not pods:
        return [], UNSEEN
    why = next((one.why for one in pods if one.replicas is None), None)
    first: dict[tuple[str, str], Pods] = {}
    for one in pods:
        known = first.setdefault((one.owner.kind, one.owner.name), one)
        if _number(known) != _number(one):
            why = why or f"the run holds several versions of {one.owner.kind} {one.owner.name}"
    return [_server(one) for one in first.values() if _number(one) != 0], why


def at_addresses(addresses: Sequence[EndpointAddress]) -> list[Server]:
    """Return a server for each address; out of rotation where no new connections go there."""
    return [
        Server(
            one.text,
            _endpoint(one.text, one.port),
            one.span,
            _ONE,
            disabled=None if one.ready else Setting(True, one.span),
            zone=None if one.node is None else Setting(one.node),
        )
        for one in addresses
    ]


def _number(pods: Pods) -> int | None:
    return None if pods.replicas is None else pods.replicas.value


def _server(pods: Pods) -> Server:
    owner = pods.owner
    check = readiness(pods)
    return Server(
        owner.name,
        _address(f"pods of {owner.kind} {owner.name}", "opaque"),
        owner.span,
        _ONE,
        check=check,
        checked=Setting(check is not None, None if check is None else check.span),
        count=1 if pods.replicas is None else pods.replicas.value,
        options={} if pods.replicas is None or pods.replicas.written else {"default count": Setting(True)},
    )


def _endpoint(host: str, port: int | None) -> Address:
    kind = "ipv6" if ":" in host else "ipv4"
    shown = f"[{host}]" if kind == "ipv6" and port is not None else host
    return Address(shown if port is None else f"{shown}:{port}", kind, host, port)


def _address(text: str, kind: str) -> Address:
    return Address(text, kind, None if kind == "opaque" else text, None)

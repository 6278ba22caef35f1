"""The world around a balancer: the workloads, services and networks among which its servers must exist.

Docker Compose and Kubernetes contribute to it. A name that a config sends requests to is looked up here, and "missing"
is an error only where the scope is known to be complete; a world that is not says so, and rules about what is missing
then stay silent or say that they cannot verify it.

* A workload is what answers: a Compose service's containers, the pods of a Deployment.
* A service is a name under which workloads are reached: a Kubernetes Service, a Compose service with its aliases. The
  Compose service is both, under one name.
* A scope is what names are unique in: a Kubernetes namespace, "" in a Compose project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.text import Span


class Port:
    """A port on which something listens or through which a service is reached.

    `number` is None where it is not known. `target` is the port of the workload that a service's port leads to, a
    number or a name; None where it is the same one. `protocol`: "tcp", "udp" or "sctp". `application` is what the
    config says is spoken on it ("http", "grpc", …), None where it says nothing.
    """

    __slots__ = ("application", "name", "number", "protocol", "span", "target")

    def __init__(
        self,
        number: int | None,
        span: Span,
        *,
        name: str | None = None,
        target: int | str | None = None,
        protocol: str = "tcp",
        application: str | None = None,
    ) -> None:
        self.number = number
        self.span = span
        self.name = name
        self.target = target
        self.protocol = protocol
        self.application = application

    def __repr__(self) -> str:
        return f"Port({self.number!r}, name={self.name!r})"


class Workload:
    """What answers requests: so many alike containers or pods.

    `kind` is the config's own word ("Deployment", "container"). `replicas` is None where it is not known (an autoscaler
    decides, a DaemonSet has one a node). `ports` are those that are said to be listened on; `ports_known` says whether
    that is all of them (Compose's `expose` and Kubernetes' `containerPort` are only information). `networks` are the
    names of those it is attached to. `evictable` are the replicas that a drain of machines may take at the same time,
    None where nothing limits them.
    """

    __slots__ = ("evictable", "kind", "labels", "name", "networks", "ports", "ports_known", "replicas", "scope", "span")

    def __init__(
        self,
        kind: str,
        name: str,
        span: Span,
        *,
        scope: str = "",
        labels: Mapping[str, str] | None = None,
        ports: Sequence[Port] = (),
        ports_known: bool = False,
        replicas: int | None = None,
        networks: Iterable[str] = (),
        evictable: int | None = None,
    ) -> None:
        self.evictable = evictable
        self.kind = kind
        self.name = name
        self.span = span
        self.scope = scope
        self.labels = labels or {}
        self.ports = ports
        self.ports_known = ports_known
        self.replicas = replicas
        self.networks = frozenset(networks)

    def __repr__(self) -> str:
        return f"Workload({self.kind} {self.scope}/{self.name})"


class Service:
    """A name under which workloads are reached.

    `names` are all the host names that mean it within its scope, its own among them (Compose: aliases, container_name,
    hostname). `workloads` are those behind it, None where they are not known (an operator manages them, it is outside).
    `networks` are the names of those on which it is reached; none in a world without networks.
    """

    __slots__ = ("name", "names", "networks", "ports", "scope", "span", "workloads")

    def __init__(
        self,
        name: str,
        span: Span,
        *,
        scope: str = "",
        names: Iterable[str] = (),
        ports: Sequence[Port] = (),
        workloads: Sequence[Workload] | None = None,
        networks: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.span = span
        self.scope = scope
        self.names = frozenset((name, *names))
        self.ports = ports
        self.workloads = workloads
        self.networks = frozenset(networks)

    def __repr__(self) -> str:
        return f"Service({self.scope}/{self.name})"


class Network:
    """A network that services share. `external`: others may be on it too, of whom this config does not know."""

    __slots__ = ("external", "name", "span")

    def __init__(self, name: str, span: Span, *, external: bool = False) -> None:
        self.name = name
        self.span = span
        self.external = external


class World:
    """All of them. `open` says why there may be more than was seen; None: these are all.

    `complete` are the scopes that are known to be complete although the world is open, "*" all of them. `later` gives
    workloads and services when somebody asks for them, where making them takes time that most runs can spare.
    """

    __slots__ = ("_by_name", "_later", "_services", "_workloads", "complete", "networks", "open")

    def __init__(
        self,
        workloads: Sequence[Workload] = (),
        services: Sequence[Service] = (),
        networks: Sequence[Network] = (),
        *,
        open: str | None = None,  # noqa: A002 - the design's word
        complete: Iterable[str] = (),
        later: Callable[[], tuple[Sequence[Workload], Sequence[Service]]] | None = None,
    ) -> None:
        self._workloads = list(workloads)
        self._services = list(services)
        self._later = later
        self.networks = {network.name: network for network in networks}
        self.open = open
        self.complete = frozenset(complete)
        self._by_name: dict[tuple[str, str], list[Service]] | None = None

    @property
    def workloads(self) -> list[Workload]:
        """What answers."""
        self._made()
        return self._workloads

    @property
    def services(self) -> list[Service]:
        """The names under which it is reached."""
        self._made()
        return self._services

    def _made(self) -> None:
        if self._later is not None:
            workloads, services = self._later()
            self._later = None
            self._workloads += workloads
            self._services += services

    def closed(self, scope: str = "") -> bool:
        """Say whether all that exists in the scope was seen."""
        return self.open is None or scope in self.complete or "*" in self.complete

    def named(self, host: str, scope: str = "") -> list[Service]:
        """Return the services that a host name means within a scope, without regard to case; [] where none does."""
        if self._by_name is None:
            self._by_name = {}
            for service in self.services:
                for name in service.names:
                    self._by_name.setdefault((service.scope, name.lower()), []).append(service)
        return self._by_name.get((scope, host.lower()), [])

"""Who sends requests to the pods of a Service, where not all who do so find the same pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import ingress
from lbcheck.dialects.kubernetes.controllers import NGINX, OTHER, Controllers, flag
from lbcheck.dialects.kubernetes.graph import at_addresses
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.services import ALL_TERMINATING, INGRESS_NGINX, KUBE_PROXY, OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.ingress import Backend
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.model import Frontend


class Asking(NamedTuple):
    """A reference to a Service: who looks for its pods, and the Ingress that names it where it is one."""

    asker: str
    ingress: Object | None = None


def settle(graph: Graph, beside: Sequence[Frontend], outside: Sequence[Frontend]) -> None:
    """Give pools the endpoints that all who send requests there find, where others would find others.

    `beside` are the frontends of gateways and meshes, `outside` those of Services that are reached directly.
    """
    by_pool: dict[str, list[Asking]] = {}
    for name, found in _all(graph, beside, outside):
        by_pool.setdefault(name, []).append(found)
    for name, asking in by_pool.items():
        _endpoints(graph, name, {one.asker for one in asking})


def _all(graph: Graph, beside: Sequence[Frontend], outside: Sequence[Frontend]) -> Iterator[tuple[str, Asking]]:
    """Yield all references, by the name of the pool."""
    controllers = Controllers(graph.cluster)
    for one in ingress.ingresses(graph):
        controller = controllers.of(one)
        for back in _backends(one):
            if back.service is not None:
                name = shown(one.namespace, back.service)
                if controller != OTHER:
                    yield name, Asking(_asker(graph, one, back.service), one)
                if controller != NGINX:
                    yield name, Asking(OTHERS, one)
    for frontends, asker in ((beside, OTHERS), (outside, KUBE_PROXY)):
        for frontend in frontends:
            for route in frontend.routes:
                for target in route.targets:
                    if target.pool is not None:
                        yield target.pool.name, Asking(asker)


def _backends(one: Object) -> Iterator[Backend]:
    for path in ingress.paths(one):
        yield path.backend
    view = ingress.default_backend(one)
    if view:
        yield ingress.backend(view, one)


def _asker(graph: Graph, one: Object, service: str) -> str:
    """Return who looks for the pods behind ingress-nginx: kube-proxy where it goes to the Service's own address.

    Source: internal/ingress/controller/controller.go getServiceClusterEndpoint().
    """
    known = graph.cluster.service(one.namespace, service)
    headless = any(service.spec.text("clusterIP") == "None" for service in known)
    return KUBE_PROXY if flag(one, "service-upstream") is True and not headless else INGRESS_NGINX


def _endpoints(graph: Graph, name: str, askers: set[str]) -> None:
    pool = graph.pools.get(name)
    service = graph.cluster.at(pool.span) if pool is not None else None
    if pool is None or service is None or len(askers) != 1 or pool.open is None:
        return
    dispute = graph.endpoints.disputed(service)
    if pool.open == dispute and not (OTHERS in askers and dispute == ALL_TERMINATING):
        pool.servers = at_addresses(graph.endpoints.of(service, next(iter(askers))) or [])
        pool.open = None

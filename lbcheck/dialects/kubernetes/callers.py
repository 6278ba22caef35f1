"""Who sends requests to the pods of a Service, where not all who do so find the same pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingress
from lbcheck.dialects.kubernetes.balancing import Asking, choose
from lbcheck.dialects.kubernetes.controllers import NGINX, Controllers, annotation, class_of, flag, is_canary
from lbcheck.dialects.kubernetes.graph import at_addresses
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.services import ALL_TERMINATING, INGRESS_NGINX, KUBE_PROXY, OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.ingress import Backend
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.findings import NotChecked
    from lbcheck.model import Frontend


def settle(graph: Graph, beside: Sequence[Frontend], outside: Sequence[Frontend], unread: list[NotChecked]) -> None:
    """Give pools the endpoints that all who send requests there find, and the way in which they choose among them.

    `beside` are the frontends of gateways and meshes, `outside` those of Services that are reached directly. What is
    not known is added to `unread`.
    """
    by_pool: dict[str, dict[Asking, None]] = {}
    for name, found in _all(graph, beside, outside):
        by_pool.setdefault(name, {})[found] = None
    for name, asking in by_pool.items():
        _endpoints(graph, name, {one.asker for one in asking})
        if name in graph.pools:
            choose(graph.pools[name], list(asking), unread)


def _all(graph: Graph, beside: Sequence[Frontend], outside: Sequence[Frontend]) -> Iterator[tuple[str, Asking]]:
    """Yield all references, by the name of the pool."""
    controllers = Controllers(graph.cluster)
    objects = ingress.ingresses(graph)
    mains = {path.key: one for one in objects if not is_canary(one) for path in ingress.paths(one)}
    for one in objects:
        controller = controllers.of(one)
        for key, back in _backends(one):
            if back.service is not None:
                name = shown(one.namespace, back.service)
                if controller == NGINX:
                    yield name, Asking(_asker(graph, one, back.service), one, _sticky(one, mains.get(key)))
                else:
                    yield name, Asking(OTHERS)
                if controller is None:
                    yield name, Asking(INGRESS_NGINX)
    for frontends, asker in ((beside, OTHERS), (outside, KUBE_PROXY)):
        for frontend in frontends:
            for route in frontend.routes:
                for target in route.targets:
                    if target.pool is not None:
                        yield target.pool.name, Asking(asker)


def _backends(one: Object) -> Iterator[tuple[tuple[str, str, str, str], Backend]]:
    """Yield the backends of an Ingress with what two Ingresses have in common that claim the same requests."""
    for path in ingress.paths(one):
        yield path.key, path.backend
    view = ingress.default_backend(one)
    if view:
        yield (class_of(one), "", "", ""), ingress.backend(view, one)


def _sticky(one: Object, main: Object | None) -> Object:
    """Return the Ingress that says whether clients of another one stay with their pod.

    Source: internal/ingress/controller/controller.go mergeAlternativeBackend().
    """
    legacy = annotation(one, "affinity-canary-behavior")
    follows = is_canary(one) and (legacy is None or legacy.text != "legacy")
    return main if follows and main is not None else one


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

"""Traefik's own kinds as frontends, one for each IngressRoute, with its routes in the order in which they win.

Traefik takes the pods behind a Service in turn, all alike (pkg/provider/kubernetes/crd of 3.6.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.graph import Lead
from lbcheck.dialects.kubernetes.kinds import TRAEFIK_GROUPS
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.view import integer, opaque
from lbcheck.dialects.traefikrules import conditions, matchers
from lbcheck.dialects.traefikrules.expressions import RuleError
from lbcheck.model import EVERY_REQUEST, Frontend, Route, Setting, WeightedTarget

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Match, Pool
    from lbcheck.text import Span

#: Kinds whose routes lead to Services, by the protocol of their rules.
ROUTES = {"IngressRoute": "http", "IngressRouteTCP": "tcp", "IngressRouteUDP": "udp"}
#: TraefikServices that lead to TraefikServices are followed so far, and to so many pools.
MAX_DEPTH, _MAX_POOLS = 10, 200


class Backend(NamedTuple):
    """A service of a route or TraefikService: what it names, and its weight after the default of 1."""

    kind: str
    namespace: str
    name: str
    port: int | str | None
    weight: Setting[int]
    view: View
    span: Span

    @property
    def is_service(self) -> bool:
        """Whether it names a Service of Kubernetes'."""
        return self.kind == "Service"

    @property
    def shown(self) -> str:
        """What it names, for messages."""
        name = shown(self.namespace, self.name)
        return name if self.is_service else f"{self.kind} {name}"


def backend(view: View, owner: Object) -> Backend:
    """Return a service as it is written, after the API's defaults."""
    port, weight = view.scalar("port"), view.integer("weight")
    return Backend(
        view.text("kind") or "Service",
        view.text("namespace") or owner.namespace,
        (view.text("name") or "").removesuffix("@kubernetescrd"),
        None if port is None else port.text if integer(port) is None else integer(port),
        Setting(1) if weight is None else Setting(max(weight, 0), view.place("weight")),
        view,
        view.place("name"),
    )


def backends(view: View, owner: Object) -> list[Backend]:
    """Return the services of a route, or of a weighted TraefikService."""
    return [backend(one, owner) for one in view.views("services")]


def children(service: Object) -> list[Backend]:
    """Return what a TraefikService leads to, mirrors included."""
    mirroring = service.spec.view("mirroring")
    found = [backend(one, service) for one in ([mirroring] if mirroring else []) + mirroring.views("mirrors")]
    for kind in ("weighted", "highestRandomWeight"):
        found += backends(service.spec.view(kind), service)
    return found


def views(one: Object) -> list[View]:
    """Return the mappings in which an IngressRoute or TraefikService names services."""
    if one.kind != "TraefikService":
        return [view for route in one.spec.views("routes") for view in route.views("services")]
    return [child.view for child in children(one)]


def ingress_routes(cluster: Cluster) -> list[Object]:
    """Return all IngressRoutes, those for TCP and UDP too."""
    return [one for group in TRAEFIK_GROUPS for one in cluster.all(group, *ROUTES)]


def traefik_services(cluster: Cluster) -> list[Object]:
    """Return all TraefikServices."""
    return [one for group in TRAEFIK_GROUPS for one in cluster.all(group, "TraefikService")]


def named(cluster: Cluster, namespace: str, name: str) -> list[Object]:
    """Return the TraefikServices of that name."""
    return [one for group in TRAEFIK_GROUPS for one in cluster.named(group, "TraefikService", namespace, name)]


def syntax(one: Object, route: View) -> str | None:
    """Return the rule syntax of a route; None where it depends on the version: Traefik 2 has the group of old."""
    said = route.text("syntax")
    if said is not None:
        return "v2" if said == "v2" else "v3"
    return "v2" if one.group == "traefik.containo.us" else None


def frontends(graph: Graph) -> list[Frontend]:
    """Return a frontend for each IngressRoute; what several of them do to each other is not looked at."""
    found = []
    for one in ingress_routes(graph.cluster):
        routes = [_route(graph, one, view, at) for at, view in enumerate(one.spec.views("routes"))]
        routes.sort(key=lambda route: (-route[0], -route[1]))
        if routes:
            made = [route for *_, route in routes]
            _note_replaced(made)
            name, options = f"{one.kind} {one.shown}", {"entrance": Setting(_entrance(one))}
            found.append(Frontend(name, one.span, [], made, protocol=ROUTES[one.kind], options=options))
    return found


def _entrance(one: Object) -> str:
    """Return what leads to an IngressRoute: entry points; with `tls` over TLS alone, without in plain text alone."""
    names = repr(sorted(name.text for name in one.spec.texts("entryPoints")))
    return f"{names}, TLS" if one.spec.get("tls") is not None else names


def _note_replaced(routes: list[Route]) -> None:
    """Mark routes of which another one with the same rule takes the name (makeServiceKey())."""
    rules = set()
    for route in routes:
        node = route.span.source.text[route.span.start : route.span.end]
        if node in rules:
            route.options = {**route.options, "replaced": Setting(True)}
        rules.add(node)


def _route(graph: Graph, one: Object, view: View, at: int) -> tuple[int, int, Route]:
    """Return a route with its priority and place. Of two with one rule the last counts (conf.Routers[normalized])."""
    rule = view.text("match") or ""
    match, priority = _match(one, view, rule)
    span = view.place("match")
    label = f"{one.shown}, route {at + 1}"
    if match is None:
        return priority, at, Route(label, span, (), (), "unknown", expression=rule)
    found = targets(graph, one, view)
    if found is None:
        return priority, at, Route(label, span, match, (), "unknown", expression=rule)
    graph.leads += [Lead(target, one, view) for target in found]
    outcome = "pools" if found else "answer"
    options = {} if one.kind == "IngressRouteUDP" else {"priority": Setting(priority)}
    return priority, at, Route(label, span, match, found, outcome, options=options)


def _match(one: Object, view: View, rule: str) -> tuple[Match | None, int]:
    """Return what a rule takes, None where that is not known, and its priority: without one the rule's length."""
    said = view.integer("priority")
    priority = said or len(rule.encode("utf-8", "surrogatepass"))
    protocol = ROUTES[one.kind]
    if protocol == "udp":
        return EVERY_REQUEST, 0
    if opaque(rule):
        return None, priority
    spoken = syntax(one, view) or "v3"
    try:
        expression = matchers.read(rule, protocol, spoken)
    except RuleError:
        return None, priority
    if not said and protocol == "tcp" and rule.strip() == "HostSNI(`*`)":
        priority = -1
    return conditions.match(expression, rule, spoken), priority


def targets(graph: Graph, owner: Object, view: View) -> list[WeightedTarget] | None:
    """Return where the requests of a route go, [] where Traefik answers itself; None where that is not known."""
    found = backends(view, owner)
    if not found or "parentRefs" in owner.spec:
        return None
    if len(found) == 1:
        return _of_backend(graph, found[0], 0)
    return _weighted(graph, found, 0)


def _of_backend(graph: Graph, one: Backend, depth: int) -> list[WeightedTarget] | None:
    if "@" in one.name and not one.is_service:
        return [] if one.name.endswith("@internal") else None
    known = [] if one.is_service else named(graph.cluster, one.namespace, one.name)
    if one.is_service or (not known and one.name and not opaque(one.name)):
        pool = graph.pool(one.namespace, one.name) if one.is_service else None
        return [WeightedTarget(one.shown, one.span, pool, share=1.0)]
    if len(known) != 1 or depth > MAX_DEPTH:
        return None
    service = known[0]
    mirroring = service.spec.view("mirroring")
    if "weighted" in service.spec:
        return _weighted(graph, backends(service.spec.view("weighted"), service), depth + 1)
    if mirroring:
        return _of_backend(graph, backend(mirroring, service), depth + 1)
    return None  # by highest random weight of names that Traefik makes


def _weighted(graph: Graph, services: list[Backend], depth: int) -> list[WeightedTarget] | None:
    """Return the targets of services by weight: weight / sum of weights, over each whole cycle (wrr)."""
    total = sum(one.weight.value for one in services)
    found: list[WeightedTarget] = []
    for one in services:
        part = one.weight.value / total if total else 0.0
        inner = _of_backend(graph, one, depth)
        if not inner or len(found) + len(inner) > _MAX_POOLS:
            return None
        found += [_part(target, one, part, alone=len(inner) == 1) for target in inner]
    return found


def _part(target: WeightedTarget, one: Backend, part: float, *, alone: bool) -> WeightedTarget:
    share = None if target.share is None else target.share * part
    span: Span = one.span if alone else target.span
    pool: Pool | None = target.pool
    return WeightedTarget(target.name, span, pool, one.weight if alone else None, share)

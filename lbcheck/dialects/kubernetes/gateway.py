"""Gateways as frontends, one for each listener, with the rules of the routes that attach to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import conditions, targets
from lbcheck.dialects.kubernetes.attachment import ROUTES, attach, parents
from lbcheck.dialects.kubernetes.durations import gateway_seconds
from lbcheck.dialects.kubernetes.graph import Lead
from lbcheck.dialects.kubernetes.ingress import LONGEST
from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.services import KUBE_PROXY
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.model import Address, Algorithm, Condition, Frontend, Listener, Pool, Route, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.attachment import Parent
    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Match, WeightedTarget
    from lbcheck.text import Span

_ANSWERING = frozenset({"RequestRedirect"})


class Ref(NamedTuple):
    """A backendRef: what it names, in which namespace, and its weight after the default of 1."""

    group: str
    kind: str
    namespace: str
    name: str
    port: int | None
    weight: Setting[int]
    view: View
    span: Span

    @property
    def is_service(self) -> bool:
        """Whether it names a Service."""
        return self.group == CORE and self.kind == "Service"

    @property
    def shown(self) -> str:
        """What it names, for messages."""
        return (
            shown(self.namespace, self.name) if self.is_service else f"{self.kind} {shown(self.namespace, self.name)}"
        )


def ref(view: View, owner: Object) -> Ref:
    """Return a backendRef of a route."""
    weight = view.integer("weight")
    return Ref(
        view.text("group") or CORE,
        view.text("kind") or "Service",
        view.text("namespace") or owner.namespace,
        view.text("name") or "",
        view.integer("port"),
        Setting(1) if weight is None else Setting(max(weight, 0), view.place("weight")),
        view,
        view.place("name"),
    )


def refs(rule: View, owner: Object) -> list[Ref]:
    """Return the backendRefs of a rule."""
    return [ref(view, owner) for view in rule.views("backendRefs")]


def granted(cluster: Cluster, route: Object, ref: Ref) -> bool:
    """Say whether a route may name a backend: of its own namespace, or where a ReferenceGrant of the run allows it."""
    if ref.namespace == route.namespace or "namespace" not in ref.view:
        return True
    if any((one.namespace, one.name) == (ref.namespace, ref.name) for one in parents(route)):
        return True  # a mesh's route for the Service itself, written by one who calls it
    grants = cluster.within(GATEWAY, "ReferenceGrant", ref.namespace)
    return any(one.patched or grants_it(one, route, ref) for one in grants)


def grants_it(grant: Object, route: Object, ref: Ref) -> bool:
    """Say whether a ReferenceGrant allows the route to name the backend."""
    from_it = any(
        (one.text("group") or "") == GATEWAY
        and one.text("kind") == route.kind
        and (one.text("namespace") == route.namespace or opaque(one.text("namespace")))
        for one in grant.spec.views("from")
    )
    return from_it and any(
        (one.text("group") or "") == ref.group and one.text("kind") == ref.kind and one.text("name") in (None, ref.name)
        for one in grant.spec.views("to")
    )


def mirrored(rule: View, owner: Object) -> list[Ref]:
    """Return the backendRefs to which a rule's filters, or those of its backends, send copies of requests.

    One that does not resolve is left out, and requests are served all the same (HTTPRequestMirrorFilter.backendRef).
    """
    holders = [rule, *rule.views("backendRefs")]
    copies = [one.view("requestMirror") for holder in holders for one in holder.views("filters")]
    return [
        ref(one.view("backendRef"), owner) for one in copies if one.view("backendRef") and one.integer("percent") != 0
    ]


def frontends(graph: Graph) -> list[Frontend]:
    """Return a frontend for each listener, and one for each Gateway that routes name and the run does not have."""
    found: dict[tuple[str, str], Frontend] = {}
    routes: dict[tuple[str, str], list[Route]] = {}
    for gateway in graph.cluster.all(GATEWAY, "Gateway"):
        for listener in gateway.spec.views("listeners"):
            key = (gateway.shown, listener.text("name") or "")
            found.setdefault(key, _listener(gateway, listener, routes.setdefault(key, [])))
    for one in graph.cluster.all(GATEWAY, *ROUTES):
        rules = [_route(graph, one, rule, at) for at, rule in enumerate(one.spec.views("rules"))]
        for parent in parents(one):
            for key in _keys(graph, parent):
                if key not in found:
                    found[key] = _unseen(parent, routes.setdefault(key, []))
                routes[key].extend(rules)
    return list(found.values())


def _keys(graph: Graph, parent: Parent) -> list[tuple[str, str]]:
    """Return the listeners that take a route; the Gateway as a whole where it is not in the run or not known."""
    if not parent.is_gateway:
        return [(f"{parent.view.text('kind')} {parent.shown}", "")]
    attached = attach(graph.cluster, parent)
    if attached.listeners:
        return [(gateway.shown, listener.text("name") or "") for gateway, listener in attached.listeners]
    if attached.known:
        return []
    return [(parent.shown, "")]


def _listener(gateway: Object, listener: View, routes: list[Route]) -> Frontend:
    protocol = listener.text("protocol") or "HTTP"
    port = listener.integer("port")
    host = listener.text("hostname")
    span = listener.place("name")
    address = Address(f"*:{port}", "ipv4", "", port)
    return Frontend(
        f"Gateway {gateway.shown}, listener {listener.text('name')}",
        span,
        [Listener(address, span, transport="udp" if protocol == "UDP" else "tcp", tls=protocol in ("HTTPS", "TLS"))],
        routes,
        protocol="http" if protocol.startswith("HTTP") else "udp" if protocol == "UDP" else "tcp",
        order=LONGEST,
        hosts=[host] if host else [],
        options={"class": Setting(gateway.spec.text("gatewayClassName") or "")},
    )


def _unseen(parent: Parent, routes: list[Route]) -> Frontend:
    kind = "Gateway" if parent.is_gateway else parent.view.text("kind") or "parent"
    return Frontend(f"{kind} {parent.shown}", parent.view.place("name"), [], routes, order=LONGEST)


def _route(graph: Graph, owner: Object, rule: View, at: int) -> Route:
    label = f"{owner.kind} {owner.shown}, rule {at + 1}"
    named = refs(rule, owner)
    answers = _answers(rule) or all(_answers(one.view) for one in named)
    found = [_target(graph, owner, one) for one in named]  # a pool that nobody reaches is one all the same
    if not answers:
        found = [_redirect(graph, one, label) or to for one, to in zip(named, found, strict=True)]
    return Route(
        label,
        rule.span,
        match_of(owner, rule),
        [] if answers else _shared(found),
        "answer" if answers else "pools",
        timeouts=gateway_timeouts(rule),
    )


def _answers(holder: View) -> bool:
    """Say whether a filter of a rule or a backendRef answers in place of any server."""
    return any(one.text("type") in _ANSWERING for one in holder.views("filters"))


def _redirect(graph: Graph, one: Ref, label: str) -> WeightedTarget | None:
    """Return the target of a backendRef whose part of the requests is redirected; None where it is not.

    A filter of a backendRef holds for what is forwarded to it and is never skipped (gateway-api apis/v1 HTTPBackendRef,
    HTTPRouteFilter): no server gets these requests, also where an implementation takes no redirect here.
    """
    if not _answers(one.view):
        return None
    name = f"redirect of {label}"
    pool = graph.pools.get(name)
    if pool is None:
        algorithm = Algorithm(KUBE_PROXY)
        pool = graph.pools[name] = Pool(name, one.span, [], algorithm, scope=one.namespace, answers=True)
    return targets.target(name, one.span, pool, one.weight)


def _shared(found: list[WeightedTarget]) -> list[WeightedTarget]:
    """Fill in the shares; where all weights are 0, a lone one too, nobody gets anything (BackendRef.weight)."""
    targets.shared(found)
    if not any(one.weight.value for one in found if one.weight is not None):
        for one in found:
            one.share = 0.0
    return found


def _target(graph: Graph, owner: Object, one: Ref) -> WeightedTarget:
    pool = graph.pool(one.namespace, one.name) if one.is_service else None
    found = targets.target(one.shown, one.span, pool, one.weight)
    graph.leads.append(Lead(found, owner, one))
    return found


def gateway_timeouts(rule: View) -> dict[str, Setting[float]]:
    """Return the timeouts of a rule that are set; zero means none."""
    view = rule.view("timeouts")
    found = {}
    for name in ("request", "backendRequest"):
        seconds = gateway_seconds(view.text(name) or "")
        if seconds:
            found[name] = Setting(seconds, view.place(name))
    return found


def match_of(owner: Object, rule: View) -> Match:
    """Return what requests a rule takes, its route's host names included."""
    names = [one.text for one in owner.spec.texts("hostnames")]
    if owner.kind == "HTTPRoute":
        alternatives = [conditions.gateway_match(one) for one in rule.views("matches")]
    elif owner.kind == "GRPCRoute":
        alternatives = [_grpc(one) for one in rule.views("matches")]
    else:
        alternatives = []
    field = "sni" if owner.kind == "TLSRoute" else "host"
    return conditions.combined(alternatives, [conditions.hosts(names, field)])


def _grpc(view: View) -> list[Condition]:
    method = view.view("method")
    service, name = method.text("service"), method.text("method")
    found = conditions.named(view, "headers", "header")
    if method.text("type") == "RegularExpression":
        return [*found, Condition("opaque", "exact", [f"grpc {service}/{name}"])]
    if service and name:
        return [*found, Condition("path", "exact", [f"/{service}/{name}"])]
    if service:
        return [*found, Condition("path", "prefix", [f"/{service}/"])]
    return [*found, Condition("path", "suffix", [f"/{name}"])] if name else found

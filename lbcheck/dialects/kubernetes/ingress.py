"""Ingresses: what they say of hosts, paths and backends, and the route that a path of one is.

An ingress-nginx canary is no route of its own: it takes a part of the requests of the Ingress it accompanies
(internal/ingress/controller/controller.go mergeAlternativeBackends, rootfs/etc/nginx/lua/balancer.lua).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import targets
from lbcheck.dialects.kubernetes.conditions import prefix
from lbcheck.dialects.kubernetes.controllers import annotation, class_of, oldest
from lbcheck.dialects.kubernetes.graph import Lead
from lbcheck.dialects.kubernetes.kinds import EXTENSIONS, NETWORKING
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.model import Condition, Route, Setting
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Match, WeightedTarget
    from lbcheck.text import Span

#: Paths are compared by kind first, then by length: the order of writing means nothing.
LONGEST = "longest"
#: What stands in place of a Service where a controller of its own serves the requests.
RESOURCE = "a resource backend"
_EXPRESSION = pattern(r"[()\[\]*+?^$|\\]")


class Backend(NamedTuple):
    """A Service that an Ingress names: its name and its port, by number or name, None where it says none."""

    service: str | None
    port: int | str | None
    view: View
    span: Span


class Path(NamedTuple):
    """One path of one host of an Ingress."""

    owner: Object
    host: str
    path: str
    kind: str
    backend: Backend
    span: Span

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What two Ingresses have in common that claim the same requests."""
        return class_of(self.owner), self.host, self.path, self.kind


def backend(view: View, owner: Object) -> Backend:
    """Return a backend of either version of the API, which names a Service by its effective name."""
    service = view.view("service")
    if service:
        port = service.view("port")
        named = port.text("name")
        number = port.integer("number")
        place = service.place("name")
        return Backend(_service(service.text("name"), owner), named if number is None else number, view, place)
    old = view.scalar("servicePort")
    port_old = None if old is None else old.value
    return Backend(
        _service(view.text("serviceName"), owner),
        port_old if isinstance(port_old, (int, str)) else None,
        view,
        view.place("serviceName"),
    )


def _service(name: str | None, owner: Object) -> str | None:
    return None if name is None else owner.linked("Service", name)


def default_backend(one: Object) -> View:
    """Return the backend for what no rule takes."""
    return one.spec.view("defaultBackend") or one.spec.view("backend")


def paths(one: Object) -> list[Path]:
    """Return the paths of an Ingress."""
    return [
        Path(
            one,
            rule.text("host") or "",
            path.text("path") or "/",
            path.text("pathType") or "ImplementationSpecific",
            backend(path.view("backend"), one),
            path.place("path"),
        )
        for rule in one.spec.views("rules")
        for path in rule.view("http").views("paths")
    ]


def ingresses(graph: Graph) -> list[Object]:
    """Return all Ingresses."""
    return graph.cluster.all(NETWORKING, "Ingress") + graph.cluster.all(EXTENSIONS, "Ingress")


class Canary(NamedTuple):
    """What a canary takes: `weight` of `total` requests, None where only headers or cookies decide."""

    weight: Setting[int] | None
    total: int
    by_header: bool


def canary(one: Object) -> Canary:
    """Return what a canary's annotations come to.

    A total of 100 or less is not taken over (internal/ingress/annotations/canary, balancer.lua).
    """
    weight, total = _number(one, "canary-weight"), _number(one, "canary-weight-total")
    by = any(annotation(one, name) is not None for name in ("canary-by-header", "canary-by-cookie"))
    return Canary(weight, total.value if total is not None and total.value > 100 else 100, by)


def _number(one: Object, name: str) -> Setting[int] | None:
    node = annotation(one, name)
    if node is None or not node.text.isdecimal() or len(node.text) > 9:
        return None
    return Setting(int(node.text), node.span)


def targets_of(graph: Graph, one: Object, back: Backend) -> list[WeightedTarget]:
    """Return the one target that a backend of an Ingress is; none where it is no Service."""
    if back.service is None:
        return []
    pool = graph.pool(one.namespace, back.service)
    return _noted(graph, one, back, targets.only(shown(one.namespace, back.service), back.span, pool))


def _noted(graph: Graph, one: Object, back: Backend, found: list[WeightedTarget]) -> list[WeightedTarget]:
    graph.leads += [Lead(target, one, back) for target in found]
    return found


def route(graph: Graph, path: Path, canaries: Sequence[Path], match: Match) -> Route:
    """Return the route of a path, which gives a part to the first of its canaries."""
    found = targets_of(graph, path.owner, path.backend)
    if canaries and found:
        first = first_canary(canaries)
        found = _with_either(graph, found, canaries) if first is None else _with_canary(graph, found, path, first)
    outcome = "pools" if found else "unknown"
    return Route(path.path, path.span, match, found, outcome, expression=None if found else RESOURCE)


def same_backend(path: Path, other: Path) -> bool:
    """Say whether two paths lead to the same port of a Service: a canary that does so is passed over."""
    one, two = path.backend, other.backend
    return (path.owner.namespace, one.service, one.port) == (other.owner.namespace, two.service, two.port)


def first_canary(canaries: Sequence[Path]) -> Path | None:
    """Return the canary of a path that gets its part: the first. None where which is the first is not known.

    Source: rootfs/etc/nginx/lua/balancer.lua route_to_alternative_balancer(), which looks at alternative_backends[1].
    """
    if len({(one.owner.namespace, one.backend.service, one.backend.port, _takes(one)) for one in canaries}) == 1:
        return canaries[0]
    first = oldest(one.owner for one in canaries)
    return next((one for one in canaries if one.owner is first), None)


def _takes(path: Path) -> tuple[int | None, int, tuple[str, ...]]:
    """Return what a canary's annotations say, to be compared."""
    takes = canary(path.owner)
    chosen = tuple(f"{key}: {value}" for key, value in path.owner.annotations.items() if "/canary-by-" in key)
    return None if takes.weight is None else takes.weight.value, takes.total, chosen


def _with_either(graph: Graph, found: list[WeightedTarget], canaries: Sequence[Path]) -> list[WeightedTarget]:
    """Return the targets of a route that gives a part to one of several canaries, nobody knows to which."""
    others = [one for path in canaries for one in targets_of(graph, path.owner, path.backend)]
    by_name = {one.name: targets.target(one.name, one.span, one.pool) for one in (*found, *others)}
    return list(by_name.values())


def _with_canary(graph: Graph, found: list[WeightedTarget], main_path: Path, path: Path) -> list[WeightedTarget]:
    """Return the targets of a route that gives a part to a canary; headers come on top, nobody knows how often."""
    takes = canary(path.owner)
    other = targets_of(graph, path.owner, path.backend)
    if takes.weight is None or not other:
        return found
    part = min(takes.weight.value, takes.total)
    main = targets.target(found[0].name, found[0].span, found[0].pool, Setting(takes.total - part, takes.weight.span))
    aside = targets.target(other[0].name, takes.weight.span or path.span, other[0].pool, takes.weight)
    _noted(graph, main_path.owner, main_path.backend, [main])
    _noted(graph, path.owner, path.backend, [aside])
    shared = targets.shared([main, aside])
    if takes.by_header:
        for one in shared:
            one.share = None
    return shared


def match_of(path: Path, *, nginx: bool, regex: bool) -> Match:
    """Return what requests a path takes. `nginx`: from ingress-nginx; `regex`: which reads expressions on this host.

    Sources: internal/k8s/main.go, where ImplementationSpecific is made Prefix; template.go buildLocation().
    """
    if nginx and regex:
        return ((_expression(path.path),),)
    if path.kind == "Exact":
        return ((Condition("path", "exact", [path.path]),),)
    if path.kind == "Prefix" or nginx:
        return ((prefix(path.path),),)
    op = "regex" if _EXPRESSION.search(path.path) else "prefix"  # other controllers have other ways
    return ((Condition("path", op, [path.path]),),)


def _expression(path: str) -> Condition:
    """Return what `location ~* "^PATH"` takes; a beginning where it has nothing of an expression."""
    cased = path.lower() != path.upper()
    if _EXPRESSION.search(path) or "." in path:
        return Condition("path", "regex", [f"^{path}"], ignore_case=cased)
    return Condition("path", "prefix", [path], ignore_case=cased)

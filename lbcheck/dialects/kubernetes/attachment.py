"""Which listeners of which Gateways a route of the Gateway API attaches to, and why it does not.

Source: gateway-api apis/v1 ParentReference, AllowedRoutes, Listener.Hostname.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY
from lbcheck.dialects.kubernetes.objects import shown

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
#: The kinds of routes that a listener takes by its protocol (Listener.Protocol, AllowedRoutes.Kinds).
_TAKES = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}


class Parent(NamedTuple):
    """One parentRef of a route. `is_gateway` is False for a mesh's Service or another kind."""

    route: Object
    namespace: str
    name: str
    section: str | None
    port: int | None
    is_gateway: bool
    view: View

    @property
    def shown(self) -> str:
        """The Gateway's name in messages."""
        return shown(self.namespace, self.name)


class Attachment(NamedTuple):
    """What came of a parentRef: the listeners that take the route, or `why` none does. `known`: is that for sure."""

    listeners: list[tuple[Object, View]]
    why: str
    known: bool


def parents(route: Object) -> list[Parent]:
    """Return the parentRefs of a route."""
    return [
        Parent(
            route,
            one.text("namespace") or route.namespace,
            one.text("name") or "",
            one.text("sectionName"),
            one.integer("port"),
            (one.text("group") or GATEWAY) == GATEWAY and (one.text("kind") or "Gateway") == "Gateway",
            one,
        )
        for one in route.spec.views("parentRefs")
    ]


def attach(cluster: Cluster, parent: Parent) -> Attachment:
    """Return the listeners to which a parentRef leads. Of several versions of a Gateway any will do."""
    found: Attachment | None = None
    for gateway in cluster.named(GATEWAY, "Gateway", parent.namespace, parent.name):
        found = _to(cluster, parent, gateway)
        if found.listeners:
            return found
    return found or Attachment([], "", known=False)


def _to(cluster: Cluster, parent: Parent, gateway: Object) -> Attachment:
    listeners = gateway.spec.views("listeners")
    if not listeners or gateway.patched:
        return Attachment([], "", known=False)
    # The namespace of a route without one is that of whoever applies it: elsewhere nothing is sure.
    sure = True
    named = [one for one in listeners if parent.section in (None, one.text("name"))]
    if not named:
        known = ", ".join(sorted(one.text("name") or "" for one in listeners))
        # Listeners of a ListenerSet are sections too, but of the set.
        return Attachment([], f"Gateway {parent.shown} has no listener {parent.section}; it has {known}", known=True)
    ported = [one for one in named if parent.port in (None, one.integer("port"))]
    if not ported:
        return Attachment([], f"Gateway {parent.shown} does not listen on port {parent.port}", known=True)
    why = ""
    taken = []
    for one in ported:
        problem, certain = _refusal(cluster, parent.route, gateway, one)
        sure = sure and certain
        if problem:
            why = why or problem
        elif certain:
            taken.append((gateway, one))
    return Attachment(taken, why, known=sure)


def _refusal(cluster: Cluster, route: Object, gateway: Object, listener: View) -> tuple[str, bool]:
    """Return why a listener does not take a route, "" where it does, and whether that is known."""
    name = f"listener {listener.text('name')} of Gateway {gateway.shown}"
    mismatch = _mismatch(route, listener)
    return (f"{name} {mismatch}", True) if mismatch else _by_namespace(cluster, route, gateway, listener, name)


def _mismatch(route: Object, listener: View) -> str:
    """Return in what kind or host name a route and a listener differ, "" where they fit."""
    if not _takes_kind(route, listener):
        return f"takes no {route.kind}"
    listens, asks = listener.text("hostname"), [one.text for one in route.spec.texts("hostnames")]
    if (
        listens
        and asks
        and route.kind in ("HTTPRoute", "GRPCRoute", "TLSRoute")
        and not any(meets(listens, one) for one in asks)
    ):
        return f"is for {listens}, the route for {', '.join(asks[:3])}"
    return ""


def _by_namespace(cluster: Cluster, route: Object, gateway: Object, listener: View, name: str) -> tuple[str, bool]:
    """Judge the route's namespace by the listener's allowedRoutes."""
    allowed = listener.view("allowedRoutes", "namespaces")
    source = allowed.text("from") or "Same"
    if source == "All":
        return "", True
    if source == "Same":
        if route.namespace == gateway.namespace:
            return "", True
        sure = "namespace" in route.meta and "namespace" in gateway.meta
        return f"{name} takes routes of its own namespace {gateway.namespace} only", sure
    if source == "None":
        return f"{name} takes no routes", True
    return _by_selector(cluster, route, name, allowed.view("selector"))


def _takes_kind(route: Object, listener: View) -> bool:
    kinds = listener.view("allowedRoutes").views("kinds")
    if kinds:
        return any(one.text("kind") == route.kind and one.text("group") in (None, GATEWAY) for one in kinds)
    protocol = listener.text("protocol") or ""
    return protocol not in _TAKES or route.kind in _TAKES[protocol]


def meets(listener: str, route: str) -> bool:
    """Say whether a route's host name and a listener's have a host in common; `*.` stands for one or more labels."""
    one, other = listener.lower(), route.lower()
    if one == other:
        return True
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:])
    return other.startswith("*.") and one.endswith(other[1:])


def _by_selector(cluster: Cluster, route: Object, name: str, selector: View) -> tuple[str, bool]:
    """Judge the labels of the route's namespace, where the run has the Namespace."""
    spaces = cluster.named(CORE, "Namespace", "", route.namespace)
    if not spaces or selector.items("matchExpressions"):
        return "", False
    wanted = selector.strings("matchLabels")
    labels = {**spaces[0].labels, "kubernetes.io/metadata.name": route.namespace}
    if wanted.items() <= labels.items():
        return "", True
    missing = ", ".join(f"{key}: {value}" for key, value in wanted.items() if labels.get(key) != value)
    return f"{name} takes namespaces labelled {missing}, and {route.namespace} is not", True

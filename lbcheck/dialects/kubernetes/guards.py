"""Policies that refuse requests or connections before a pod takes them: NetworkPolicies, and Istio's for callers.

Who is let through is not modelled. Where one of them guards pods of a pool, that is counted as not checked.
Sources: networking.k8s.io/v1 NetworkPolicySpec; istio/api security/v1 AuthorizationPolicy, RequestAuthentication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY, GUARDS, ISTIO, NETWORKING, SECURITY
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.pods import Selection
from lbcheck.dialects.kubernetes.visibility import ROOT
from lbcheck.findings import NotChecked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.pods import Pods

_WHAT = {
    "NetworkPolicy": "whose connections a NetworkPolicy lets through to the pods",
    "AuthorizationPolicy": "requests that an AuthorizationPolicy refuses before they reach a pod",
    "RequestAuthentication": "requests whose token a RequestAuthentication refuses",
}
#: Without rules these actions hold for no request, and that of an audit refuses none (AuthorizationPolicy.Action).
_NEEDS_RULES = frozenset({"DENY", "CUSTOM"})


def guards(cluster: Cluster) -> list[Object]:
    """Return all of them that may refuse something."""
    found = cluster.all(NETWORKING, *GUARDS[NETWORKING]) + cluster.all(SECURITY, *GUARDS[SECURITY])
    return [one for one in found if _refuses(one)]


def alone(cluster: Cluster) -> Iterator[NotChecked]:
    """Yield the policies of a run that holds nothing but them: what they guard was not scanned."""
    if all(one.kind in GUARDS.get(one.group, ()) for one in cluster.objects):
        for one in guards(cluster):
            yield NotChecked(one.span, _WHAT[one.kind])


def unmodelled(graph: Graph) -> Iterator[NotChecked]:
    """Yield the policies that guard pods of the pools that were made, or the way to them."""
    found = guards(graph.cluster)
    if not found:
        return
    served = _served(graph)
    selection = Selection(served)
    for one in found:
        if _guards(graph, one, served, selection):
            yield NotChecked(one.span, _WHAT[one.kind])


def _served(graph: Graph) -> list[Pods]:
    """Return the pods behind the Services that have a pool, each once."""
    services = [one for one in graph.cluster.all(CORE, "Service") if shown(one.namespace, one.name) in graph.pools]
    return list({id(pods): pods for one in services for pods in graph.pods_of(one)}.values())


def _refuses(one: Object) -> bool:
    """Say whether a policy may refuse anything."""
    if one.kind == "NetworkPolicy":
        types = [node.text for node in one.spec.texts("policyTypes")]
        everybody = any(not rule.fields for rule in one.spec.views("ingress"))
        return (not types or "Ingress" in types) and not everybody
    rules = [bool(rule.fields) for rule in one.spec.views("jwtRules" if one.kind != "AuthorizationPolicy" else "rules")]
    if one.kind == "RequestAuthentication":
        return bool(rules)
    action = one.spec.text("action") or "ALLOW"
    if action == "AUDIT" or one.annotations.get("istio.io/dry-run") == "true":
        return False
    return bool(rules) if action in _NEEDS_RULES else all(rules)


def _guards(graph: Graph, one: Object, served: list[Pods], selection: Selection) -> bool:
    """Say whether a policy may hold for some of these pods, or for a gateway before them."""
    if one.kind == "NetworkPolicy":
        # Expressions only narrow what the labels select.
        labels = one.spec.view("podSelector").strings("matchLabels")
        return bool(selection.matching(one.namespace, labels) if labels else selection.within(one.namespace))
    targets = [one.spec.view("targetRef"), *one.spec.views("targetRefs")]
    if any(targets):
        return any(_is_here(graph.cluster, one, to.text("kind") or "", to.text("name") or "") for to in targets if to)
    labels = one.spec.view("selector").strings("matchLabels")
    if one.namespace == ROOT:
        return any(labels.items() <= pods.labels.items() for pods in served) or _at_gateway(graph.cluster, labels)
    if selection.matching(one.namespace, labels) if labels else selection.within(one.namespace):
        return True
    return bool(labels) and _at_gateway(graph.cluster, labels)


def _is_here(cluster: Cluster, one: Object, kind: str, name: str) -> bool:
    """Say whether the run has what a policy is attached to."""
    if kind == "GatewayClass":
        return bool(cluster.named(GATEWAY, kind, "", name))
    groups = {"Gateway": GATEWAY, "Service": CORE, "ServiceEntry": ISTIO}
    return kind in groups and bool(cluster.named(groups[kind], kind, one.namespace, name))


def _at_gateway(cluster: Cluster, labels: Mapping[str, str]) -> bool:
    """Say whether a policy with these labels selects the proxies of one of Istio's Gateways."""
    return any(labels.items() <= gateway.spec.strings("selector").items() for gateway in cluster.all(ISTIO, "Gateway"))

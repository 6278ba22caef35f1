"""What objects say that changes who gets which requests, and that the model does not have: counted as not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingressroute
from lbcheck.dialects.kubernetes.istio import destinations
from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY, ISTIO
from lbcheck.findings import NotChecked
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.kubernetes.destination_rules import Rules
    from lbcheck.dialects.kubernetes.istio import Host
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View

_ROUTES = ("HTTPRoute", "GRPCRoute")
#: What asks for the endpoints of the caller's zone (k8s.io/api core/v1 annotation_key_constants.go).
_TOPOLOGY = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")


def unmodelled(cluster: Cluster) -> Iterator[NotChecked]:
    """Yield the places, in no order."""
    for one in cluster.all(ISTIO, "EnvoyFilter"):
        yield NotChecked(one.span, "what an EnvoyFilter changes in the proxies")
    for one in cluster.all(ISTIO, "VirtualService"):
        for rule in one.spec.views("http"):
            if "abort" in rule.view("fault"):
                yield NotChecked(rule.place("fault"), "requests that a fault answers before they reach a pod")
    for one in cluster.all(ISTIO, "DestinationRule"):
        for policy in _policies(one):
            yield from _policy(policy)
    for one in cluster.all(GATEWAY, *_ROUTES):
        for rule in one.spec.views("rules"):
            yield from (
                NotChecked(filtered.place("type"), "what a filter of the implementation's own does (ExtensionRef)")
                for holder in (rule, *rule.views("backendRefs"))
                for filtered in holder.views("filters")
                if filtered.text("type") == "ExtensionRef"
            )
    for one in cluster.all(CORE, "Service"):
        yield from _service(one)
    yield from _traefik(cluster)


def _traefik(cluster: Cluster) -> Iterator[NotChecked]:
    """Yield what of Traefik's kinds gives parts that are not known, or none that are fixed."""
    for one in ingressroute.traefik_services(cluster):
        for kind in ("highestRandomWeight", "failover"):
            if kind in one.spec:
                yield NotChecked(one.spec.place(kind), f"what part of the requests each service of {kind} gets")
    for one in [*ingressroute.ingress_routes(cluster), *ingressroute.traefik_services(cluster)]:
        if "parentRefs" in one.spec:
            yield NotChecked(one.spec.place("parentRefs"), "routes of requests that a parent has taken")
        for view in ingressroute.views(one):
            strategy = view.text("strategy")
            if strategy in ("hrw", "leasttime"):
                yield NotChecked(view.place("strategy"), f"what part of the requests {strategy} gives each pod")


def unseen(rules: Rules) -> Iterator[NotChecked]:
    """Yield what Istio's objects do for some callers alone, or for none."""
    for host, found in rules.hosts():
        if host.namespace is not None:
            yield from _apart(rules, host, found)
    for one in rules.graph.cluster.all(ISTIO, "VirtualService"):
        clients = rules.sight.clients(one)
        if clients == frozenset():
            yield NotChecked(one.span, "a VirtualService that no proxy follows: exportTo, or a Sidecar")
        elif clients is not None:
            yield from _unexported(rules, one, clients)


def _apart(rules: Rules, host: Host, found: Sequence[Object]) -> Iterator[NotChecked]:
    """Yield the destination rules for a Service by whose balancing callers beside it do not go."""
    here = rules.applied(host, host.namespace or "")
    for one in found:
        followers = rules.followers(one, host)
        if one in here or followers == frozenset() or not any("loadBalancer" in policy for policy in _policies(one)):
            continue
        who = "some namespaces" if followers is None else listed(sorted(followers))
        yield NotChecked(one.spec.place("host"), f"a DestinationRule that callers in {who} alone follow")
    chosen = [one.spec for one in here if "trafficPolicy" in one.spec]
    if len(chosen) > 1 and any("loadBalancer" in spec.view("trafficPolicy") for spec in chosen):
        yield NotChecked(chosen[1].place("trafficPolicy"), f"which trafficPolicy for {host.shown} is the oldest")


def _unexported(rules: Rules, one: Object, clients: frozenset[str]) -> Iterator[NotChecked]:
    """Yield the destinations of a virtual service that not all of its callers see."""
    for kind in ("http", "tls", "tcp"):
        for rule in one.spec.views(kind):
            for to in destinations(rule, one):
                lacking = [client for client in sorted(clients) if not rules.visible(to.host, client)]
                if lacking:
                    yield NotChecked(to.span, f"{to.host.shown} is not exported to {listed(lacking)}")


def _policies(rule: Object) -> Iterator[View]:
    """Yield a destination rule's traffic policies: its own, and its subsets'."""
    yield rule.spec.view("trafficPolicy")
    for subset in rule.spec.views("subsets"):
        yield subset.view("trafficPolicy")


def _policy(policy: View) -> Iterator[NotChecked]:
    """Yield what makes shares differ by the caller's place or the port (istio/api destination_rule.proto)."""
    local = policy.view("loadBalancer", "localityLbSetting")
    if local.flag("enabled") is not False:
        for name in ("distribute", "failover", "failoverPriority"):
            if name in local:
                yield NotChecked(local.place(name), f"{name} by locality: where callers and pods are is not known")
    for port in policy.views("portLevelSettings"):
        if "loadBalancer" in port:
            yield NotChecked(port.place("loadBalancer"), "a load balancer for one port alone")


def _service(one: Object) -> Iterator[NotChecked]:
    """Yield what makes kube-proxy choose otherwise than at random among all pods (Service API)."""
    if one.spec.text("sessionAffinity") == "ClientIP":
        yield NotChecked(one.spec.place("sessionAffinity"), "sessionAffinity: how many requests each client sends")
    for name in _TOPOLOGY:
        if one.annotations.get(name, "") not in ("", "disabled", "Disabled"):
            place = one.meta.view("annotations").place(name)
            yield NotChecked(place, f"{name}: where callers and pods are is not known")
    if one.spec.text("internalTrafficPolicy") == "Local" or one.spec.text("trafficDistribution"):
        name = "trafficDistribution" if "trafficDistribution" in one.spec else "internalTrafficPolicy"
        yield NotChecked(one.spec.place(name), f"{name}: where callers and pods are is not known")

"""What Istio's objects name that no scanned object is, or that nobody may see: counted as not checked.

The cluster may hold more than the run shows, so what is missing need not be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.istio import destinations, host_of, lacks_port, mirrors
from lbcheck.dialects.kubernetes.istio_gateways import gateway_name
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.dialects.kubernetes.visibility import ANY, MESH, alike, audience, whole
from lbcheck.findings import NotChecked
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.kubernetes.destination_rules import Rules
    from lbcheck.dialects.kubernetes.istio import Destination, Host
    from lbcheck.dialects.kubernetes.objects import Cluster, Object

#: Hosts of Gateways with more of them are not compared with those of a virtual service.
_MOST = 1000


def unresolved(rules: Rules) -> Iterator[NotChecked]:
    """Yield the destinations, ports, hosts and Gateways of which the run has nothing."""
    cluster = rules.graph.cluster
    for one in cluster.all(ISTIO, "VirtualService"):
        for kind in ("http", "tls", "tcp"):
            for rule in one.spec.views(kind):
                for to in destinations(rule, one):
                    yield from _destination(rules, to, "these requests", anybody=rules.sight.clients(one) is None)
                for to in mirrors(rule, one) if kind == "http" else ():
                    yield from _destination(rules, to, "their copies", anybody=rules.sight.clients(one) is None)
        yield from _gateways(cluster, one)
    for one in cluster.all(ISTIO, "DestinationRule"):
        text = one.spec.text("host") or ""
        host = host_of(text, one)
        if text and not opaque(text) and "*" not in text and not rules.served(host):
            yield NotChecked(one.spec.place("host"), f"what the DestinationRule does: {_missing(host)}")


def _destination(rules: Rules, to: Destination, what: str, *, anybody: bool) -> Iterator[NotChecked]:
    if not to.text or opaque(to.text):
        return
    if not rules.served(to.host):
        yield NotChecked(to.span, f"where {what} end: {_missing(to.host)}")
        return
    port = to.view.view("port")
    if lacks_port(rules.graph, to.host, port.integer("number")):
        reason = f"the Service {to.host.shown} has no port {port.integer('number')}"
        yield NotChecked(port.place("number"), f"where {what} end: {reason}")
    if anybody and to.subset is not None:
        spaces = _only_in(rules, to.host, to.subset)
        if spaces:
            reason = f"only callers in {listed(sorted(spaces))} are shown a DestinationRule with the subset {to.subset}"
            yield NotChecked(to.view.place("subset"), reason)


def _missing(host: Host) -> str:
    if host.namespace is None:
        return f"no ServiceEntry for {host.name} was scanned"
    return f"no Service {host.shown} was scanned"


def _only_in(rules: Rules, host: Host, name: str) -> frozenset[str]:
    """Return the only namespaces that are shown a subset; none where all are, or nobody is."""
    defining = [one for one in rules.of(host) if name in rules.subsets(one)]
    seen = [audience(one) for one in defining]
    return frozenset().union(*(one for one in seen if one is not None)) if None not in seen else frozenset()


def _gateways(cluster: Cluster, one: Object) -> Iterator[NotChecked]:
    """Yield the Gateways of a virtual service that were not scanned, and its hosts that none of its Gateways takes."""
    names = [node for node in one.spec.texts("gateways") if node.text != MESH]
    found: list[Object] = []
    for node in names:
        if opaque(node.text):
            return
        space, name = gateway_name(node.text, one.namespace)
        known = cluster.named(ISTIO, "Gateway", space, name)
        found += known
        if not known:
            yield NotChecked(node.span, f"what the Gateway {space}/{name} lets in: it was not scanned")
    if len(names) != len(one.spec.texts("gateways")) or not names or len(found) < len(names):
        return
    taken = [host.text for other in found for server in other.spec.views("servers") for host in server.texts("hosts")]
    if len(taken) > _MOST:
        yield NotChecked(names[0].span, f"whether its Gateways, with more than {_MOST:,} hosts, take its hosts")
        return
    for node in one.spec.texts("hosts"):
        if not any(_takes(text, node.text, one.namespace) for text in taken):
            yield NotChecked(node.span, f"who sends requests for {node.text}: none of its Gateways takes that host")


def _takes(text: str, host: str, namespace: str) -> bool:
    """Say whether a server's host, perhaps with a namespace before a slash, may take a host of a virtual service."""
    space, slash, name = text.rpartition("/")
    if opaque(text) or opaque(host):
        return True
    return (not slash or space in (ANY, ".", namespace)) and (alike(name, host) or alike(name, whole(host, namespace)))

"""What surely serves nobody, for the shares: Services without endpoints, and references that do not resolve.

The proofs are those of the rules that say so (K01, K03, K04, K11, K15, K16, P02). What such a rule calls an error
serves nobody; of what it cannot verify, nobody knows. A reference that does not resolve keeps its part of the requests:
Gateway API answers them with 500 (gateway-api apis/v1 HTTPRouteRule.backendRefs), Envoy those to a cluster that it does
not have, or to one without endpoints, with 503.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import checks_gateway, checks_ingress, checks_ingressroute, checks_istio
from lbcheck.dialects.kubernetes.checks_services import nameless
from lbcheck.dialects.kubernetes.gateway import Ref
from lbcheck.dialects.kubernetes.ingress import Backend
from lbcheck.dialects.kubernetes.istio import Destination
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.reach import closed
from lbcheck.dialects.kubernetes.services import ports
from lbcheck.dialects.kubernetes.unselected import Unselected, selects
from lbcheck.dialects.kubernetes.view import View
from lbcheck.findings import ERROR, INFO
from lbcheck.model import Unserved
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.dialects.kubernetes.graph import Behind, Graph, Lead
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.model import Config, Pool

#: IngressRoutes that go on without a service that Traefik cannot build.
_GOING_ON = frozenset({"IngressRouteTCP", "IngressRouteUDP"})


def settle(config: Config) -> None:
    """Fill in `Pool.deserted` and `WeightedTarget.unserved`, by what namespaces are complete."""
    graph = tree_of(config).graph
    unselected = Unselected(graph)
    for behind in graph.behind:
        whole = closed(config, behind.pool.scope)
        behind.pool.deserted = _deserted(graph, unselected, behind) if whole else None
    for lead in graph.leads:
        lead.target.unserved = _of_lead(config, lead)


def _deserted(graph: Graph, unselected: Unselected, behind: Behind) -> str | None:
    """Return why a pool of a namespace that is complete has no endpoints; None where it has some, or nobody knows."""
    services = behind.services
    if not all(map(selects, services)):
        return None
    if all(map(unselected.matches_none, services)):
        return f"no workload makes pods with {_labels(services[0].selector)}, so it has no endpoints"
    if all(one.selector and ports(one) and len(nameless(graph, one)) == len(ports(one)) for one in services):
        return f"no pod of it has a port named {ports(services[0])[0].target}, so it has no endpoints"
    if behind.labels is None or not behind.sure:
        return None
    if checks_istio.matches_no_pod(behind.labels, graph.among(services), services[0].namespace):
        return f"no pod of the Service has {_labels(behind.labels)}"
    return None


def _labels(labels: Mapping[str, str]) -> str:
    return listed([f"{key}: {value}" for key, value in labels.items()])


def _of_lead(config: Config, lead: Lead) -> Unserved | None:
    """Return why a target serves nobody; None where nothing speaks against it but its pool."""
    target, owner, ref = lead
    said = None
    service: tuple[str, str, int | str | None] | None = None
    if isinstance(ref, Ref):
        said = checks_gateway.unresolved(config, owner, ref)
        service = (ref.namespace, ref.name, ref.port) if ref.is_service else None
    elif isinstance(ref, Backend):
        said = checks_ingress.unresolved(config, owner, ref)
        service = (owner.namespace, ref.service or "", ref.port)
    elif isinstance(ref, Destination):
        said = checks_istio.unresolved(config, owner, ref)
        port = ref.view.view("port").integer("number")
        service = None if ref.host.namespace is None else (ref.host.namespace, ref.host.name, port)
    elif isinstance(ref, View):
        said = checks_ingressroute.unresolved(config, owner, ref) or _emptied(config, lead, ref)
    if said is not None:
        sure = said[1] == ERROR
        redealt = not sure and owner.kind in _GOING_ON and isinstance(ref, View) and len(ref.views("services")) > 1
        return Unserved(said[0].removeprefix(f"{target.name}: "), sure, redealt)
    return None if service is None else _portless(config, *service)


def _emptied(config: Config, lead: Lead, route: View) -> tuple[str, str] | None:
    """Return which service of several in an IngressRoute's route has no endpoints, and what that may do to the others.

    Unless allowEmptyServices is set, which no manifest says, Traefik then drops the whole route, or for TCP and UDP
    goes on with the others (pkg/provider/kubernetes/crd/kubernetes_http.go, _tcp.go, _udp.go of 3.6.12). Where it is
    set, the part of that service is lost.
    """
    pools = tree_of(config).graph.pools
    several = list(checks_ingressroute.services(config, lead.owner, route))
    going_on = lead.owner.kind in _GOING_ON
    for back in several if len(several) > 1 else ():
        pool = pools.get(shown(back.namespace, back.name))
        if pool is None or back.view.flag("nativeLB") or not _is_empty(pool):
            continue
        if going_on or pool is not lead.target.pool:
            effect = "leaves it out, and the others get its part" if going_on else "drops the whole route"
            return f"{back.shown} has no endpoints: without allowEmptyServices Traefik {effect}", INFO
    return None


def _is_empty(pool: Pool) -> bool:
    return pool.deserted is not None or (pool.open is None and not pool.serving)


def _portless(config: Config, namespace: str, service: str, port: int | str | None) -> Unserved | None:
    """Return why a port of a Service that other ports of it do serve has no endpoints."""
    graph = tree_of(config).graph
    known = graph.cluster.service(namespace, service)
    if not known or not all(_lacks_endpoints(graph, one, port) for one in known):
        return None
    return Unserved(f"no pod has the port to which port {port} of the Service leads", closed(config, namespace))


def _lacks_endpoints(graph: Graph, service: Object, port: int | str | None) -> bool:
    if port is None or not selects(service):
        return False
    asked = [one for one in nameless(graph, service) if port in (one.number, one.name)]
    return bool(asked) and len(asked) == sum(port in (one.number, one.name) for one in ports(service))

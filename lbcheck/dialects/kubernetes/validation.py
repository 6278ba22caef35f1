"""Whether the API server, or the webhook of the kind's controller, would refuse an object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from lbcheck.dialects.kubernetes.kinds import APPS, CORE, GATEWAY, ISTIO, NETWORKING, TRAEFIK_GROUPS
from lbcheck.dialects.kubernetes.shapes import Report
from lbcheck.dialects.kubernetes.view import first_line

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.shapes import Shape
    from lbcheck.findings import Hit

#: Where the shape of each kind is: module and name. A run imports those of the groups that it meets.
_SHAPES: dict[tuple[str, str], tuple[str, str]] = {
    (CORE, "Service"): ("shapes_core", "SERVICE"),
    (NETWORKING, "Ingress"): ("shapes_core", "INGRESS"),
    (APPS, "Deployment"): ("shapes_core", "WORKLOAD"),
    (APPS, "StatefulSet"): ("shapes_core", "WORKLOAD"),
    (APPS, "DaemonSet"): ("shapes_core", "WORKLOAD"),
    (APPS, "ReplicaSet"): ("shapes_core", "WORKLOAD"),
    ("policy", "PodDisruptionBudget"): ("shapes_core", "BUDGET"),
    (GATEWAY, "Gateway"): ("shapes_gateway", "GATEWAY"),
    (GATEWAY, "GatewayClass"): ("shapes_gateway", "GATEWAY_CLASS"),
    (GATEWAY, "HTTPRoute"): ("shapes_gateway", "HTTP_ROUTE"),
    (GATEWAY, "GRPCRoute"): ("shapes_gateway", "GRPC_ROUTE"),
    (GATEWAY, "TCPRoute"): ("shapes_gateway", "STREAM_ROUTE"),
    (GATEWAY, "UDPRoute"): ("shapes_gateway", "STREAM_ROUTE"),
    (GATEWAY, "TLSRoute"): ("shapes_gateway", "TLS_ROUTE"),
    (GATEWAY, "ReferenceGrant"): ("shapes_gateway", "REFERENCE_GRANT"),
    (GATEWAY, "BackendTLSPolicy"): ("shapes_gateway", "BACKEND_TLS_POLICY"),
    (ISTIO, "DestinationRule"): ("shapes_istio", "DESTINATION_RULE"),
    (ISTIO, "VirtualService"): ("shapes_istio", "VIRTUAL_SERVICE"),
    (ISTIO, "Gateway"): ("shapes_istio", "GATEWAY"),
    (ISTIO, "ServiceEntry"): ("shapes_istio", "SERVICE_ENTRY"),
    (ISTIO, "WorkloadEntry"): ("shapes_istio", "WORKLOAD_ENTRY"),
    (ISTIO, "WorkloadGroup"): ("shapes_istio", "WORKLOAD_GROUP"),
    **{
        (group, kind): ("shapes_traefik", shape)
        for group in TRAEFIK_GROUPS
        for kind, shape in (
            ("IngressRoute", "INGRESS_ROUTE"),
            ("IngressRouteTCP", "INGRESS_ROUTE_TCP"),
            ("IngressRouteUDP", "INGRESS_ROUTE_UDP"),
            ("TraefikService", "TRAEFIK_SERVICE"),
        )
    },
}
#: Kinds that mean nothing without a spec. Of the others a file may hold a part, to be merged into an object elsewhere.
_WHOLE = frozenset({GATEWAY, ISTIO})


def judge(one: Object) -> list[Hit]:
    """Return what is wrong with an object, each finding at its place; a patched one is judged by nobody."""
    where = _SHAPES.get((one.group, one.kind))
    if where is None or one.patched or (one.is_a(NETWORKING, "Ingress") and one.version != "v1"):
        return []
    if one.is_a(GATEWAY, "TLSRoute") and one.version == "v1alpha2":
        where = ("shapes_gateway", "TLS_ROUTE_ALPHA")
    shape = cast("Shape", getattr(import_module(f"lbcheck.dialects.kubernetes.{where[0]}"), where[1]))
    report = Report()
    node = one.root.get("spec")
    if node is not None:
        shape.judge(node, "spec", report)
    elif one.group in _WHOLE:
        report.add("E08", one.span if one.name else first_line(one.node), f"{one.kind} has no spec", "write spec:")
    return report.hits

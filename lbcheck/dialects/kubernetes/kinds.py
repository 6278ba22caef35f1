"""The kinds of objects that decide where traffic goes, by API group.

A group is what stands before the slash of `apiVersion`; the core group is "". Versions of a group are read alike.
"""

from __future__ import annotations

CORE = ""
APPS = "apps"
BATCH = "batch"
NETWORKING = "networking.k8s.io"
#: Where Ingress and Deployment lived until Kubernetes 1.16 and 1.22.
EXTENSIONS = "extensions"
GATEWAY = "gateway.networking.k8s.io"
ISTIO = "networking.istio.io"
SECURITY = "security.istio.io"
KUSTOMIZE = "kustomize.config.k8s.io"

#: Traefik's group, and that of version 2.
TRAEFIK_GROUPS = ("traefik.io", "traefik.containo.us")
_TRAEFIK = frozenset({"IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "TraefikService"})

#: Kinds that refuse requests or connections before a pod takes them.
GUARDS: dict[str, frozenset[str]] = {
    NETWORKING: frozenset({"NetworkPolicy"}),
    SECURITY: frozenset({"AuthorizationPolicy", "RequestAuthentication"}),
}

KINDS: dict[str, frozenset[str]] = {
    CORE: frozenset({"Service", "Endpoints", "Pod", "ReplicationController", "Namespace"}),
    APPS: frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}),
    BATCH: frozenset({"Job", "CronJob"}),
    EXTENSIONS: frozenset({"Ingress", "Deployment", "DaemonSet", "ReplicaSet"}),
    NETWORKING: frozenset({"Ingress", "IngressClass"}) | GUARDS[NETWORKING],
    SECURITY: GUARDS[SECURITY],
    "discovery.k8s.io": frozenset({"EndpointSlice"}),
    "policy": frozenset({"PodDisruptionBudget"}),
    "autoscaling": frozenset({"HorizontalPodAutoscaler"}),
    "keda.sh": frozenset({"ScaledObject"}),
    "argoproj.io": frozenset({"Rollout"}),
    GATEWAY: frozenset(
        {
            "Gateway",
            "GatewayClass",
            "HTTPRoute",
            "GRPCRoute",
            "TCPRoute",
            "TLSRoute",
            "UDPRoute",
            "ReferenceGrant",
            "BackendTLSPolicy",
            "ListenerSet",
        }
    ),
    ISTIO: frozenset(
        {
            "VirtualService",
            "DestinationRule",
            "Gateway",
            "ServiceEntry",
            "WorkloadEntry",
            "WorkloadGroup",
            "Sidecar",
            "EnvoyFilter",
        }
    ),
    **dict.fromkeys(TRAEFIK_GROUPS, _TRAEFIK),
}

#: Kinds of other controllers that decide where traffic goes as well. They are not read, and counted as not checked.
UNREAD: dict[str, frozenset[str]] = {
    "split.smi-spec.io": frozenset({"TrafficSplit"}),
    "flagger.app": frozenset({"Canary"}),
    "policy.linkerd.io": frozenset({"HTTPRoute", "GRPCRoute"}),
    "projectcontour.io": frozenset({"HTTPProxy"}),
    "getambassador.io": frozenset({"Mapping", "TCPMapping"}),
    "configuration.konghq.com": frozenset({"TCPIngress", "UDPIngress", "KongUpstreamPolicy"}),
    "k8s.nginx.org": frozenset({"VirtualServer", "VirtualServerRoute", "TransportServer"}),
    "route.openshift.io": frozenset({"Route"}),
    "apisix.apache.org": frozenset({"ApisixRoute", "ApisixUpstream"}),
    "gateway.envoyproxy.io": frozenset({"Backend", "BackendTrafficPolicy", "EnvoyPatchPolicy"}),
}

#: Groups whose other kinds (accounts, roles, volumes, definitions) have nothing to do with traffic.
INERT = frozenset({CORE, "rbac.authorization.k8s.io", "apiextensions.k8s.io", "storage.k8s.io", "scheduling.k8s.io"})

#: Objects that belong to no namespace.
CLUSTER_WIDE = frozenset({"Namespace", "IngressClass", "GatewayClass"})


def group_of(api_version: str) -> str:
    """Return the group of an `apiVersion`: "apps" of "apps/v1", "" of "v1"."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else CORE


def relevant(api_version: str, kind: str) -> bool:
    """Say whether an object of this kind has to do with where traffic goes."""
    return kind in KINDS.get(group_of(api_version), ())


def unread(api_version: str, kind: str) -> bool:
    """Say whether an object of this kind decides where traffic goes, and is of a kind that is not read."""
    return kind in UNREAD.get(group_of(api_version), ())

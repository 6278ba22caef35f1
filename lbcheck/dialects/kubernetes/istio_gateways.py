"""Istio: the servers of Gateways through which requests reach a virtual service.

Sources: istio/api networking/v1 Gateway (Server.hosts, ServerTLSSettings.httpsRedirect); istio/istio
pilot/pkg/networking/core/gateway.go (buildGatewayHTTPRouteConfig: such a server's virtual hosts require TLS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.dialects.kubernetes.visibility import MESH, alike, whole
from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View

#: The protocols of servers that take requests without TLS.
_PLAIN = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})


def gateway_name(text: str, namespace: str) -> tuple[str, str]:
    """Return (namespace, name) of what a virtual service calls a Gateway (istio config/gateway resolveGatewayName)."""
    if "/" in text:
        space, _, name = text.partition("/")
        return (namespace if space == "." else space), name
    name, _, rest = text.partition(".")
    return rest.partition(".")[0] or namespace, name


def entrance(cluster: Cluster, service: Object) -> Setting[str]:
    """Return what requests reach a virtual service through: its gateways, with their ports, hosts and redirects."""
    found: list[object] = [*sorted(name.text for name in service.spec.texts("gateways"))]
    for gateway in _gateways(cluster, service):
        found.append(sorted(gateway.spec.strings("selector").items()))
        found += sorted(map(_words, gateway.spec.views("servers")))
    return Setting(repr(found))


def redirects_all(cluster: Cluster, service: Object) -> bool:
    """Say whether every server that takes a virtual service's hosts surely redirects to HTTPS.

    Then no request that one of its http rules routes reaches a pod. It is not known of Gateways outside the run.
    """
    names = _names(service)
    said = [name.text for name in service.spec.texts("gateways")]
    if not names or not service.sure or MESH in said or any(map(opaque, said)):
        return False
    if not all(cluster.named(ISTIO, "Gateway", *name) for name in names):
        return False
    gateways = list(_gateways(cluster, service))
    servers = [(server, one, redirects(server)) for one in gateways for server in one.spec.views("servers")]
    if not all(one.sure for one in gateways) or not any(redirected for _, _, redirected in servers):
        return False
    if any(_takes(server, one, service) for server, one, redirected in servers if not redirected):
        return False
    return any(_takes(server, one, service) for server, one, redirected in servers if redirected)


def redirects(server: View) -> bool:
    """Say whether a server answers all its requests with a redirect to HTTPS: on one with TLS they have come by it."""
    return server.view("tls").flag("httpsRedirect") is True and _protocol(server) in _PLAIN


def _gateways(cluster: Cluster, service: Object) -> Iterator[Object]:
    """Yield the Gateways of the run that a virtual service names."""
    for name in _names(service):
        yield from cluster.named(ISTIO, "Gateway", *name)


def _names(service: Object) -> list[tuple[str, str]]:
    """Return the namespaces and names of the Gateways that a virtual service names; `mesh` is none of them."""
    return sorted({gateway_name(name.text, service.namespace) for name in service.spec.texts("gateways")})


def _takes(server: View, gateway: Object, service: Object) -> bool:
    """Say whether a server may take a host of a virtual service: `./` and `namespace/` stand before its own hosts."""
    hosts = [whole(name.text, service.namespace) for name in service.spec.texts("hosts")]
    for entry in server.texts("hosts"):
        space, slash, host = entry.text.rpartition("/")
        sees = not slash or space in ("*", service.namespace) or (space, service.namespace) == (".", gateway.namespace)
        if opaque(entry.text) or any(map(opaque, hosts)) or (sees and any(alike(host.lower(), one) for one in hosts)):
            return True
    return False


def _protocol(server: View) -> str:
    return (server.view("port").text("protocol") or "").upper()


def _words(server: View) -> str:
    port, tls = server.view("port"), server.view("tls")
    hosts = sorted(host.text for host in server.texts("hosts"))
    return repr((port.text("number"), port.text("protocol"), hosts, tls.text("mode"), redirects(server)))

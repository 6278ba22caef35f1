"""What the annotations of ingress-nginx say about backends: S04 a hash of nothing, L03 and L04 the wrong protocol.

Other controllers tell the protocol by other means, so only Ingresses of ingress-nginx are judged: by their class, or
where they have its annotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingress
from lbcheck.dialects.kubernetes.controllers import NGINX, Controllers, annotation, flag
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.services import ports
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import INFO, Hit, Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.ingress import Path
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.services import ServicePort
    from lbcheck.model import Config

#: What is spoken to backends, by the annotation backend-protocol.
_PLAIN = frozenset({"HTTP", "GRPC", "FCGI"})
_GRPC_NAME = pattern(r"(?:grpc|h2c)(?:-|\Z)")
_TLS_PORTS = {443: None, 6443: None, 8443: INFO}
_PLAIN_PORTS = {80: None, 8080: INFO}


def _ours(config: Config) -> Iterator[Object]:
    controllers = Controllers(tree_of(config).cluster)
    for one in ingress.ingresses(tree_of(config).graph):
        if not one.patched and not one.wrong and controllers.of(one) == NGINX:
            yield one


def hash_key_constant(config: Config, _context: Context) -> Iterator[Hit]:
    """S04: `upstream-hash-by` without a variable: every request has the same hash, and one pod gets them all."""
    for one in _ours(config):
        key = annotation(one, "upstream-hash-by")
        if key is None or not key.text or "$" in key.text or opaque(key.text):
            continue
        backends = [path.backend.service for path in ingress.paths(one) if path.backend.service]
        pool = shown(one.namespace, backends[0]) if backends else one.shown
        args = {"pool": pool, "what": f"text {key.text}", "reason": "the same for every request"}
        yield Hit("S04", key.span, args, pool=pool)


def _backends(config: Config, one: Object) -> Iterator[tuple[Path, ServicePort, Object]]:
    """Yield the paths of an Ingress with the port of the Service to which they lead, each port once."""
    told = set()
    for path in ingress.paths(one):
        back = path.backend
        for service in tree_of(config).cluster.service(one.namespace, back.service or "")[:1]:
            found = next((port for port in ports(service) if back.port in (port.number, port.name)), None)
            if found is not None and (service.name, found.number) not in told:
                told.add((service.name, found.number))
                yield path, found, service


def _protocol(one: Object) -> tuple[str, bool]:
    """Return what ingress-nginx speaks to the backends of an Ingress, and whether it does not look into it at all."""
    node = annotation(one, "backend-protocol")
    said = "HTTP" if node is None else node.text.upper()
    return said, flag(one, "ssl-passthrough") is True or opaque(said)


def scheme_port_mismatch(config: Config, _context: Context) -> Iterator[Hit]:
    """L03: plain HTTP to a port that is called https or is 443, or TLS to one that is called http or is 80."""
    for one in _ours(config):
        said, passed = _protocol(one)
        if passed:
            continue
        plain = said in _PLAIN
        odd = _TLS_PORTS if plain else _PLAIN_PORTS
        name = "https" if plain else "http"
        for path, port, service in _backends(config, one):
            named = port.name == name or (port.application or "").lower() == name
            if port.application and not named:
                continue
            if not named and (port.number not in odd or port.name in ("http", "https")):
                continue
            args = {
                "pool": shown(one.namespace, service.name),
                "scheme": "plain HTTP" if plain else "TLS",
                "port": f"{port.number} ({port.name})" if port.name else port.number,
                "effect": "a server that wants TLS answers 400" if plain else "the handshake fails with a plain server",
                "advice": f"write backend-protocol: {'HTTPS' if plain else 'HTTP'}, or lead to the other port",
            }
            yield Hit(
                "L03",
                path.backend.span,
                args,
                severity=None if named else odd.get(port.number or 0),
                related=[Related(port.span, f"port {port.number} of Service {service.name}")],
                pool=args["pool"] if isinstance(args["pool"], str) else None,
                route=path.path,
            )


def grpc_without_h2(config: Config, _context: Context) -> Iterator[Hit]:
    """L04: a port that says it speaks gRPC, reached by HTTP/1."""
    for one in _ours(config):
        said, passed = _protocol(one)
        if passed or said not in ("HTTP", "HTTPS"):
            continue
        for path, port, service in _backends(config, one):
            application = (port.application or "").lower()
            evidence = f"appProtocol {port.application}" if application in ("grpc", "kubernetes.io/h2c") else ""
            if not evidence and not port.application and port.name and _GRPC_NAME.match(port.name):
                evidence = f"the name {port.name}"
            if not evidence:
                continue
            pool = shown(one.namespace, service.name)
            args = {
                "pool": pool,
                "evidence": evidence,
                "speaks": f"HTTP/1 ({said})",
                "advice": f"write the annotation backend-protocol: GRPC{'S' if said == 'HTTPS' else ''}",
            }
            yield Hit(
                "L04",
                path.backend.span,
                args,
                related=[Related(port.span, f"port {port.number} of Service {service.name}")],
                pool=pool,
                route=path.path,
            )

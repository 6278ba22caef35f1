"""IngressRoutes and TraefikServices: K04 Services that are not there, or have no such port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingressroute
from lbcheck.dialects.kubernetes.checks_ingress import judged
from lbcheck.dialects.kubernetes.kinds import TRAEFIK_GROUPS
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.reach import closed, scan
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import ERROR, INFO, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.kubernetes.ingressroute import Backend
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config

#: What Traefik does where a Service is not what it should be (crd/kubernetes_http.go, _tcp.go, _udp.go).
_EFFECTS = {
    "IngressRoute": ": Traefik drops the whole route, and its requests end in 404",
    "IngressRouteTCP": ": Traefik leaves it out, and without another service the route's connections are closed",
    "IngressRouteUDP": ": Traefik leaves it out, and without another service the route's packets are lost",
    "TraefikService": ": Traefik does not build it, and what its routes take ends in 404",
}


def backend_missing(config: Config) -> Iterator[Hit]:
    """K04: a route or TraefikService leads to a Service, or to a port of one, that is not there."""
    cluster = tree_of(config).cluster
    for one in ingressroute.ingress_routes(cluster):
        for view in one.spec.views("routes"):
            path = (view.text("match") or "everything")[:60]
            yield from _each(config, one, path, ingressroute.backends(view, one))
    for one in ingressroute.traefik_services(cluster):
        yield from _each(config, one, "a part", ingressroute.children(one))


def unresolved(config: Config, one: Object, route: View) -> tuple[str, str] | None:
    """Return why Traefik does not build a route of an IngressRoute, and how sure that is; None where it may.

    Without one of its services an HTTP route is dropped as a whole. Those of TCP and UDP go on with the others.
    """
    backends = ingressroute.backends(route, one)
    found = list(_broken(config, one, backends))
    if one.kind != "IngressRoute" and len(found) < len(backends):
        return next(((said, INFO) for said, _ in found), None)
    return min(found, key=lambda said: said[1] != ERROR, default=None)


def services(config: Config, one: Object, route: View) -> Iterator[Backend]:
    """Yield the Services to which a route of an IngressRoute leads, through TraefikServices too."""
    yield from (back for _, back in _reached(config, one, ingressroute.backends(route, one), 0) if back.is_service)


def _broken(config: Config, one: Object, backends: list[Backend]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with backends, and with those of the TraefikServices among them."""
    for owner, back in _reached(config, one, backends, 0):
        said = _missing(config, owner, back)
        if said is not None:
            yield f"{back.shown}: {said[0]}", said[2]


def _reached(config: Config, one: Object, backends: list[Backend], depth: int) -> Iterator[tuple[Object, Backend]]:
    """Yield the backends that can be judged, and those of the TraefikServices among them, each with who names it."""
    if one.patched or one.opaque:
        return
    for back in backends:
        if not back.name or "@" in back.name or opaque(back.name) or opaque(back.namespace):
            continue
        yield one, back
        known = () if back.is_service else ingressroute.named(tree_of(config).cluster, back.namespace, back.name)
        if len(known) == 1 and depth < ingressroute.MAX_DEPTH:
            yield from _reached(config, known[0], ingressroute.children(known[0]), depth + 1)


def _each(config: Config, one: Object, path: str, backends: list[Backend]) -> Iterator[Hit]:
    if one.patched or one.opaque:
        return
    for back in backends:
        if not back.name or "@" in back.name or opaque(back.name) or opaque(back.namespace):
            continue
        said = _missing(config, one, back)
        if said is not None:
            found, advice, severity = said
            args = {
                "ingress": f"{one.kind} {one.shown}",
                "path": path,
                "backend": back.shown,
                "found": found,
                "advice": advice,
            }
            yield Hit("K04", back.span, args, severity=severity, pool=back.shown, route=path)


def _missing(config: Config, one: Object, back: Backend) -> tuple[str, str, str] | None:
    """Return what is wrong with a service, what to write, and how bad it is."""
    effect = _EFFECTS[one.kind]
    if back.is_service and back.port is None:
        # the API server refuses that in the other kinds (E08)
        refused = one.kind in ("IngressRouteTCP", "IngressRouteUDP")
        return None if refused else (f"names no port{effect}", "write port: with one of the Service's ports", ERROR)
    if back.is_service:
        return judged(config, one, (back.namespace, back.name), back.port, effect)
    tree = tree_of(config)
    if ingressroute.named(tree.cluster, back.namespace, back.name):
        return None
    if not closed(config, back.namespace):
        return "no such TraefikService was scanned", scan(back.namespace), INFO
    guesses = [tree.meant(back.name, group, "TraefikService", back.namespace) for group in TRAEFIK_GROUPS]
    guess = next(filter(None, guesses), None)
    advice = f"did you mean {guess}?" if guess else "define it, or name one that exists"
    return "there is no such TraefikService: its requests end in 404", advice, ERROR

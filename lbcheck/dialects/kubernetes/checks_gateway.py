"""Routes of the Gateway API: K11 backends that answer 500, K12 routes that attach to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import gateway
from lbcheck.dialects.kubernetes.attachment import ROUTES, attach, parents
from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.reach import closed, missing_service, scan, surely_one
from lbcheck.dialects.kubernetes.services import external, has_port, ports
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import ERROR, INFO, WARNING, Hit
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.attachment import Parent
    from lbcheck.dialects.kubernetes.gateway import Ref
    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config

#: Kinds whose requests get an answer where no route takes them.
_HTTP = ("HTTPRoute", "GRPCRoute")
#: (what was found, what to do, how bad it is)
_Verdict = tuple[str, str, str]


def routes(config: Config) -> Iterator[Object]:
    """Yield the routes that can be judged."""
    for one in tree_of(config).cluster.all(GATEWAY, *ROUTES):
        if not one.patched and not one.wrong and not one.opaque:
            yield one


def backend_invalid(config: Config, _context: Context) -> Iterator[Hit]:
    """K11: a backendRef that does not resolve. Its part of the requests, by weight, is answered with 500.

    Copies of requests that a mirror sends to one are dropped, which no client sees: a warning.
    Source: gateway-api apis/v1 HTTPRouteRule.backendRefs, HTTPRequestMirrorFilter, ReferenceGrant.
    """
    for one in routes(config):
        for rule in one.spec.views("rules"):
            refs = gateway.refs(rule, one)
            for ref in refs:
                verdict = _verdict(config, one, ref)
                if verdict is not None:
                    yield _hit(one, ref, refs, *verdict)
            for ref in gateway.mirrored(rule, one):
                verdict = _verdict(config, one, ref)
                if verdict is not None:
                    yield _copies(one, ref, *verdict)


def unresolved(config: Config, route: Object, ref: Ref) -> tuple[str, str] | None:
    """Return why a backendRef does not resolve, and how sure that is (ERROR: certain); None where it may."""
    if not route.sure:
        return None
    verdict = _verdict(config, route, ref)
    if verdict is None:
        return None
    found, _, severity = verdict
    return found + (": its requests get 500" if severity == ERROR and route.kind in _HTTP else ""), severity


def _verdict(config: Config, route: Object, ref: Ref) -> _Verdict | None:
    if opaque(ref.name) or opaque(ref.namespace) or (ref.is_service and not ref.name):
        return None
    if ref.group == CORE and ref.kind != "Service":
        return f"a {ref.kind} is no backend", "name a Service", ERROR
    refused = _ungranted(config, route, ref)
    return refused or (_service(config, route, ref) if ref.is_service else None)


def _service(config: Config, route: Object, ref: Ref) -> _Verdict | None:
    cluster = tree_of(config).cluster
    known = cluster.service(ref.namespace, ref.name)
    if not known:
        return missing_service(config, ref.namespace, ref.name)
    if any(one.patched or one.wrong for one in known):
        return None
    if all(external(one) is not None for one in known):
        advice = "name the host where its requests go in the gateway's own way"
        return "it is an ExternalName, which implementations may refuse", advice, WARNING
    if ref.port is not None and not any(has_port(one, ref.port) or not ports(one) for one in known):
        have = listed([str(port.number) for port in ports(known[0])])
        sure = any(surely_one(config, route, one) for one in known)
        advice = f"write port: {ports(known[0])[0].number}"
        return f"the Service has no port {ref.port}, only {have}", advice, ERROR if sure else INFO
    return None


def _ungranted(config: Config, route: Object, ref: Ref) -> _Verdict | None:
    """Return the verdict on a backend in another namespace, which has to allow it."""
    cluster = tree_of(config).cluster
    if gateway.granted(cluster, route, ref):
        return None
    found = f"no ReferenceGrant of namespace {ref.namespace} allows {route.kind}s of {route.namespace} to name it"
    advice = f"write a ReferenceGrant in {ref.namespace}: from {route.kind} of {route.namespace}, to {ref.kind}"
    here = "namespace" in route.meta
    sure = here and (closed(config, ref.namespace) or bool(cluster.within(GATEWAY, "ReferenceGrant", ref.namespace)))
    if sure:
        return found, advice, ERROR
    return f"{found}, as far as was scanned", advice, INFO


def _hit(one: Object, ref: Ref, refs: Sequence[Ref], found: str, advice: str, severity: str) -> Hit:
    total = sum(other.weight.value for other in refs)
    part = ref.weight.value / total if total else 0.0
    effect = "" if severity == INFO else f": {percent(part)} of the rule's requests end in 500" if part else ""
    args = {
        "route": f"{one.kind} {one.shown}",
        "backend": ref.shown,
        "found": found + (effect if one.kind in _HTTP else ""),
        "advice": advice,
    }
    return Hit("K11", ref.span, args, severity=severity, pool=ref.shown, route=one.shown)


def _copies(one: Object, ref: Ref, found: str, advice: str, severity: str) -> Hit:
    args = {
        "route": f"{one.kind} {one.shown}",
        "backend": ref.shown,
        "found": found + (": the copies that its mirror sends there are dropped" if severity == ERROR else ""),
        "advice": advice,
    }
    kept = WARNING if severity == ERROR else severity
    return Hit("K11", ref.span, args, severity=kept, pool=ref.shown, route=one.shown)


def not_attached(config: Config, _context: Context) -> Iterator[Hit]:
    """K12: no listener takes a route, so that its requests get 404."""
    for one in routes(config):
        named = parents(one)
        rest = any(_may_hold(tree_of(config).cluster, parent) for parent in named)
        for parent in named:
            hit = _unattached(config, one, parent, rest=rest) if parent.is_gateway and not opaque(parent.name) else None
            if hit is not None:
                yield hit


def _unattached(config: Config, one: Object, parent: Parent, *, rest: bool) -> Hit | None:
    cluster = tree_of(config).cluster
    known = cluster.named(GATEWAY, "Gateway", parent.namespace, parent.name)
    span = parent.view.place("sectionName" if parent.section else "name")
    args = {"route": f"{one.kind} {one.shown}", "gateway": parent.shown}
    if not known:
        if closed(config, parent.namespace):
            guess = tree_of(config).meant(parent.name, GATEWAY, "Gateway", parent.namespace)
            args |= {
                "found": f"there is no Gateway {parent.shown}: {_lost(one, rest=False)}",
                "advice": f"did you mean {guess}?" if guess else "define it, or name one that exists",
            }
            return Hit("K12", span, args, severity=ERROR, route=one.shown)
        args |= {"found": f"no Gateway {parent.shown} was scanned", "advice": scan(parent.namespace)}
        return Hit("K12", span, args, severity=INFO, route=one.shown)
    attached = attach(cluster, parent)
    if attached.listeners or not attached.known or any(gate.wrong or gate.opaque for gate in known):
        return None
    severity = WARNING if rest else ERROR
    if not any(surely_one(config, one, gate) for gate in known):
        severity = INFO
    args |= {
        "found": f"{attached.why}: {_lost(one, rest=rest)}",
        "advice": f"name a listener that takes it, or change that of Gateway {shown(parent.namespace, parent.name)}",
    }
    return Hit("K12", span, args, severity=severity, route=one.shown)


def _lost(route: Object, *, rest: bool) -> str:
    """Return what becomes of a route's traffic at a Gateway that does not take it. `rest`: others may take it."""
    if route.kind in _HTTP:
        return "requests that come there get 404" if rest else "its requests get 404"
    return "it gets no traffic from there" if rest else "it gets no traffic"


def _may_hold(cluster: Cluster, parent: Parent) -> bool:
    """Say whether a parent takes its route, or that is not known."""
    if not parent.is_gateway:
        return True
    attached = attach(cluster, parent)
    return bool(attached.listeners) or not attached.known


def listener_without_route(config: Config, _context: Context) -> Iterator[Hit]:
    """R10: a listener to which no route attaches, where all routes that may attach to it were scanned."""
    cluster = tree_of(config).cluster
    taken: set[tuple[str, str, str | None]] = set()
    unsure: set[tuple[str, str]] = set()
    for one in cluster.all(GATEWAY, *ROUTES):
        for parent in parents(one):
            attached = attach(cluster, parent)
            taken.update((gate.namespace, gate.name, view.text("name")) for gate, view in attached.listeners)
            if not attached.listeners and (not attached.known or one.wrong or one.patched or one.opaque):
                unsure.add((parent.namespace, parent.name))
    sets = {one.spec.view("parentRef").text("name") for one in cluster.all(GATEWAY, "ListenerSet")}
    for gateway_ in cluster.all(GATEWAY, "Gateway"):
        key = (gateway_.namespace, gateway_.name)
        if gateway_.wrong or gateway_.patched or gateway_.opaque or key in unsure or gateway_.name in sets:
            continue
        for listener in gateway_.spec.views("listeners"):
            if (*key, listener.text("name")) not in taken and _all_seen(config, gateway_, listener):
                args = {
                    "what": f"listener {listener.text('name')} of Gateway {gateway_.shown}",
                    "effect": f"port {listener.text('port')} answers 404 to every request",
                    "advice": "attach a route, or delete the listener",
                }
                yield Hit("R10", listener.place("name"), args, frontend=gateway_.shown)


def _all_seen(config: Config, owner: Object, listener: View) -> bool:
    """Say whether every route that may attach to a listener was scanned."""
    source = listener.view("allowedRoutes", "namespaces").text("from") or "Same"
    return closed(config, owner.namespace) if source in ("Same", "None") else closed(config, "*")

"""Ingresses: K04 backends that are not there, K13 canaries that get nothing or something else than they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingress
from lbcheck.dialects.kubernetes.controllers import annotation, is_canary
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.reach import closed, missing_service, scan, surely_one
from lbcheck.dialects.kubernetes.services import has_port, ports
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import ERROR, INFO, WARNING, Hit, Related
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.ingress import Backend, Path
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.model import Config

#: The AWS load balancer controller takes such a port's name for an action written in an annotation.
_BY_ANNOTATION = "use-annotation"


def backend_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """K04: an Ingress sends requests to a Service that is not there, or to a port that the Service does not have."""
    told: set[tuple[str, str | None, object]] = set()
    for one in ingress.ingresses(tree_of(config).graph):
        if one.patched or one.opaque:
            continue
        found = [(path.path, path.backend) for path in ingress.paths(one)]
        view = ingress.default_backend(one)
        if view:
            found.append(("what no rule takes", ingress.backend(view, one)))
        for path, back in found:
            key = (one.shown, back.service, back.port)
            hit = _missing(config, one, path, back)
            if hit is not None and key not in told:
                told.add(key)
                yield hit


def unresolved(config: Config, one: Object, back: Backend) -> tuple[str, str] | None:
    """Return why a backend of an Ingress is not there, and how sure that is (ERROR: certain); None where it may be."""
    said = None if one.patched or one.opaque else _verdict(config, one, back)
    return None if said is None else (said[0], said[2])


def _verdict(config: Config, one: Object, back: Backend) -> tuple[str, str, str] | None:
    if back.service is None or opaque(back.service) or back.port == _BY_ANNOTATION:
        return None
    return judged(config, one, (one.namespace, back.service), back.port, ": its requests end in 503")


def _missing(config: Config, one: Object, path: str, back: Backend) -> Hit | None:
    said = _verdict(config, one, back)
    if said is None or back.service is None:
        return None
    hit = _backend_hit(one, path, back, *said)
    known = tree_of(config).cluster.service(one.namespace, back.service)
    if known:
        hit.related = [Related(known[0].span, f"Service {back.service} has {_ports(known[0])}")]
    return hit


def judged(
    config: Config, one: Object, service: tuple[str, str], port: int | str | None, effect: str
) -> tuple[str, str, str] | None:
    """Return what is wrong with a Service (namespace, name) that an object sends requests to, or with its port.

    Then what to write, and how bad it is; None where nothing is. `effect` is said where it is certain.
    """
    known = tree_of(config).cluster.service(*service)
    if not known:
        found, advice, severity = missing_service(config, *service)
        return found + (effect if severity == ERROR else ""), advice, severity
    if port is None or (isinstance(port, str) and opaque(port)) or any(other.patched or other.wrong for other in known):
        return None
    if any(has_port(other, port) or not ports(other) or _takes_any(other, port) for other in known):
        return None
    sure = any(surely_one(config, one, other) for other in known)
    found = f"the Service has no port {port}, only {_ports(known[0])}" + (effect if sure else "")
    advice = f"write port {ports(known[0])[0].number}, or give the Service that port"
    return found, advice, ERROR if sure else INFO


def _ports(service: Object) -> str:
    return listed([_port(number, name) for number, name, *_ in ports(service)])


def _takes_any(service: Object, port: int | str) -> bool:
    """Say whether a number need not be among a Service's ports: of an ExternalName the controller decides.

    ingress-nginx connects to that number on the external host (internal/ingress/controller externalNamePorts()),
    Traefik's Ingress provider takes the Service's own ports alone (pkg/provider/kubernetes/ingress loadService()).
    """
    return isinstance(port, int) and service.spec.text("type") == "ExternalName"


def _port(number: int | None, name: str | None) -> str:
    return f"{number} ({name})" if name else f"{number}"


def _backend_hit(one: Object, path: str, back: Backend, found: str, advice: str, severity: str) -> Hit:
    name = shown(one.namespace, back.service or "")
    args = {"ingress": f"Ingress {one.shown}", "path": path, "backend": name, "found": found, "advice": advice}
    return Hit("K04", back.span, args, severity=severity, pool=name, route=path)


def canary_invalid(config: Config, _context: Context) -> Iterator[Hit]:
    """K13: a canary of ingress-nginx that gets no traffic, or not the part that its annotations seem to say.

    Source: internal/ingress/controller/controller.go mergeAlternativeBackends, which joins a canary to the path of the
    same host, path and kind; balancer.lua route_to_alternative_balancer.
    """
    graph = tree_of(config).graph
    plain: dict[str, list[Path]] = {}
    canaries: dict[tuple[str, str, str], list[Path]] = {}
    for one in ingress.ingresses(graph):
        for path in ingress.paths(one):
            if is_canary(one):
                canaries.setdefault((path.host, path.path, path.kind), []).append(path)
            else:
                plain.setdefault(path.host, []).append(path)
    for found in canaries.values():
        path = found[0]
        if path.owner.patched or opaque(path.host) or opaque(path.path):
            continue
        problem = _unaccompanied(config, path, plain.get(path.host, []))
        if problem is not None:
            yield problem
        others = {other.owner.shown: other for other in found[1:] if other.owner.shown != path.owner.shown}
        for other in others.values():
            yield _canary_hit(
                other,
                f"{path.owner.shown} is a canary for {_shown(other)} too, and only one is applied",
                "join them, or give each its own path",
                WARNING,
                path,
            )
    for one in ingress.ingresses(graph):
        if is_canary(one) and not one.patched:
            yield from _annotations(one)


def _shown(path: Path) -> str:
    return f"{path.host or '*'}{path.path}"


def _unaccompanied(config: Config, path: Path, plain: list[Path]) -> Hit | None:
    """Return the finding for a canary without an Ingress that it could take traffic from."""
    mains = [other for other in plain if (other.path, other.kind) == (path.path, path.kind)]
    if mains:
        if all(ingress.same_backend(main, path) for main in mains):
            problem = f"it sends {_shown(path)} to the Service that the main Ingress sends it to, and is ignored"
            return _canary_hit(path, problem, "name the Service of the new version", ERROR, mains[0])
        return None
    if any(opaque(other.path) for other in plain):
        return None
    if plain:
        have = listed(sorted({f"{other.path} ({other.kind})" for other in plain}))
        problem = f"no Ingress has {_shown(path)} ({path.kind}), only {have}: the canary is ignored"
        sure = closed(config, path.owner.namespace)
        return _canary_hit(
            path, problem, "write the path and pathType of the main Ingress", ERROR if sure else WARNING, plain[0]
        )
    if closed(config, path.owner.namespace):
        problem = f"no Ingress serves {_shown(path)} besides it, so the canary is ignored"
        return _canary_hit(path, problem, "write the host, path and pathType of the main Ingress", ERROR)
    problem = f"no Ingress that was scanned serves {_shown(path)} besides it"
    return _canary_hit(path, problem, scan(path.owner.namespace), INFO)


def _canary_hit(path: Path, problem: str, advice: str, severity: str, other: Path | None = None) -> Hit:
    related = [] if other is None else [Related(other.span, f"Ingress {other.owner.shown}")]
    args = {"ingress": path.owner.shown, "problem": problem, "advice": advice}
    return Hit("K13", path.span, args, severity=severity, related=related)


def _annotations(one: Object) -> Iterator[Hit]:
    """Judge a canary's weight: none at all, beyond the total, of a total that does not count."""
    takes = ingress.canary(one)
    weight = annotation(one, "canary-weight")
    if weight is None and not takes.by_header:
        mark = annotation(one, "canary")
        advice = "write canary-weight, canary-by-header or canary-by-cookie"
        problem = "it says neither a weight nor a header or cookie, so it gets no traffic"
        if mark is not None:
            yield Hit("K13", mark.span, {"ingress": one.shown, "problem": problem, "advice": advice}, severity=ERROR)
        return
    total = annotation(one, "canary-weight-total")
    if takes.weight is None or takes.weight.span is None:
        return
    value = takes.weight.value
    if total is not None and total.text.isdecimal() and int(total.text[:9]) < 100:
        meant = int(total.text[:9])
        problem = (
            f"canary-weight-total {meant} is not above 100 and does not count: the canary gets "
            f"{percent(min(value, 100) / 100)}, not {percent(min(value / meant, 1) if meant else 0)}"
        )
        advice = f"write canary-weight: {round(100 * value / meant) if meant else value} and no total"
        yield Hit("K13", total.span, {"ingress": one.shown, "problem": problem, "advice": advice}, severity=WARNING)
    elif value > takes.total:
        problem = f"canary-weight {value} is more than its total {takes.total}: the canary gets all traffic"
        advice = "write a weight up to the total"
        args = {"ingress": one.shown, "problem": problem, "advice": advice}
        yield Hit("K13", takes.weight.span, args, severity=WARNING)

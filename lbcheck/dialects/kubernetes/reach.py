"""Which Services requests are sent to, by whom, and what a run knows of the places where it sees nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import gateway, ingress, ingressroute, istio
from lbcheck.dialects.kubernetes.attachment import ROUTES
from lbcheck.dialects.kubernetes.kinds import CORE, GATEWAY, ISTIO
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.objects import DEFAULT_NAMESPACE
from lbcheck.dialects.kubernetes.services import is_exposed
from lbcheck.findings import ERROR, INFO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.kubernetes.ingressroute import Backend
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.model import Config
    from lbcheck.text import Span

#: What to do about a finding that says that something cannot be verified.
SCAN = "scan its manifests too; where they are all here, --complete-namespace {namespace} makes this an error"


class Use(NamedTuple):
    """One reference to a Service: from where, and through which of its ports."""

    owner: Object
    namespace: str
    name: str
    port: int | str | None
    span: Span


def closed(config: Config, namespace: str) -> bool:
    """Say whether every object of a namespace is in the run."""
    return config.world is not None and config.world.closed(namespace)


def scan(namespace: str) -> str:
    """Return the advice where something cannot be verified."""
    return SCAN.format(namespace=namespace)


def missing_service(config: Config, namespace: str, name: str) -> tuple[str, str, str]:
    """Return what is said of a Service that was not scanned, what to do, and how bad it is."""
    tree = tree_of(config)
    renamed = tree.renamed(namespace, name)
    if renamed is not None:
        found = f"the kustomization makes it {renamed}: kustomize 5.5 leaves this reference as it is"
        return found, f"see what your kustomize prints, or write {renamed}", INFO  # later ones may follow it
    guess = tree.meant(name, CORE, "Service", namespace)
    advice = f"did you mean {guess}?" if guess else "define it, or name one that exists"
    if closed(config, namespace):
        return "there is no such Service", advice, ERROR
    return "no such Service was scanned", advice if guess else scan(namespace), INFO


def beside(one: Object, other: Object) -> bool:
    """Say whether two objects are kept together: in one folder and namespace, as one application is."""
    if one.namespace != other.namespace:
        return False
    here, there = one.source, other.source
    return here is there or os.path.dirname(here.path) == os.path.dirname(there.path)


def surely_one(config: Config, one: Object, other: Object) -> bool:
    """Say whether a name that one object writes is surely the other: not where neither says its namespace.

    Examples and environments in folders of their own are applied with `kubectl -n`, each to a namespace of its own.
    """
    if beside(one, other) or closed(config, other.namespace):
        return True
    return _placed(one) and _placed(other)


def _placed(one: Object) -> bool:
    return "namespace" in one.meta or one.namespace != DEFAULT_NAMESPACE


def uses(config: Config) -> list[Use]:
    """Return all references to Services, those of Services that are reached from outside to themselves among them."""
    return [
        *_of_ingresses(config),
        *_of_routes(config),
        *_of_virtual_services(config),
        *_of_traefik(config),
        *_of_exposed(config),
    ]


def _of_ingresses(config: Config) -> Iterator[Use]:
    for one in ingress.ingresses(tree_of(config).graph):
        backends = [path.backend for path in ingress.paths(one)]
        view = ingress.default_backend(one)
        for back in [*backends, *([ingress.backend(view, one)] if view else [])]:
            if back.service is not None:
                yield Use(one, one.namespace, back.service, back.port, back.span)


def _of_routes(config: Config) -> Iterator[Use]:
    cluster = tree_of(config).cluster
    for one in cluster.all(GATEWAY, *ROUTES):
        for rule in one.spec.views("rules"):
            for ref in gateway.refs(rule, one):
                if ref.is_service and gateway.granted(cluster, one, ref):
                    yield Use(one, ref.namespace, ref.name, ref.port, ref.span)


def _of_virtual_services(config: Config) -> Iterator[Use]:
    sight = tree_of(config).rules.sight
    for one in tree_of(config).cluster.all(ISTIO, "VirtualService"):
        if sight.clients(one) == frozenset():
            continue
        for kind in ("http", "tls", "tcp"):
            for rule in one.spec.views(kind):
                for to in istio.destinations(rule, one):
                    if to.host.namespace is not None:
                        port = to.view.view("port").integer("number")
                        yield Use(one, to.host.namespace, to.host.name, port, to.span)


def _of_traefik(config: Config) -> Iterator[Use]:
    cluster = tree_of(config).cluster
    for one in ingressroute.ingress_routes(cluster):
        for view in one.spec.views("routes"):
            yield from _of_backends(one, ingressroute.backends(view, one))
    for one in ingressroute.traefik_services(cluster):
        yield from _of_backends(one, ingressroute.children(one))


def _of_backends(owner: Object, backends: Iterable[Backend]) -> Iterator[Use]:
    for back in backends:
        if back.is_service and back.name:
            yield Use(owner, back.namespace, back.name, back.port, back.span)


def _of_exposed(config: Config) -> Iterator[Use]:
    for one in tree_of(config).cluster.all(CORE, "Service"):
        if is_exposed(one):
            yield Use(one, one.namespace, one.name, None, one.span)


def routed(config: Config) -> dict[tuple[str, str], list[Use]]:
    """Return who sends requests to each Service, by (namespace, name)."""
    found: dict[tuple[str, str], list[Use]] = {}
    for use in uses(config):
        found.setdefault((use.namespace, use.name), []).append(use)
    return found

"""Services and the pods behind them: K01 selectors, K02 too many workloads, K03 ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.reach import beside, closed, scan
from lbcheck.dialects.kubernetes.services import ports
from lbcheck.dialects.kubernetes.unselected import Unselected, selects
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import ERROR, INFO, WARNING, Edit, Fix, Hit, Related
from lbcheck.spelling import distance
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.dialects.kubernetes.services import ServicePort
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config

#: Labels in which the versions of one application differ.
_VERSION_LABELS = frozenset(
    {
        "version",
        "track",
        "color",
        "colour",
        "release",
        "canary",
        "slot",
        "stage",
        "variant",
        "revision",
        "app.kubernetes.io/version",
        "app.kubernetes.io/instance",
        "istio.io/rev",
    }
)
#: Probes of a container, and how they ask a port of it.
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_ASKED = ("httpGet", "tcpSocket", "grpc")
#: So many edits from a label that exists, a value is taken for a slip.
_SLIP = 2


def services(config: Config) -> list[tuple[Object, dict[str, str]]]:
    """Return the Services that select pods, with their selectors; those that nobody can judge are left out."""
    return [(one, one.selector) for one in tree_of(config).cluster.all(CORE, "Service") if selects(one)]


def selector_no_match(config: Config, context: Context) -> Iterator[Hit]:
    """K01: no workload makes pods with the labels that a Service selects, so it has no endpoints.

    In a namespace of which not all is known, an error only beside a workload that has part of the labels, or nearly
    them; labels that are only there at run time (a leader's, a stateful pod's name) are never judged.
    """
    unselected = Unselected(tree_of(config).graph)
    for one, selector in context.once(config, services):
        if not unselected.matches_none(one):
            continue
        whole = closed(config, one.namespace)
        meant = _meant(one, selector, unselected.space(one.namespace).candidates(one))
        if meant is None and not whole:
            yield _no_match(one, selector, INFO, "no workload that is here has these labels", scan(one.namespace))
            continue
        found = "no workload makes pods with these labels, so it has no endpoints"
        hit = _no_match(one, selector, ERROR, found, "write the labels of the pods that it is for")
        if meant is not None:
            _guess(hit, one, selector, *meant)
        yield hit


def _no_match(one: Object, selector: Mapping[str, str], severity: str, found: str, advice: str) -> Hit:
    args = {
        "service": one.shown,
        "selector": listed([f"{key}: {value}" for key, value in selector.items()]),
        "found": found,
        "advice": advice,
    }
    return Hit("K01", one.spec.place("selector"), args, severity=severity, pool=one.shown)


def _meant(service: Object, selector: Mapping[str, str], there: Sequence[Pods]) -> tuple[Pods, dict[str, str]] | None:
    """Return the workload that a selector surely means and misses, with the labels it should have had.

    It has the Service's name and lies beside it, or its labels are those of the selector but for a slip in writing.
    """
    for pods in there:
        wrong = {key: pods.labels[key] for key, value in selector.items() if pods.labels.get(key, value) != value}
        missing = [key for key in selector if key not in pods.labels]
        namesake = pods.owner.name == service.name and pods.stays and beside(service, pods.owner)
        slipped = not missing and all(_slip(selector[key], value) for key, value in wrong.items())
        renamed = not wrong and len(missing) == 1 < len(selector) and any(_slip(missing[0], key) for key in pods.labels)
        if namesake or slipped or renamed:
            return pods, wrong
    return None


def _slip(one: str, other: str) -> bool:
    """Say whether two words differ by a slip of the pen; short ones (v1, v2) differ on purpose."""
    return (
        min(len(one), len(other)) > 3
        and distance(one, other, _SLIP) <= _SLIP
        and one[-1:].isdigit() == other[-1:].isdigit()
    )


def _guess(hit: Hit, one: Object, selector: Mapping[str, str], pods: Pods, wrong: Mapping[str, str]) -> None:
    """Say what was probably meant, and offer it where it is one value."""
    owner = pods.owner
    labels = listed([f"{key}: {value}" for key, value in pods.labels.items()])
    hit.args = {**hit.args, "advice": f"did you mean the pods of {owner.kind} {owner.name}, which have {labels}?"}
    hit.related = [Related(owner.span, f"{owner.kind} {owner.name}")]
    if len(wrong) == 1:
        key, value = next(iter(wrong.items()))
        node = one.spec.view("selector").scalar(key)
        if node is not None and node.span.text == selector[key]:
            hit.fix = Fix(f"select {key}: {value}", [Edit(node.span, value)])


def selector_too_broad(config: Config, context: Context) -> Iterator[Hit]:
    """K02: a Service selects the pods of several workloads, of which some do not serve its port.

    Versions of one application that differ in a version's label and have the same ports are a split by replicas, and
    said at info. A headless Service lists its members on purpose; so does one that has subsets in Istio.
    """
    tree = tree_of(config)
    for one, selector in context.once(config, services):
        if one.spec.text("clusterIP") == "None" or _has_subsets(config, one):
            continue
        found = [pods for pods in tree.graph.judged(one) if beside(one, pods.owner) and not pods.owner.patched]
        names = {(pods.owner.kind, pods.owner.name) for pods in found}
        if len(names) < 2 or len(names) < len(found):
            continue
        strangers = [pods for pods in found if not pods.stays or not _serves(pods, ports(one))]
        versions = not strangers and _versions(found)
        if not strangers and not versions:
            continue
        odd = strangers[0] if strangers else found[-1]
        args = {
            "service": one.shown,
            "selector": listed([f"{key}: {value}" for key, value in selector.items()]),
            "workloads": listed([f"{pods.owner.kind} {pods.owner.name}" for pods in found]),
            "effect": f"{odd.owner.kind} {odd.owner.name} does not serve its port and gets {_part([odd], found)}"
            if strangers
            else f"{odd.owner.kind} {odd.owner.name} gets {_part([odd], found)}, as many pods as it has",
        }
        yield Hit(
            "K02",
            one.spec.place("selector"),
            args,
            severity=WARNING if strangers else INFO,
            related=[Related(pods.owner.span, f"{pods.owner.kind} {pods.owner.name}") for pods in found],
            pool=one.shown,
        )


def _has_subsets(config: Config, service: Object) -> bool:
    rules = tree_of(config).rules
    return any(host.namespace == service.namespace and host.name == service.name for host, _ in rules.hosts())


def _serves(pods: Pods, wanted: Sequence[ServicePort]) -> bool:
    """Say whether pods may listen on one of a Service's ports: a container that declares none may on any."""
    if any(not container.views("ports") for container in pods.containers):
        return True
    declared = {port.integer("containerPort") for port in pods.ports()} | {port.text("name") for port in pods.ports()}
    return any(port.target is None or port.target in declared for port in wanted)


def _versions(found: Sequence[Pods]) -> bool:
    """Say whether workloads differ in labels of versions alone."""
    first = found[0].labels
    differing = {key for pods in found[1:] for key in {*first, *pods.labels} if first.get(key) != pods.labels.get(key)}
    return bool(differing) and differing <= _VERSION_LABELS


def _part(some: Sequence[Pods], found: Sequence[Pods]) -> str:
    """Return what part of the pods some are, as far as that is known."""
    if any(pods.replicas is None for pods in found):
        return "a part of its traffic"
    total = sum(pods.replicas.value for pods in found if pods.replicas is not None)
    own = sum(pods.replicas.value for pods in some if pods.replicas is not None)
    return f"{percent(own / total)} of its traffic" if total else "a part of its traffic"


def target_port_mismatch(config: Config, context: Context) -> Iterator[Hit]:
    """K03: the port to which a Service sends is none of the pods'.

    A name that no container port has makes no endpoint at all (endpointslice utils.go FindPort). A number need not be
    declared; where every container declares its ports, one that is missing among them is probably wrong. Where another
    port of the Service is among them, the list may well be short (istiod's is): info. A port that the pods' own probes
    ask is one on which they listen.
    """
    graph = tree_of(config).graph
    for one, _ in context.once(config, services):
        found = _beside(graph, one)
        unnamed = nameless(graph, one)
        partly = any(_declared(pods, port) for port in ports(one) for pods in found)
        for port in ports(one) if found else ():
            if port in unnamed:
                yield _mismatch(one, port, found, ERROR)
            elif isinstance(port.target, int) and not any(_numbered(pods, port.target) for pods in found):
                yield _mismatch(one, port, found, INFO if partly else WARNING)


def nameless(graph: Graph, one: Object) -> list[ServicePort]:
    """Return the ports of a Service that name a port that none of its pods has, so that they have no endpoints."""
    behind = graph.judged(one) if _beside(graph, one) else []
    return [
        port
        for port in (ports(one) if behind else ())
        if isinstance(port.target, str) and not any(_named(pods, port) for pods in behind)
    ]


def _beside(graph: Graph, one: Object) -> list[Pods]:
    """Return the pods that lie beside their Service; none where what their containers are is not known."""
    behind = graph.judged(one)
    if any(pods.owner.patched or not pods.containers for pods in behind):
        return []
    return [pods for pods in behind if pods.stays and beside(one, pods.owner)]


def _declared(pods: Pods, port: ServicePort) -> bool:
    """Say whether a container of the pods declares the port to which a Service sends."""
    return any(port.target in (declared.text("name"), declared.integer("containerPort")) for declared in pods.ports())


def _named(pods: Pods, port: ServicePort) -> bool:
    return any(
        declared.text("name") == port.target and (declared.text("protocol") or "TCP") == port.protocol
        for declared in pods.ports()
    ) or any(opaque(declared.text("name")) for declared in pods.ports())


def _numbered(pods: Pods, number: int) -> bool:
    """Say whether pods may listen on a port: one of theirs or of their probes, or nobody says which theirs are."""
    for container in pods.containers:
        declared = container.views("ports")
        if not declared or any(port.integer("containerPort") in (number, None) for port in declared):
            return True
        if any(container.view(probe, how).integer("port") == number for probe in _PROBES for how in _ASKED):
            return True
    return False


def _mismatch(one: Object, port: ServicePort, found: Sequence[Pods], severity: str) -> Hit:
    declared = [_shown(view) for view in found[0].ports()]
    owner = found[0].owner
    refused = "connections to it are refused, unless a container listens there without saying so"
    effect = "this port has no endpoints" if severity == ERROR else refused
    args = {
        "service": one.shown,
        "port": port.number,
        "target": port.target,
        "workload": f"{owner.kind} {owner.name}",
        "declared": listed(declared) if declared else "no ports",
        "effect": effect,
    }
    return Hit(
        "K03",
        port.span,
        args,
        severity=severity,
        related=[Related(owner.span, f"{owner.kind} {owner.name}")],
        pool=one.shown,
    )


def _shown(declared: View) -> str:
    """Return a container's port as people know it: its name and number."""
    name, number = declared.text("name"), declared.text("containerPort")
    return f"{name} ({number})" if name else str(number)

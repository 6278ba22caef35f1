"""Istio: virtual services as frontends, the hosts that their destinations mean, and what destination rules say of them.

Short names are taken in the namespace of the object that has them (pkg/config/model ResolveShortnameToFQDN: a name
with a dot is whole).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import conditions, istio_gateways, targets
from lbcheck.dialects.kubernetes.durations import go_seconds
from lbcheck.dialects.kubernetes.graph import Lead
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.objects import shown
from lbcheck.dialects.kubernetes.services import has_port, ports
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.model import EVERY_REQUEST, Algorithm, Condition, Frontend, Retry, Route, Setting
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.destination_rules import Rules
    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Match, WeightedTarget
    from lbcheck.text import Span

_IN_CLUSTER = pattern(r"(?P<name>[^.*]+)\.(?P<space>[^.*]+)\.svc(?:\..*)?\Z")
_DEFAULT_WORDS = frozenset({"connect-failure", "refused-stream"})
#: Istio's default since 1.14 (istio/istio LEAST_REQUEST).
DEFAULT_POLICY = "LEAST_REQUEST"


class Host(NamedTuple):
    """What a host means: a Service of a namespace, or (namespace None) a name outside, perhaps a service entry's."""

    namespace: str | None
    name: str

    @property
    def shown(self) -> str:
        """The host in messages."""
        return self.name if self.namespace is None else shown(self.namespace, self.name)

    @property
    def whole(self) -> str:
        """The host with its domain."""
        return self.name if self.namespace is None else f"{self.name}.{self.namespace}.svc.cluster.local"


def host_of(text: str, owner: Object) -> Host:
    """Return what a host means in an object."""
    if "." not in text and text != "*":
        return Host(owner.namespace, text)
    found = _IN_CLUSTER.match(text)
    return Host(found["space"], found["name"]) if found else Host(None, text.lower())


class Destination(NamedTuple):
    """One destination of a rule. `weight` None: not written."""

    host: Host
    text: str
    subset: str | None
    weight: int | None
    view: View
    entry: View

    @property
    def span(self) -> Span:
        """Where the host is written."""
        return self.view.place("host")


def destinations(rule: View, owner: Object) -> list[Destination]:
    """Return the destinations of an http, tls or tcp rule."""
    found = []
    for entry in rule.views("route"):
        view = entry.view("destination")
        text = view.text("host") or ""
        found.append(Destination(host_of(text, owner), text, view.text("subset"), entry.integer("weight"), view, entry))
    return found


def mirrors(rule: View, owner: Object) -> list[Destination]:
    """Return where copies of a rule's requests go; where 0 % are copied, none do.

    Nobody waits for the answers, and Envoy drops what it would send to a cluster that it does not have
    (istio/istio pilot/pkg/networking/core/route/route.go applyHTTPRouteDestination; Envoy's
    source/common/router/shadow_writer_impl.cc).
    """
    found = [(rule.view("mirror"), rule, _percentage(rule))] if rule.view("mirror") else []
    found += [(one.view("destination"), one, one.view("percentage").integer("value")) for one in rule.views("mirrors")]
    copied = [(view, entry, view.text("host") or "") for view, entry, percentage in found if percentage != 0]
    return [Destination(host_of(text, owner), text, view.text("subset"), None, view, one) for view, one, text in copied]


def _percentage(rule: View) -> int | None:
    """Return the whole per cent of a rule's requests that its `mirror` gets, by the new name or else by the old one."""
    return (
        rule.view("mirrorPercentage").integer("value") if "mirrorPercentage" in rule else rule.integer("mirrorPercent")
    )


def lacks_port(graph: Graph, host: Host, port: int | None) -> bool:
    """Say whether a Service of the run surely has no such port: Istio then makes no cluster for it, and answers 503."""
    if host.namespace is None or port is None:
        return False
    known = graph.cluster.service(host.namespace, host.name)
    if not known or any(one.patched or one.wrong or not ports(one) for one in known):
        return False
    return not any(has_port(one, port) for one in known)


def algorithm(balancer: View) -> Algorithm:
    """Return what a loadBalancer setting chooses."""
    hashed = balancer.view("consistentHash")
    if hashed:
        name = "MAGLEV" if "maglev" in hashed else "RING_HASH"
        field = next((one for one in hashed.fields if one not in ("minimumRingSize", "ringHash", "maglev")), "")
        return Algorithm(
            name, balancer.span, key=Setting(field, hashed.place(field)) if field else None, consistent=True
        )
    simple = balancer.text("simple")
    return Algorithm(DEFAULT_POLICY if simple in (None, "UNSPECIFIED") else simple or "", balancer.span)


def frontends(graph: Graph, rules: Rules) -> list[Frontend]:
    """Return a frontend for each virtual service that anybody sees; the first rule that matches wins."""
    found = []
    for one in graph.cluster.all(ISTIO, "VirtualService"):
        if rules.sight.clients(one) == frozenset():
            continue
        routes = []
        redirected = istio_gateways.redirects_all(graph.cluster, one)
        for kind in ("http", "tls", "tcp"):
            made = _answer if redirected and kind == "http" else _route
            routes += [made(rules, one, kind, rule, at) for at, rule in enumerate(one.spec.views(kind))]
        names = [name.text for name in one.spec.texts("hosts")]
        several = sum(kind in one.spec for kind in ("http", "tls", "tcp")) > 1  # each has an order of its own
        found.append(
            Frontend(
                f"VirtualService {one.shown}",
                one.span,
                [],
                routes,
                protocol="http" if "http" in one.spec else "tcp",
                hosts=[] if "*" in names else names,
                options={
                    "entrance": istio_gateways.entrance(graph.cluster, one),
                    **({"several protocols": Setting(True)} if several else {}),
                },
            )
        )
    return found


def _answer(rules: Rules, owner: Object, kind: str, rule: View, at: int) -> Route:
    """Return a rule none of whose requests reaches a pod: the Gateways' servers redirect them all before."""
    _targets(rules, destinations(rule, owner), owner)  # a pool that nobody reaches is one all the same
    return Route(_label(kind, rule, at), rule.span, _match(kind, rule), outcome="answer")


def _label(kind: str, rule: View, at: int) -> str:
    return rule.text("name") or f"{kind} rule {at + 1}"


def _match(kind: str, rule: View) -> Match:
    if "match" not in rule:
        return EVERY_REQUEST
    return conditions.combined([_conditions(kind, one) for one in rule.views("match")])


def _route(rules: Rules, owner: Object, kind: str, rule: View, at: int) -> Route:
    found = destinations(rule, owner)
    answers = not found and any(name in rule for name in ("redirect", "directResponse"))
    outcome = "pools" if found else "answer" if answers else "unknown"
    return Route(
        _label(kind, rule, at),
        rule.span,
        _match(kind, rule),
        _targets(rules, found, owner),
        outcome,
        expression=None if found or answers else "a delegate",
        retry=_retry(rule.view("retries")) if owner.sure else None,
        timeouts=_timeouts(rule),
    )


def _conditions(kind: str, view: View) -> list[Condition]:
    if kind == "http":
        return conditions.istio_match(view)
    node = view.node
    text = "" if node is None else " ".join(node.source.text[node.start : node.end].split())
    return [Condition("opaque", "exact", [text])] if view.fields else []


def _timeouts(rule: View) -> dict[str, Setting[float]]:
    retries = rule.view("retries")
    found = {}
    for name, view, field in (("server", rule, "timeout"), ("per_try", retries, "perTryTimeout")):
        seconds = go_seconds(view.text(field) or "")
        if seconds or opaque(view.text(field)):
            found[name] = Setting(seconds or 0.0, view.place(field))
    return found


def _retry(retries: View) -> Retry | None:
    """Return how often a request is tried again, and on what; None where it does not say how often.

    What is tried again where `retryOn` says nothing differs between versions (503 went with 1.24), but for these two.
    """
    attempts, words = retries.integer("attempts"), retries.scalar("retryOn")
    if not attempts or attempts < 0 or (words is not None and opaque(words.text)):
        return None
    said = Setting(_DEFAULT_WORDS, retries.place("attempts"))
    if words is not None:
        said = Setting(frozenset(word.strip() for word in words.text.split(",")), words.span)
    return Retry(Setting(attempts, retries.place("attempts")), conditions=said)


def _targets(rules: Rules, found: list[Destination], owner: Object) -> list[WeightedTarget]:
    """Return the targets: of several, one without a weight gets nothing (istio/api HTTPRouteDestination.weight)."""
    made = []
    for one in found:
        name = f"{one.host.shown}/{one.subset}" if one.subset else one.host.shown
        pool = rules.pool(one.host, one.subset, owner)
        port = one.view.view("port").integer("number")
        if lacks_port(rules.graph, one.host, port):
            name, pool = f"{name}:{port}", None
        weight = Setting(0) if one.weight is None else Setting(max(one.weight, 0), one.entry.place("weight"))
        alone = targets.only(name, one.span, pool)[0] if len(found) == 1 else None
        made.append(alone or targets.target(name, one.span, pool, weight))
        rules.graph.leads.append(Lead(made[-1], owner, one))
    return targets.shared(made)

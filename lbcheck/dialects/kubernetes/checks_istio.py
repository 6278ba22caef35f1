"""Istio: P02 Services that are not there, K15 undefined subsets, K16 idle ones, K17 weights that mislead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import istio
from lbcheck.dialects.kubernetes.checks_ingress import judged
from lbcheck.dialects.kubernetes.istio import lacks_port
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.reach import closed, scan
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.dialects.kubernetes.visibility import meet
from lbcheck.findings import ERROR, INFO, WARNING, Hit, Related
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.destination_rules import Gap, Rules
    from lbcheck.dialects.kubernetes.istio import Destination, Host
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Selection
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config


#: What becomes of what a mirror sends to a cluster that is not there.
_DROPPED = ": the copies that its mirror sends there are dropped"


class Rule(NamedTuple):
    """One rule of a virtual service and its destinations; `label` is how the model calls the route.

    `mirrors` are those of copies, whose loss no client sees.
    """

    owner: Object
    view: View
    label: str
    destinations: list[Destination]
    http: bool = True
    mirrors: Sequence[Destination] = ()

    @property
    def all(self) -> list[tuple[Destination, bool]]:
        """All destinations, and whether only copies go there."""
        return [*((one, False) for one in self.destinations), *((one, True) for one in self.mirrors)]


def virtual_rules(config: Config) -> Iterator[Rule]:
    """Yield the rules of the virtual services that can be judged, and that anybody sees."""
    sight = tree_of(config).rules.sight
    for one in tree_of(config).cluster.all(ISTIO, "VirtualService"):
        if not one.sure or sight.clients(one) == frozenset():
            continue
        for kind in ("http", "tls", "tcp"):
            for at, rule in enumerate(one.spec.views(kind)):
                label = rule.text("name") or f"{kind} rule {at + 1}"
                copies = istio.mirrors(rule, one) if kind == "http" else []
                yield Rule(one, rule, label, istio.destinations(rule, one), kind == "http", copies)


def pool_undefined(config: Config, _context: Context) -> Iterator[Hit]:
    """P02: a virtual service sends to a Service, or to a port of one, that surely is not there: Envoy has no cluster.

    A Service of a namespace that is not known to be complete is counted as not checked.
    """
    told: set[tuple[int, str]] = set()
    for rule in virtual_rules(config):
        for one, copied in rule.all:
            port = one.view.view("port").integer("number")
            name = one.host.shown if port is None else f"{one.host.shown}:{port}"
            effect = _DROPPED if copied else ": its requests get 503" if rule.http else ": its connections are closed"
            said = _without_cluster(config, rule.owner, one, effect)
            if said is None or said[2] != ERROR or (id(rule.owner), name) in told:
                continue
            told.add((id(rule.owner), name))
            args = {"name": name, "effect": said[0], "advice": said[1]}
            frontend = f"VirtualService {rule.owner.shown}"
            severity = WARNING if copied else ERROR
            yield Hit("P02", one.span, args, severity=severity, frontend=frontend, route=rule.label, pool=name)


def _without_cluster(config: Config, owner: Object, one: Destination, effect: str) -> tuple[str, str, str] | None:
    """Return why Envoy has no cluster for a destination's host and port, what to write, and how bad it is."""
    rules = tree_of(config).rules
    if one.host.namespace is None or not one.text or opaque(one.text):
        return None
    port = one.view.view("port").integer("number")
    if rules.served(one.host) and not lacks_port(rules.graph, one.host, port):
        return None
    return judged(config, owner, (one.host.namespace, one.host.name), port, effect)


def unresolved(config: Config, owner: Object, one: Destination) -> tuple[str, str] | None:
    """Return why Envoy has no cluster for a destination, and how sure that is (ERROR: certain); None where it may."""
    if not owner.sure or not one.text or opaque(one.text):
        return None
    if one.host.namespace is None and not tree_of(config).rules.served(one.host):
        return f"there is no ServiceEntry for {one.host.name}", ERROR if closed(config, "*") else INFO
    said = _without_cluster(config, owner, one, "")
    if said is not None:
        return said[0], said[2]
    gap = _gap(config, owner, one)
    if gap is None:
        return None
    sure = _surely(config, owner, one, gap)
    return _instead(gap, _names(tree_of(config).rules, gap), sure=sure), ERROR if sure else INFO


def subset_undefined(config: Config, _context: Context) -> Iterator[Hit]:
    """K15: a virtual service sends to a subset of which no destination rule that its callers follow knows.

    Envoy has no such cluster. Where the callers follow a destination rule for the host, it is an error; where the run
    has none for them, only in namespaces that are known to be complete.
    """
    told: set[tuple[int, Host, str | None]] = set()
    for rule in virtual_rules(config):
        total = sum(one.weight or 0 for one in rule.destinations)
        for one, copied in rule.all:
            key = (id(rule.owner), one.host, one.subset)
            gap = None if key in told else _gap(config, rule.owner, one)
            if gap is None:
                continue
            told.add(key)
            part = (one.weight or 0) / total if len(rule.destinations) > 1 and total else 1.0
            effect = _DROPPED if copied else f": {percent(part)} of its requests get 503" if part > 0 else ""
            yield _undefined(config, rule, one, gap, effect, severity=WARNING if copied else ERROR)


def _gap(config: Config, owner: Object, one: Destination) -> Gap | None:
    """Return who does not find the subset of a destination; None where all may, or what says more was not read."""
    rules = tree_of(config).rules
    if one.subset is None or opaque(one.subset) or opaque(one.text) or not one.text:
        return None
    if rules.wildcard(one.host) or any(other.patched for other in rules.of(one.host)):
        return None
    return rules.gap(one.host, one.subset, owner)


def _names(rules: Rules, gap: Gap) -> list[str]:
    """Return the subsets that the callers do find."""
    return [name for other in gap.rules for name in rules.subsets(other)]


def _surely(config: Config, owner: Object, one: Destination, gap: Gap) -> bool:
    """Say whether callers surely miss the subset: they follow a rule without it, or nothing else can be there."""
    places = {gap.client or owner.namespace, one.host.namespace or owner.namespace}
    return bool(gap.rules) or all(closed(config, place) for place in places)


def _undefined(config: Config, rule: Rule, one: Destination, gap: Gap, effect: str, *, severity: str) -> Hit:
    tree = tree_of(config)
    names = _names(tree.rules, gap)
    guess = tree.near(one.subset or "", names)
    sure = _surely(config, rule.owner, one, gap)
    args = {
        "service": rule.owner.shown,
        "subset": one.subset,
        "host": one.host.shown,
        "found": _instead(gap, names, sure=sure) + effect * sure,
        "advice": _mend(gap, guess, one.host.namespace or rule.owner.namespace, sure=sure),
    }
    return Hit(
        "K15",
        one.view.place("subset"),
        args,
        severity=severity if sure else INFO,
        related=[Related(other.span, f"DestinationRule {other.shown}") for other in gap.hidden or gap.rules],
        frontend=f"VirtualService {rule.owner.shown}",
        route=rule.label,
        pool=f"{one.host.shown}/{one.subset}",
    )


def _instead(gap: Gap, names: Sequence[str], *, sure: bool) -> str:
    """Say what the callers find in place of the subset."""
    if gap.hidden:
        known = f"DestinationRule {gap.hidden[0].shown}, which has it,"
        if gap.client is None:
            return f"{known} is exported to nobody"
        if gap.rules:
            return f"callers in {gap.client} follow DestinationRule {gap.rules[0].shown}, not {gap.hidden[0].shown}"
        return f"{known} is not exported to {gap.client}"
    if gap.rules:
        known = f"has the subsets {listed(names)}" if names else "has no subsets"
        return f"DestinationRule {gap.rules[0].shown} {known}"
    return "there is no DestinationRule for it" if sure else "no DestinationRule for it was scanned"


def _mend(gap: Gap, guess: str | None, namespace: str, *, sure: bool) -> str:
    if gap.hidden:
        if gap.rules:
            return f"define it in DestinationRule {gap.rules[0].shown}"
        return f"write {gap.client or '*'} into its exportTo"
    return f"did you mean {guess}?" if guess else "define the subset" if sure else scan(namespace)


def subset_no_pods(config: Config, _context: Context) -> Iterator[Hit]:
    """K16: a subset whose labels no pod of its Service has, or whose policy takes no effect since nothing routes to it.

    That no pod has them is an error where the namespace is known to be complete, and said at info where a route sends
    requests there. A policy without a route is only judged where the run has routes for the host.
    """
    tree = tree_of(config)
    used = routed_subsets(config)
    for host, found in tree.rules.hosts():
        if host.namespace is None:
            continue
        services = tree.cluster.service(host.namespace, host.name)
        known = tree.graph.among(services)
        for rule in found:
            if not rule.sure:
                continue
            followers = tree.rules.followers(rule, host)
            others = [(subset, copied) for subset, clients, copied in used.get(host, ()) if meet(clients, followers)]
            told = frozenset(others)
            for subset in rule.spec.views("subsets"):
                name = subset.text("name") or ""
                wanted = subset.strings("labels")
                routed, copied = (name, False) in told, (name, True) in told
                if matches_no_pod(wanted, known, host.namespace):
                    sure = closed(config, host.namespace)
                    effect = (
                        ": its requests get 503" if routed else _DROPPED if copied else ", and nothing routes to it"
                    )
                    if sure or routed or copied:
                        yield _no_pods(rule, host, subset, effect, severity=_severity(sure=sure, routed=routed))
                elif "trafficPolicy" in subset and others and not routed and not copied:
                    yield _no_use(rule, host, subset, [subset for subset, _ in others])


def _severity(*, sure: bool, routed: bool) -> str:
    return ERROR if sure and routed else WARNING if sure else INFO


def matches_no_pod(wanted: Mapping[str, str], known: Selection | None, namespace: str) -> bool:
    """Say whether none of a Service's pods, of which some were scanned, has the labels of a subset."""
    if known is None or not wanted or any(map(opaque, wanted.values())):
        return False
    return not known.matching(namespace, wanted)


def routed_subsets(config: Config) -> dict[Host, list[tuple[str, frozenset[str] | None, bool]]]:
    """Return the subsets to which virtual services send requests, by host, with the namespaces of their callers.

    The host as a whole is the subset "". The last value says whether only copies go there.
    """
    found: dict[Host, list[tuple[str, frozenset[str] | None, bool]]] = {}
    sight = tree_of(config).rules.sight
    for rule in virtual_rules(config):
        clients = sight.clients(rule.owner)
        for one, copied in rule.all:
            found.setdefault(one.host, []).append((one.subset or "", clients, copied))
    return found


def _no_pods(rule: Object, host: Host, subset: View, effect: str, *, severity: str) -> Hit:
    labels = listed([f"{key}: {value}" for key, value in subset.strings("labels").items()])
    sure = severity != INFO
    args = {
        "subset": subset.text("name"),
        "host": host.shown,
        "found": f"no pod of the Service has {labels}{effect}" if sure else f"no pod that was scanned has {labels}",
        "advice": "write the labels of the pods it is for" if sure else scan(host.namespace or rule.namespace),
    }
    return Hit(
        "K16",
        subset.place("name"),
        args,
        severity=severity,
        pool=f"{host.shown}/{subset.text('name')}",
    )


def _no_use(rule: Object, host: Host, subset: View, used: Sequence[str]) -> Hit:
    others = sorted(set(used) - {""})
    args = {
        "subset": subset.text("name"),
        "host": host.shown,
        "found": "no route sends requests to it, so its trafficPolicy takes no effect; "
        + (f"those to {listed(others)} do" if others else "those to the host as a whole do not look at subsets"),
        "advice": "route to the subset, or write the policy for the host as a whole",
    }
    return Hit(
        "K16",
        subset.place("trafficPolicy"),
        args,
        severity=WARNING,
        related=[Related(rule.span, f"DestinationRule {rule.shown}")],
        pool=f"{host.shown}/{subset.text('name')}",
    )


def weights(config: Config, _context: Context) -> Iterator[Hit]:
    """K17: a destination among several has no weight and gets nothing, or what look like percentages are none.

    Since Istio 1.15 weights are relative and only a sum of 0 is refused (istio/istio #39544); a sum of 0 is D05's.
    """
    for rule in virtual_rules(config):
        found = rule.destinations
        written = [one.weight for one in found if one.weight is not None]
        total = sum(written)
        if len(found) < 2 or not total or any(opaque(one.entry.text("weight")) for one in found):
            continue
        args = {"service": rule.owner.shown, "route": rule.label}
        frontend = f"VirtualService {rule.owner.shown}"
        missing = [one for one in found if one.weight is None]
        if missing:
            args |= {
                "problem": f"{listed([_name(one) for one in missing])} has no weight among {len(found)} destinations "
                "and gets nothing",
                "advice": "write the weight, 0 where that is meant",
            }
            yield Hit("K17", missing[0].span, args, severity=ERROR, frontend=frontend, route=rule.label)
        elif total != 100 and 85 <= total <= 115 and max(written) <= 100 and len(set(written)) > 1:
            parts = listed([f"{_name(one)} {percent((one.weight or 0) / total)}" for one in found])
            args |= {
                "problem": f"the weights look like percentages and sum to {total}: {parts}",
                "advice": "make them sum to 100",
            }
            place = found[0].entry.place("weight")
            yield Hit("K17", place, args, severity=WARNING, frontend=frontend, route=rule.label)


def _name(one: Destination) -> str:
    return f"{one.host.shown}/{one.subset}" if one.subset else one.host.shown

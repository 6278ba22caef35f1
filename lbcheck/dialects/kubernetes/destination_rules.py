"""Istio's destination rules: which of them a caller follows, and the pools that they make of Services.

A proxy looks in its own namespace, then in that of the Service, then in the mesh's root namespace, and follows the
rules of the first one that has some for the host: those with the most specific host (istio/istio push_context.go
destinationRule, MostSpecificHostMatch).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.istio import DEFAULT_POLICY, Host, algorithm, host_of
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.service_entries import outside
from lbcheck.dialects.kubernetes.visibility import ROOT, Sight, audience, reaches
from lbcheck.model import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Pool


#: The longest name of a host.
_LONGEST = 253


class Subset(NamedTuple):
    """A subset, and the destination rule that defines it."""

    rule: Object
    view: View


class Gap(NamedTuple):
    """A subset that callers look for and do not find.

    `client` is the namespace of these callers, None where they may be anywhere. `rules` are the destination rules that
    they follow instead, `hidden` those that have the subset and are not exported to them.
    """

    client: str | None
    rules: list[Object]
    hidden: list[Object]


class Rules:
    """The destination rules and service entries of the run, by the host they are about."""

    __slots__ = (
        "_by_host",
        "_by_space",
        "_ends",
        "_labels",
        "_subsets",
        "_wild",
        "_wild_entries",
        "entries",
        "graph",
        "sight",
    )

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.sight = Sight(graph.cluster)
        self._by_host: dict[Host, list[Object]] = {}
        self._by_space: dict[tuple[str, Host], list[Object]] = {}
        #: Those with a wildcard, by namespace and by the end of the hosts that they are for; and all these ends.
        self._wild: dict[tuple[str, str], list[Object]] = {}
        self._ends: tuple[str, ...] = ()
        self._labels: dict[str, dict[str, str]] = {}
        self._subsets: dict[int, dict[str, View]] = {}
        for one in graph.cluster.all(ISTIO, "DestinationRule"):
            host = host_of(one.spec.text("host") or "", one)
            self._by_host.setdefault(host, []).append(one)
            self._by_space.setdefault((one.namespace, host), []).append(one)
            if host.name.startswith("*"):
                self._wild.setdefault((one.namespace, host.name[1:]), []).append(one)
        self._ends = tuple({end for _, end in self._wild})
        self.entries: dict[str, list[Object]] = {}
        for one in graph.cluster.all(ISTIO, "ServiceEntry"):
            for name in one.spec.texts("hosts"):
                self.entries.setdefault(name.text.lower(), []).append(one)
        self._wild_entries = tuple(name[1:] for name in self.entries if name.startswith("*"))

    def of(self, host: Host) -> list[Object]:
        """Return the destination rules for a host that anybody follows, wherever the callers are."""
        return [one for one in self._by_host.get(host, []) if audience(one) != frozenset()]

    def hosts(self) -> list[tuple[Host, list[Object]]]:
        """Return all hosts that have destination rules."""
        return list(self._by_host.items())

    def wildcard(self, host: Host) -> bool:
        """Say whether a destination rule with a wildcard is for a host, whoever follows it."""
        return host.whole.endswith(self._ends)

    def applied(self, host: Host, client: str) -> list[Object]:
        """Return the destination rules that callers of a namespace follow for a host."""
        for space in dict.fromkeys((client, *self.homes(host), ROOT)):
            found = [one for one in self._most_specific(space, host) if reaches(one, client)]
            if found:
                return found
        return []

    def followers(self, one: Object, host: Host) -> frozenset[str] | None:
        """Return the namespaces whose callers may follow a destination rule for a host; None for all of them."""
        found = audience(one)
        if one.namespace in (ROOT, *self.homes(host)):
            return found
        return frozenset((one.namespace,)) if found is None else found & {one.namespace}

    def homes(self, host: Host) -> list[str]:
        """Return the namespaces in which a host's Service or service entries are."""
        if host.namespace is not None:
            return [host.namespace]
        return [one.namespace for one in self.entries.get(host.name, ())]

    def served(self, host: Host) -> bool:
        """Say whether the run has a Service or a service entry for a host, perhaps one with a wildcard."""
        if host.namespace is not None and self.graph.cluster.service(host.namespace, host.name):
            return True
        whole = host.whole.lower()
        return whole in self.entries or whole.endswith(self._wild_entries)

    def visible(self, host: Host, client: str) -> bool:
        """Say whether callers of a namespace may see a host: what the run does not have, they may."""
        if host.namespace is None:
            known = self.entries.get(host.name, [])
        else:
            known = self.graph.cluster.service(host.namespace, host.name)
        return not known or any(reaches(one, client) for one in known)

    def _most_specific(self, space: str, host: Host) -> list[Object]:
        found = self._by_space.get((space, host))
        if found:
            return found
        if not self._wild:
            return []
        whole = host.whole
        ends = [whole[at:] for at, char in enumerate(whole[:_LONGEST]) if char == "."]  # of whole labels alone
        return next((self._wild[space, end] for end in (*ends, "") if (space, end) in self._wild), [])

    def gap(self, host: Host, name: str, owner: Object) -> Gap | None:
        """Return which callers of a virtual service do not find a subset of a host; None where all may."""
        defining = [one for one in self._by_host.get(host, []) if name in self.subsets(one)]
        clients = self.sight.clients(owner)
        if clients is None:
            if any(audience(one) != frozenset() for one in defining):
                return None
            near = (owner.namespace, ROOT, *self.homes(host))
            general = [one for one in self.of(host) if one.namespace in near and reaches(one, owner.namespace)]
            return Gap(None, general, defining)
        for client in sorted(clients):
            applied = self.applied(host, client)
            elsewhere = any(self._of_the_mesh(one, host, client) for one in defining)
            if self._subset(applied, name) is None and not elsewhere:
                return Gap(client, applied, defining)
        return None

    def _of_the_mesh(self, one: Object, host: Host, client: str) -> bool:
        """Say whether a rule in a third namespace would hold for a client if that were the mesh's root namespace."""
        return one.namespace not in (client, ROOT, *self.homes(host)) and reaches(one, client)

    def subsets(self, one: Object) -> dict[str, View]:
        """Return the subsets of a destination rule by name; of several of one name the first."""
        found = self._subsets.get(id(one))
        if found is None:
            found = self._subsets[id(one)] = {}
            for view in one.spec.views("subsets"):
                found.setdefault(view.text("name") or "", view)
        return found

    def _subset(self, rules: Iterable[Object], name: str) -> Subset | None:
        """Return a subset of that name from any of some destination rules, which Istio merges."""
        return next((Subset(one, self.subsets(one)[name]) for one in rules if name in self.subsets(one)), None)

    def subset(self, host: Host, name: str, owner: Object) -> Subset | None:
        """Return a subset of a host, as the callers of a virtual service find it."""
        clients = self.sight.clients(owner)
        for client in [owner.namespace] if clients is None else sorted(clients, key=lambda one: one != owner.namespace):
            found = self._subset(self.applied(host, client), name)
            if found is not None:
                return found
        return self._subset(self.of(host), name) if clients is None else None

    def pool(self, host: Host, subset: str | None, owner: Object) -> Pool | None:
        """Return the pool that callers of a virtual service mean by a host, or by its subset; None without one."""
        if host.namespace is None:
            return self._entry(host.name, owner)
        base = self.graph.pool(host.namespace, host.name)
        if base is not None and self._wild and host not in self._by_host:
            self._choose(base, host)
        if base is None or subset is None:
            return base
        found = self.subset(host, subset, owner)
        return None if found is None else self.pool_of(host, found)

    def pool_of(self, host: Host, subset: Subset) -> Pool | None:
        """Return the pool of a subset of a Service; one for each selection of pods that goes by the name."""
        base = None if host.namespace is None else self.graph.pool(host.namespace, host.name)
        if base is None:
            return None
        rule, view = subset
        name, labels = f"{base.name}/{view.text('name')}", view.strings("labels")
        if self._labels.setdefault(name, labels) != labels:
            name += f" of {rule.shown}"
        services = self.graph.cluster.service(base.scope, host.name)
        made = self.graph.subset(name, view.place("name"), base, labels, services, sure=rule.sure)
        others = [one for one in self.applied(host, rule.namespace) if one is not rule]
        made.algorithm = self._algorithm([view, rule.spec, *(one.spec for one in others)]) or made.algorithm
        return made

    def policies(self) -> None:
        """Give the pools of Services the algorithms that destination rules choose for callers beside them."""
        for host in self._by_host:
            if host.namespace is None:
                continue
            pool = self.graph.pool(host.namespace, host.name)
            if pool is not None:
                self._choose(pool, host)

    def _choose(self, pool: Pool, host: Host) -> None:
        chosen = self._algorithm(one.spec for one in self.applied(host, pool.scope))
        pool.algorithm = chosen or Algorithm(DEFAULT_POLICY)

    def _algorithm(self, policies: Iterable[View]) -> Algorithm | None:
        """Return the algorithm of the first policy that has one: a subset's goes before its rule's."""
        balancers = (view.view("trafficPolicy", "loadBalancer") for view in policies)
        return next((algorithm(one) for one in balancers if one), None)

    def _entry(self, name: str, owner: Object) -> Pool | None:
        """Return the pool of a host outside, as the service entry has it that callers see: their own goes before."""
        clients = self.sight.clients(owner)
        seen = [
            one
            for one in self.entries.get(name, ())
            if clients is None or any(reaches(one, client) for client in clients)
        ]
        if not seen:
            return None
        entry = min(seen, key=lambda one: one.namespace != owner.namespace)
        known = self.graph.pools.get(name)
        if known is not None and known.span != entry.span:
            name = f"{entry.namespace}/{name}"
            known = self.graph.pools.get(name)
        if known is None:
            known = self.graph.pools[name] = outside(name, entry)
        return known

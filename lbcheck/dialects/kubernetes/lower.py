"""From files to a config: the objects, the model of what they do to traffic, and what is wrong with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.kubernetes import (
    callers,
    destination_rules,
    exposed,
    gateway,
    guards,
    ingress_servers,
    ingressroute,
    istio,
    validation,
)
from lbcheck.dialects.kubernetes.graph import Graph
from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.reader import Reader
from lbcheck.dialects.kubernetes.surroundings import world
from lbcheck.dialects.kubernetes.unmodelled import unmodelled, unseen
from lbcheck.dialects.kubernetes.unresolved import unresolved
from lbcheck.dialects.yaml_nodes import blocks
from lbcheck.model import Config
from lbcheck.spelling import closest
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.kubernetes.objects import Cluster
    from lbcheck.files import Files

OPEN = "the cluster may hold more objects than these files (--complete-namespace says that it does not)"
IGNORE = "lbcheck.dev/ignore"
#: For so many names that nobody has a near one is looked for: each is compared with all of its kind.
_GUESSES = 20


class Tree:
    """What the dialect's own checks ask: what leads where, and what destination rules say."""

    __slots__ = ("_guesses", "_meant", "_names", "_renamed", "graph", "rules")

    def __init__(self, graph: Graph, rules: destination_rules.Rules) -> None:
        self.graph = graph
        self.rules = rules
        self._names: dict[tuple[str, str, str], list[str]] = {}
        self._guesses = _GUESSES
        self._meant: dict[tuple[str, str, str, str], str | None] = {}
        self._renamed: dict[tuple[str, str], str] | None = None

    def renamed(self, namespace: str, name: str) -> str | None:
        """Return what a kustomization makes of the name of a Service."""
        if self._renamed is None:
            services = self.cluster.all(CORE, "Service")
            self._renamed = {(one.namespace, one.written): one.name for one in services if one.written != one.name}
        return self._renamed.get((namespace, name))

    def meant(self, name: str, group: str, kind: str, namespace: str) -> str | None:
        """Return the object of that kind and namespace that a name that nobody has was probably to be."""
        asked = (name, group, kind, namespace)
        if asked not in self._meant:
            self._meant[asked] = self._guess(*asked) if len(self._meant) < _GUESSES else None
        return self._meant[asked]

    def near(self, name: str, names: Sequence[str]) -> str | None:
        """Return which of some names one that nobody has was probably to be; None once so many were looked for."""
        if not self._guesses:
            return None
        self._guesses -= 1
        return closest(name, names)

    def _guess(self, name: str, group: str, kind: str, namespace: str) -> str | None:
        key = (group, kind, namespace)
        if key not in self._names:
            known = self.cluster.within(group, kind, namespace)
            self._names[key] = list(dict.fromkeys(one.name for one in known))
        return closest(name, self._names[key])

    @property
    def cluster(self) -> Cluster:
        """All objects."""
        return self.graph.cluster


def read(paths: Sequence[str], files: Files) -> Config:
    """Turn manifests into one config. Never raises."""
    config = Config("kubernetes", _common(paths), [])
    cluster = Reader(files, config).run(paths)
    config.apart = True
    config.open = OPEN
    config.blocks = lambda: blocks(cluster.documents)
    config.subject = cluster.subject
    config.written_ignores = lambda: _ignores(cluster)
    for one in cluster.objects:
        found = validation.judge(one)
        one.wrong = bool(found)
        config.hits.extend(found)
    lonely = list(guards.alone(cluster))
    config.unmodelled.extend(lonely)
    config.unread = (not cluster.objects or bool(lonely)) and not config.hits and bool(config.unmodelled)
    config.unmodelled.extend(unmodelled(cluster))
    graph = Graph(cluster)
    rules = destination_rules.Rules(graph)
    rules.policies()
    config.unmodelled.extend(unseen(rules))
    config.unmodelled.extend(unresolved(rules))
    config.tree = Tree(graph, rules)
    ingresses = ingress_servers.frontends(graph, config.unmodelled)
    beside = [*gateway.frontends(graph), *istio.frontends(graph, rules), *ingressroute.frontends(graph)]
    outside = exposed.frontends(graph)
    config.frontends = [*ingresses, *beside, *outside]
    callers.settle(graph, beside, outside, config.unmodelled)
    config.pools = list(graph.pools.values())
    config.unmodelled.extend(guards.unmodelled(graph))
    config.world = world(graph)
    config.settle = lambda: _settle(config)
    return config


def _settle(config: Config) -> None:
    from lbcheck.dialects.kubernetes.unserved import settle  # it asks the checks, which ask for the tree of this module

    settle(config)


def tree_of(config: Any) -> Tree:
    """Return the config's tree, for the dialect's own checks."""
    found: Tree = config.tree
    return found


def _common(paths: Sequence[str]) -> str:
    """Return what a run over these files is called: the one file, or the folder that holds them all."""
    if len(paths) == 1:
        return paths[0]
    try:
        return os.path.commonpath([os.path.dirname(path) or "." for path in paths]) or "."
    except ValueError:
        return "."


def _ignores(cluster: Cluster) -> Iterator[tuple[Span, Span]]:
    """Yield the annotations that silence findings, with the objects for which they speak."""
    for one in cluster.objects:
        node = one.meta.view("annotations").scalar(IGNORE)
        if node is not None:
            yield node.span, Span(one.source, one.node.start, one.node.end)

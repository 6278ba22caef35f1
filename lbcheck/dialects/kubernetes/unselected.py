"""Services whose selectors match no pod: the proof, from the pods of the namespace and the addresses of the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.pods import unknowable
from lbcheck.dialects.kubernetes.reach import beside
from lbcheck.dialects.kubernetes.services import external
from lbcheck.dialects.kubernetes.view import opaque

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods

#: So many workloads are compared with selectors that match nothing, in all.
_COMPARISONS = 20_000


def selects(one: Object) -> bool:
    """Say whether a Service selects pods and says all that will be applied."""
    return bool(one.selector) and external(one) is None and one.sure


class Unselected:
    """Looks for pods that Services select, namespace by namespace."""

    __slots__ = ("_graph", "_spaces")

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._spaces: dict[str, Space] = {}

    def matches_none(self, one: Object) -> bool:
        """Say whether a Service selects no pod that any workload of the run makes, or may make.

        Labels that are only there at run time (a leader's, a stateful pod's name) are never judged, nor is a Service
        to which an object of the run gives addresses.
        """
        selector = one.selector
        if self._graph.pods_of(one) or unknowable(selector) or self._graph.endpoints.of(one):
            return False
        space = self.space(one.namespace)
        return not space.unsure and not any(selector.items() <= labels.items() for labels in space.tried)

    def space(self, namespace: str) -> Space:
        """Return the pods of a namespace."""
        found = self._spaces.get(namespace)
        if found is None:
            found = self._spaces[namespace] = Space(self._graph.selection.within(namespace))
        return found


class Space:
    """The pods of a namespace, among which a Service looks for those that it was to select.

    `unsure`: a patch or a template may yet give some of them other labels. `tried` are the labels of pods that Argo's
    experiments make for a while.
    """

    __slots__ = ("_beside", "_budget", "_named", "tried", "unsure")

    def __init__(self, there: Sequence[Pods]) -> None:
        self.unsure = any(pods.owner.patched or any(map(opaque, pods.labels.values())) for pods in there)
        self.tried = [labels for pods in there for labels in _tried(pods)]
        self._named: dict[str, list[Pods]] = {}
        self._beside: dict[str, list[Pods]] = {}
        self._budget = _COMPARISONS
        for pods in there:
            self._named.setdefault(pods.owner.name, []).append(pods)
            self._beside.setdefault(os.path.dirname(pods.owner.source.path), []).append(pods)

    def candidates(self, service: Object) -> list[Pods]:
        """Return the pods beside a Service: those of its name first, then the others, as long as there is time."""
        folder = os.path.dirname(service.source.path)
        namesakes = [pods for pods in self._named.get(service.name, ()) if beside(service, pods.owner)]
        others = self._beside.get(folder, [])
        self._budget -= len(others)
        return namesakes + others if self._budget > 0 else namesakes


def _tried(pods: Pods) -> Iterator[Mapping[str, str]]:
    """Yield the labels of the pods that the experiments among a Rollout's steps make."""
    for step in pods.owner.spec.view("strategy", "canary").views("steps"):
        for template in step.view("experiment").views("templates"):
            yield {**pods.labels, **template.view("metadata").strings("labels")}

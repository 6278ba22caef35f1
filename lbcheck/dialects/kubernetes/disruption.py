"""PodDisruptionBudgets: how many pods of a workload a drain of nodes may take out at the same time.

Source: kubernetes/kubernetes pkg/controller/disruption/disruption.go getExpectedPodCount: percentages are rounded up;
pkg/registry/core/pod/storage/eviction.go: a pod with more than one budget cannot be evicted at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.dialects.kubernetes.view import View


#: With more pods of all budgets together nobody is told.
_MOST = 1_000_000


def evictable(graph: Graph) -> dict[int, int]:
    """Return how many pods of a workload may be evicted at once, by the id of its pods.

    A workload of which no budget speaks, or none whose meaning is known, is not there.
    """
    found: dict[int, int] = {}
    left = _MOST
    for one in graph.cluster.all("policy", "PodDisruptionBudget"):
        behind = _selected(graph, one) if one.sure else []
        left -= len(behind)
        if left < 0:
            return {}
        allowed = _allowed(one.spec, behind)
        for pods in behind if allowed is not None else ():
            found[id(pods)] = 0 if id(pods) in found else allowed or 0
    return found


def _selected(graph: Graph, budget: Object) -> list[Pods]:
    """Return the workloads of a budget: an empty selector of policy/v1 takes all pods, one of v1beta1 none."""
    selector = budget.spec.view("selector")
    if not selector or selector.items("matchExpressions"):
        return []
    wanted = selector.strings("matchLabels") | budget.added
    if not wanted and budget.version == "v1":
        return [pods for pods in graph.selection.within(budget.namespace) if pods.stays]
    return [pods for pods in graph.selection.matching(budget.namespace, wanted) if pods.stays]


def _allowed(spec: View, behind: Sequence[Pods]) -> int | None:
    """Return how many of the pods may be missing; None where that is not known."""
    numbers = [pods.replicas.value for pods in behind if pods.replicas is not None]
    if len(numbers) < len(behind) or not behind:
        return None
    total = sum(numbers)
    if "maxUnavailable" in spec:
        missing = _scaled(spec, "maxUnavailable", total)
        return None if missing is None else min(missing, total)
    kept = _scaled(spec, "minAvailable", total)
    return None if kept is None else max(total - kept, 0)


def _scaled(spec: View, name: str, total: int) -> int | None:
    """Return a number of pods: as written, or a percentage of the total."""
    number = spec.integer(name)
    text = spec.text(name) or ""
    if number is not None or not text.endswith("%"):
        return number
    percent = text[:-1]
    return -(-int(percent) * total // 100) if percent.isdecimal() and len(percent) < 4 else None

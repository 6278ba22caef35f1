"""Workloads: which pods they make, how many, what these listen on, and which of them a selector means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import APPS, BATCH, CORE, EXTENSIONS
from lbcheck.dialects.kubernetes.view import View, integer, opaque
from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.model import HealthCheck

_TEMPLATES = (
    (APPS, ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    (EXTENSIONS, ("Deployment", "DaemonSet", "ReplicaSet")),
    (CORE, ("ReplicationController",)),
    (BATCH, ("Job",)),
    ("argoproj.io", ("Rollout",)),
)
#: Workloads whose number of pods the object itself says.
_COUNTED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
#: More pods of one workload are not counted one by one.
MOST_REPLICAS = 100_000
#: Labels that controllers add while the cluster runs: no template shows them.
RUN_TIME_LABELS = frozenset(
    {
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-revision-hash",
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "batch.kubernetes.io/job-name",
        "job-name",
        "role",
        "spilo-role",
        "cnpg.io/instanceRole",
    }
)


class Pods:
    """The pods of one workload. `replicas` is None where their number is not known; `why` then says why."""

    __slots__ = ("_ports", "containers", "labels", "owner", "readiness", "replicas", "spec", "why")

    def __init__(self, owner: Object, template: View) -> None:
        self.owner = owner
        self.labels = template.view("metadata").strings("labels") | (owner.added if owner.kind != "Pod" else {})
        self.spec = template.view("spec")
        self.containers = _serving(self.spec)
        self.replicas: Setting[int] | None = None
        self.why = ""
        self._ports: list[View] | None = None
        #: Their readiness probe, in a list once it was looked for.
        self.readiness: list[HealthCheck | None] = []

    @property
    def stays(self) -> bool:
        """Whether the pods run on, as those of a Job do not."""
        return self.owner.group != BATCH

    def ports(self) -> list[View]:
        """Return the ports that the containers declare."""
        if self._ports is None:
            self._ports = [port for container in self.containers for port in container.views("ports")]
        return self._ports

    def __repr__(self) -> str:
        return f"Pods({self.owner!r})"


def _serving(spec: View) -> list[View]:
    """Return the containers that run while the pod does: sidecars among the init containers restart always."""
    sidecars = [one for one in spec.views("initContainers") if one.text("restartPolicy") == "Always"]
    return spec.views("containers") + sidecars


def all_pods(cluster: Cluster) -> list[Pods]:
    """Return the pods of all workloads."""
    found = [Pods(one, one.root) for one in cluster.all(CORE, "Pod")]
    found += [Pods(one, one.spec.view("template")) for group, kinds in _TEMPLATES for one in cluster.all(group, *kinds)]
    found += [Pods(one, one.spec.view("jobTemplate", "spec", "template")) for one in cluster.all(BATCH, "CronJob")]
    scaled = autoscaled(cluster)
    for pods in found:
        pods.replicas, pods.why = _count(pods.owner, scaled)
    return found


def autoscaled(cluster: Cluster) -> set[tuple[str, str, str]]:
    """Return (namespace, kind, name) of what an autoscaler gives its number of pods."""
    found = set()
    for one in cluster.all("autoscaling", "HorizontalPodAutoscaler") + cluster.all("keda.sh", "ScaledObject"):
        target = one.spec.view("scaleTargetRef")
        kind = target.text("kind") or "Deployment"
        found.add((one.namespace, kind, one.linked(kind, target.text("name") or "")))
    return found


def _count(owner: Object, scaled: set[tuple[str, str, str]]) -> tuple[Setting[int] | None, str]:
    """Return how many pods a workload has, 1 where it does not say (the API's default); else why nobody knows."""
    if owner.kind == "Pod":
        return Setting(1), ""
    why = _elsewhere(owner, scaled)
    if why:
        return None, why
    written = owner.spec.scalar("replicas")
    if owner.count is None and written is None:
        return Setting(1), ""
    number = None if written is None else integer(written)
    if owner.count is None and number is None:
        return None, f"how many pods {owner.kind} {owner.shown} has is decided elsewhere"
    count = owner.count or Setting(max(number or 0, 0), None if written is None else written.span)
    if count.value > MOST_REPLICAS:
        return None, f"{owner.kind} {owner.shown} is to have more than {MOST_REPLICAS:,} pods"
    return count, ""


def _elsewhere(owner: Object, scaled: set[tuple[str, str, str]]) -> str:
    """Return who decides how many pods a workload has, where it is not the object itself."""
    if owner.kind not in _COUNTED:
        words = "one pod runs on each node" if owner.kind == "DaemonSet" else "its pods come and go"
        return f"{owner.kind} {owner.shown}: {words}"
    if (owner.namespace, owner.kind, owner.name) in scaled:
        return f"an autoscaler decides how many pods {owner.kind} {owner.shown} has"
    if owner.uncounted:
        return f"each kustomization says in its own way how many pods {owner.kind} {owner.shown} has"
    return f"how many pods {owner.kind} {owner.shown} has is decided elsewhere" if owner.patched else ""


class Selection:
    """All pods, found by namespace and labels."""

    __slots__ = ("_by_label", "_by_space")

    def __init__(self, pods: Iterable[Pods]) -> None:
        self._by_label: dict[tuple[str, str, str], list[Pods]] = {}
        self._by_space: dict[str, list[Pods]] = {}
        for one in pods:
            space = one.owner.namespace
            self._by_space.setdefault(space, []).append(one)
            for key, value in one.labels.items():
                self._by_label.setdefault((space, key, value), []).append(one)

    def within(self, namespace: str) -> list[Pods]:
        """Return all pods of a namespace."""
        return self._by_space.get(namespace, [])

    def matching(self, namespace: str, selector: Mapping[str, str]) -> list[Pods]:
        """Return the pods that have all labels of a selector; an empty one means none."""
        if not selector:
            return []
        buckets = [self._by_label.get((namespace, key, value), []) for key, value in selector.items()]
        fewest = min(buckets, key=len)
        return [one for one in fewest if selector.items() <= one.labels.items()]


def unknowable(selector: Mapping[str, str]) -> bool:
    """Say whether a selector asks for labels that are only there at run time, or are not filled in yet."""
    return not RUN_TIME_LABELS.isdisjoint(selector) or any(opaque(key) or opaque(one) for key, one in selector.items())

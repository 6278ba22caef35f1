"""What kustomizations make of the objects: the namespaces, names, labels and numbers of pods that they give them.

kustomize builds from the inside out: what a kustomization takes goes through it, and then through those that take it.
Where several builds take an object (an environment each) and make different things of it, it keeps its own name and
namespace, under which all is related as in each of them; what else they differ in is not known.

Patches are not applied: an object that is patched is only known to differ from what it says. References go as in
kustomize: those of Ingresses and autoscalers get the new names, those of Istio's and the Gateway API's objects do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.kinds import APPS, BATCH, CORE
from lbcheck.dialects.kubernetes.view import integer
from lbcheck.findings import NotChecked
from lbcheck.model import Setting
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lbcheck.dialects.kubernetes.kustomize import Kustomization
    from lbcheck.dialects.kubernetes.objects import Object

    #: The kustomizations through which a file's objects go, from the inside out.
    Way = tuple[Kustomization, ...]

#: With more ways through kustomizations none of their objects is judged.
_MOST = 10_000
#: So many of one file's objects, or so long.
_MOST_OF_ONE = 64
#: Kinds whose pods, and kinds whose selectors kustomize knows (api/internal/konfig/builtinpluginconsts).
_WITH_PODS = frozenset(
    {
        (CORE, "ReplicationController"),
        (APPS, "Deployment"),
        (APPS, "StatefulSet"),
        (APPS, "DaemonSet"),
        (APPS, "ReplicaSet"),
        (BATCH, "Job"),
        (BATCH, "CronJob"),
    }
)
_SELECTING = frozenset({(CORE, "Service"), ("policy", "PodDisruptionBudget")})
#: Kinds whose number of pods `replicas` sets.
_COUNTED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})
#: Kinds whose references get new names, which kinds these are to, and where they are (namereference.go).
_REFERRING = frozenset({"Ingress", "HorizontalPodAutoscaler"})


class _Outcome(NamedTuple):
    """What one way makes of an object; `number` is None where it leaves the number of pods alone."""

    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...]
    number: int | None


def apply(kustomizations: Sequence[Kustomization], objects: Mapping[str, list[Object]]) -> list[NotChecked]:
    """Give objects what kustomizations make of them; return what of that is not known.

    `objects` are those of each file that was read, by its path. Those of patches' files are no objects of their own.
    """
    _take_patches_out(kustomizations, objects)
    ways = _ways(kustomizations)
    if ways is None:
        for one in (one for held in objects.values() for one in held):
            one.patched = True
        return [NotChecked(kustomizations[0].source.span(0, 0), "more ways through kustomizations than are followed")]
    differing: dict[int, tuple[Kustomization, dict[str, None]]] = {}
    for path, through in ways.items():
        for one in objects.get(path, ()):
            for word in _applied(one, through):
                differing.setdefault(id(through[0][0]), (through[0][0], {}))[1][word] = None
            kind = one.root.text("kind") or ""
            one.patched |= any(found.targets.take(kind, one.written, one.name) for way in through for found in way)
    _refer(ways, objects)
    return [
        NotChecked(one.source.span(0, 0), f"the {listed(list(words))} that several kustomizations give its objects")
        for one, words in differing.values()
    ]


def _take_patches_out(kustomizations: Sequence[Kustomization], objects: Mapping[str, list[Object]]) -> None:
    """Note whom the files of patches change."""
    for one in kustomizations:
        for entry in one.patches:
            patches = objects.get(one.place(entry.text))
            one.targets.everything |= patches is None
            for patch in patches or ():
                one.targets.add(patch.root.text("kind"), patch.written)
                patch.patched = True
                patch.kind = f"patch of {patch.root.text('kind')}"


def _ways(kustomizations: Sequence[Kustomization]) -> dict[str, list[Way]] | None:
    """Return the ways of each file's objects; None where there are too many of them.

    A component works on all that the kustomization has which takes it.
    """
    own = {one.source.path: one for one in kustomizations}
    inner = {path for one in kustomizations for path in one.leads_to + one.parts}
    found: dict[str, list[Way]] = {}
    waiting: list[tuple[Kustomization, Way]] = [(one, ()) for one in kustomizations if one.source.path not in inner]
    for _ in range(_MOST):
        if not waiting:
            return found
        one, beyond = waiting.pop()
        if one in beyond:
            continue
        parts = tuple(own[path] for path in one.parts if path in own and own[path] not in beyond)
        taken = [(path, (*parts, one, *beyond)) for path in one.leads_to]
        for path, way in taken + [(path, (one, *beyond)) for path in one.parts]:
            if path in own:
                waiting.append((own[path], way))
            else:
                known = found.setdefault(path, [])
                known.append(way)
                if len(known) > _MOST_OF_ONE or len(way) > _MOST_OF_ONE:
                    return None
    return None


def _applied(one: Object, ways: Sequence[Way]) -> list[str]:
    """Give an object what all of its ways make of it; return in what they differ, its namespace aside."""
    outcomes = [_outcome(one, way) for way in ways]
    first = outcomes[0]
    if all(found[:2] == first[:2] for found in outcomes):
        one.namespace, one.name = first.namespace, first.name
    labels = any(found.labels != first.labels for found in outcomes)
    number = any(found.number != first.number for found in outcomes)
    one.patched |= labels
    one.added = dict(first.labels)
    one.uncounted = number
    one.count = None if number else _count(one, ways[0])
    names = any(found.name != first.name for found in outcomes)
    words = (("names", names), ("labels", labels), ("numbers of pods", number))
    return [word for word, differs in words if differs]


def _outcome(one: Object, way: Way) -> _Outcome:
    namespace = next((found.namespace for found in reversed(way) if found.namespace), one.namespace)
    name = _names(one, way)[-1]
    if one.kind == "Namespace":
        name, namespace = namespace or name, ""
    count = _count(one, way)
    labels = tuple(sorted(_labels(one, way).items()))
    return _Outcome(namespace if one.namespace else "", name, labels, None if count is None else count.value)


def _names(one: Object, way: Way) -> list[str]:
    """Return the names that an object has on its way, its own first."""
    names = [one.written]
    for found in way if one.kind != "Namespace" else ():
        names.append(f"{found.prefix}{names[-1]}{found.suffix}")
    return names


def _count(one: Object, way: Way) -> Setting[int] | None:
    """Return the number of pods that a way gives a workload, by a name that it has until then; the last one counts."""
    if one.kind not in _COUNTED or (one.group, one.kind) not in _WITH_PODS:
        return None
    names, number = _names(one, way), None
    for at, found in enumerate(way, 1):
        node = next((found.replicas[name] for name in names[: at + 1] if name in found.replicas), None)
        value = None if node is None else integer(node)
        if node is not None and value is not None:
            number = Setting(max(value, 0), node.span)
    return number


def _labels(one: Object, way: Way) -> dict[str, str]:
    """Return the labels that a selector, a workload's pods or a Namespace gets."""
    kind = (one.group, one.kind)
    added: dict[str, str] = {}
    for found in way:
        if kind in _WITH_PODS:
            added |= found.templates | found.selectors
        elif kind in _SELECTING:
            added |= found.selectors
        elif one.kind == "Namespace":
            added |= found.labels
    return added


def _refer(ways: Mapping[str, list[Way]], objects: Mapping[str, list[Object]]) -> None:
    """Give objects that refer to others by name the new names, within one build; what they mean is not always clear."""
    placed = [(one, through) for path, through in ways.items() for one in objects.get(path, ())]
    if all(one.name == one.written for one, _ in placed):
        return
    builds: dict[int, dict[tuple[str, str], set[str]]] = {}
    for one, through in placed:
        for way in through:
            builds.setdefault(id(way[-1]), {}).setdefault((one.kind, one.written), set()).add(one.name)
    links = {
        build: {key: next(iter(names)) for key, names in known.items() if len(names) == 1}
        for build, known in builds.items()
    }
    for one, through in placed:
        if one.kind in _REFERRING:
            build = id(through[0][-1])
            one.links = links[build]
            one.patched |= len(links[build]) < len(builds[build])

"""What a kustomization does to objects, as far as it is followed: its resources, its namespace, whom it patches.

Names keep their relations under `namePrefix` and the like, which kustomize changes everywhere at once, so that they are
left as they are written. Patches are not applied: an object that is patched is only known to differ from what it says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import KUSTOMIZE, group_of
from lbcheck.dialects.kubernetes.recognise import KUSTOMIZATIONS
from lbcheck.dialects.kubernetes.view import View
from lbcheck.dialects.yaml_nodes import ScalarNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.text import Source, Span

_RESOURCES = ("resources", "bases", "components")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_GENERATORS = ("generators", "transformers", "helmCharts", "helmChartInflationGenerator", "replacements", "vars")


class Kustomization:
    """One of them. `resources` are what it names, `leads_to` the files that were found for them.

    `patches` are the files of patches; `targets` the (kind, name) that are patched, with None for any.
    """

    __slots__ = ("leads_to", "namespace", "patches", "resources", "source", "targets", "unfollowed")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.namespace: str | None = None
        self.resources: list[ScalarNode] = []
        self.leads_to: list[str] = []
        self.patches: list[str] = []
        self.targets: set[tuple[str | None, str | None]] = set()
        self.unfollowed: list[tuple[Span, str]] = []


def is_one(view: View, path: str) -> bool:
    """Say whether a document is a kustomization, or a component of one."""
    api = view.text("apiVersion")
    if api is not None and group_of(api) == KUSTOMIZE:
        return True
    return "kind" not in view and os.path.basename(path) in KUSTOMIZATIONS


def read(view: View, source: Source) -> Kustomization:
    """Return what a kustomization says."""
    found = Kustomization(source)
    found.namespace = view.text("namespace")
    for key in _RESOURCES:
        found.resources.extend(view.texts(key))
    for key in _PATCHES:
        if key in view:
            found.unfollowed.append((view.fields[key][0].span, f"{key}: patches are not applied"))
        for node in view.items(key):
            _patch(found, node if isinstance(node, ScalarNode) else View(node))
    for key in _GENERATORS:
        if key in view:
            found.unfollowed.append((view.fields[key][0].span, f"{key}: what it makes is not known"))
    for item in view.views("replicas"):
        found.targets.add((None, item.text("name")))
    return found


def _patch(found: Kustomization, patch: ScalarNode | View) -> None:
    """Note whom a patch changes, and the file in which it is written."""
    if isinstance(patch, ScalarNode):
        if "\n" in patch.text:
            _inline(found, patch)
        else:
            found.patches.append(patch.text)
        return
    path, target = patch.text("path"), patch.view("target")
    if path is not None:
        found.patches.append(path)
    if target:
        found.targets.add((target.text("kind"), target.text("name")))
    inline = patch.scalar("patch")
    if inline is not None and not target:
        _inline(found, inline)


def _inline(found: Kustomization, patch: ScalarNode) -> None:
    from lbcheck.dialects import yaml
    from lbcheck.text import Source

    for root in yaml.read(Source(found.source.path, patch.text)).documents:
        fields = View(root)
        found.targets.add((fields.text("kind"), fields.view("metadata").text("name")))


def apply(kustomizations: Sequence[Kustomization], objects: Mapping[str, list[Object]]) -> None:
    """Give objects the namespaces that kustomizations set, and mark those that are patched.

    `objects` are those of each file, by its path. Patches' files are no objects of their own: they are taken out. Where
    several kustomizations give an object different namespaces it keeps its own.
    """
    for one in kustomizations:
        for entry in one.patches:
            path = os.path.normpath(os.path.join(os.path.dirname(one.source.path), entry))
            for patch in objects.get(path, ()):
                one.targets.add((patch.kind, patch.name))
                patch.patched = True
                patch.kind = f"patch of {patch.kind}"
    own = {one.source.path: one for one in kustomizations}
    for path, namespaces in _namespaces(kustomizations, own).items():
        if len(namespaces) == 1:
            for found in objects.get(path, ()):
                found.namespace = next(iter(namespaces)) if found.namespace else ""
    targets = {target for one in kustomizations for target in one.targets}
    if targets:
        for found in (found for held in objects.values() for found in held):
            found.patched = found.patched or any(
                kind in (None, found.kind) and name in (None, found.name) for kind, name in targets
            )


def _namespaces(kustomizations: Sequence[Kustomization], own: Mapping[str, Kustomization]) -> dict[str, set[str]]:
    """Return the namespaces that the outermost kustomizations set, by the path of the file they hold for."""
    inner = {path for one in kustomizations for path in one.leads_to}
    found: dict[str, set[str]] = {}
    waiting = [(one, one.namespace) for one in kustomizations if one.source.path not in inner]
    seen: set[tuple[str, str | None]] = set()
    while waiting:
        one, namespace = waiting.pop()
        if (one.source.path, namespace) in seen:
            continue
        seen.add((one.source.path, namespace))
        for path in one.leads_to:
            if path in own:
                waiting.append((own[path], namespace or own[path].namespace))
            elif namespace is not None:
                found.setdefault(path, set()).add(namespace)
    return found

"""What a kustomization says: which files it takes, and what it does to the objects in them.

Source: kubernetes-sigs/kustomize api/types/kustomization.go, and what `kubectl kustomize` (5.5) prints.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import KUSTOMIZE, group_of
from lbcheck.dialects.kubernetes.recognise import KUSTOMIZATIONS
from lbcheck.dialects.kubernetes.view import View, opaque
from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source, Span

_RESOURCES = ("resources", "bases")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_GENERATORS = ("generators", "transformers", "helmCharts", "helmChartInflationGenerator", "replacements", "vars")
#: What says which fields of custom resources hold names.
_REFERENCES = ("configurations", "crds")
#: Those of them that change objects which are there, whichever they are.
_CHANGING = ("transformers", "replacements")
#: A pattern that is the text itself, as far as one can say.
_PLAIN = pattern(r"[A-Za-z0-9-]*\Z")
#: With more patterns every object may be patched.
_MOST_PATTERNS = 100
#: The longest name of an object.
_LONGEST = 253
#: What of a pattern is read: letters, digits and dashes, and `.*` between them.
_SIMPLE = pattern(r"[A-Za-z0-9-]*(?:\.\*[A-Za-z0-9-]*)*\Z")


class Targets:
    """Whom patches change: kinds and names, each a pattern, None for any. More that a target asks is passed over."""

    __slots__ = ("_patterns", "_plain", "everything")

    def __init__(self) -> None:
        self._plain: set[tuple[str | None, str | None]] = set()
        self._patterns: set[tuple[str | None, str | None]] = set()
        #: A patch that was not read, or that may change any object.
        self.everything = False

    def add(self, kind: str | None, name: str | None) -> None:
        """Add the target of a patch."""
        if (kind is None or _PLAIN.match(kind)) and (name is None or _PLAIN.match(name)):
            self._plain.add((kind, name))
        else:
            self._patterns.add((kind, name))
            self.everything |= len(self._patterns) > _MOST_PATTERNS

    def take(self, kind: str, *names: str) -> bool:
        """Say whether a patch may change an object of that kind with one of these names."""
        if self.everything or (kind, None) in self._plain or (None, None) in self._plain:
            return True
        if any((kind, name) in self._plain or (None, name) in self._plain for name in names):
            return True
        return any(_fits(one, kind) and any(_fits(other, name) for name in names) for one, other in self._patterns)


def _fits(wanted: str | None, text: str) -> bool:
    """Say whether a text may fit an anchored pattern; one that is more than letters and `.*` fits everything."""
    if wanted is None or not _SIMPLE.match(wanted):
        return True
    first, *others = wanted.split(".*")
    if not others:
        return text == wanted
    if not text.startswith(first) or not text.endswith(others[-1]):
        return False
    at = len(first)
    for part in others:
        at = text.find(part, at) + len(part)
        if at < len(part):
            return False
    return True


class Kustomization:
    """One of them. `resources` and `components` are what it names; `leads_to` and `parts` the files found for these.

    `labels` are those that all objects get, `selectors` of these the ones that selectors and pods get too, `templates`
    those that pods get alone. `patches` are the files
    of patches that say themselves whom they change; they are read as well.
    """

    __slots__ = (
        "components",
        "labels",
        "leads_to",
        "namespace",
        "parts",
        "patches",
        "prefix",
        "replicas",
        "resources",
        "selectors",
        "source",
        "suffix",
        "targets",
        "templates",
        "unfollowed",
    )

    def __init__(self, source: Source) -> None:
        self.source = source
        self.namespace: str | None = None
        self.prefix = ""
        self.suffix = ""
        self.labels: dict[str, str] = {}
        self.selectors: dict[str, str] = {}
        self.templates: dict[str, str] = {}
        self.replicas: dict[str, ScalarNode] = {}
        self.resources: list[ScalarNode] = []
        self.components: list[ScalarNode] = []
        self.leads_to: list[str] = []
        self.parts: list[str] = []
        self.patches: list[ScalarNode] = []
        self.targets = Targets()
        self.unfollowed: list[tuple[Span, str]] = []

    def place(self, name: str) -> str:
        """Return the path of what the kustomization names."""
        return os.path.normpath(os.path.join(os.path.dirname(self.source.path), name))


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
    found.prefix, found.suffix = view.text("namePrefix") or "", view.text("nameSuffix") or ""
    if opaque(found.prefix + found.suffix) or len(found.prefix + found.suffix) > _LONGEST:
        found.prefix = found.suffix = ""
        found.targets.everything = True
    for key in _RESOURCES:
        found.resources.extend(view.texts(key))
    found.components.extend(view.texts("components"))
    _labels(found, view)
    for key in _PATCHES:
        if key in view:
            found.unfollowed.append((view.fields[key][0].span, f"{key}: patches are not applied"))
        for node in view.items(key):
            _patch(found, node if isinstance(node, ScalarNode) else View(node))
    for key in _GENERATORS:
        if key in view:
            found.unfollowed.append((view.fields[key][0].span, f"{key}: what it makes is not known"))
            found.targets.everything |= key in _CHANGING
    for key in _REFERENCES:
        if key in view:
            found.unfollowed.append((view.fields[key][0].span, f"{key}: which names it changes is not known"))
            found.targets.everything = True
    for item in view.views("replicas"):
        count = item.scalar("count")
        if count is not None:
            found.replicas[item.text("name") or ""] = count
    return found


def _labels(found: Kustomization, view: View) -> None:
    """Note the labels that selectors and pods get."""
    found.selectors.update(view.strings("commonLabels"))
    found.labels.update(found.selectors)
    for item in view.views("labels"):
        found.labels.update(item.strings("pairs"))
        if item.flag("includeSelectors"):
            found.selectors.update(item.strings("pairs"))
        elif item.flag("includeTemplates"):
            found.templates.update(item.strings("pairs"))
        if "fields" in item:
            found.unfollowed.append((item.place("fields"), "labels: fields of one's own are not followed"))


def _patch(found: Kustomization, patch: ScalarNode | View) -> None:
    """Note whom a patch changes, or the file in which it says so."""
    if isinstance(patch, ScalarNode):
        if "\n" in patch.text:
            _inline(found, patch)
        else:
            found.patches.append(patch)
        return
    target, path, inline = patch.view("target"), patch.scalar("path"), patch.scalar("patch")
    if target:
        found.targets.add(target.text("kind"), target.text("name"))
    elif path is not None:
        found.patches.append(path)
    elif inline is not None:
        _inline(found, inline)


def _inline(found: Kustomization, patch: ScalarNode) -> None:
    from lbcheck.dialects import yaml
    from lbcheck.text import Source

    stream = yaml.read(Source(found.source.path, patch.text))
    found.targets.everything |= bool(stream.hits)
    for root in stream.documents:
        fields = View(root)
        found.targets.add(fields.text("kind"), fields.view("metadata").text("name"))

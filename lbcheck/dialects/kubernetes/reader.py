"""From files to objects: documents, lists taken apart, kustomizations followed, templates left alone."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from lbcheck.dialects import json_documents, yaml
from lbcheck.dialects.kubernetes import kustomize
from lbcheck.dialects.kubernetes.kinds import INERT, group_of, relevant, unread
from lbcheck.dialects.kubernetes.objects import Cluster, Object, kind_of
from lbcheck.dialects.kubernetes.recognise import KUSTOMIZATIONS, holds_bootstrap, recognises
from lbcheck.dialects.kubernetes.view import View, first_line
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode, duplicate_keys, nodes
from lbcheck.files import MAX_FILES, UnreadableError
from lbcheck.findings import UNREAD, Hit, NotChecked, Related
from lbcheck.patterns import pattern
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.kubernetes.kustomize import Kustomization
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import Files
    from lbcheck.model import Config

#: What stands in a template and in no YAML.
_TEMPLATE = pattern(r"\{\{|\{%|<%")
#: Of an object with more keys that stand twice the others are not told.
_MOST_TWICE = 50
HINT = "a template: pipe `helm template` or `kustomize build` into `lbcheck check -`"


#: Of a document that is a list itself.
BARE = "objects in a bare list, which kubectl refuses: it takes `kind: List` with `items`"


class Reader:
    """Reads files into a cluster; what is wrong with the texts goes to the config."""

    def __init__(self, files: Files, config: Config) -> None:
        self.files = files
        self.config = config
        self.cluster = Cluster()
        self.kustomizations: list[Kustomization] = []
        self._seen: set[str] = set()
        self._from: dict[str, list[Object]] = {}

    def run(self, paths: Sequence[str]) -> Cluster:
        """Read the files, and what the kustomizations among them name."""
        waiting = list(reversed(paths))
        while waiting:
            path = os.path.normpath(waiting.pop()) if waiting[-1] != "-" else waiting.pop()
            if path in self._seen:
                continue
            if len(self._seen) >= MAX_FILES:
                break
            self._seen.add(path)
            found = self._file(path)
            if found is not None:
                waiting.extend(reversed(self._resources(found)))
        if self.kustomizations:
            from lbcheck.dialects.kubernetes import builds

            self.config.unmodelled.extend(builds.apply(self.kustomizations, self._from))
        self.cluster.index()
        return self.cluster

    def _file(self, path: str) -> Kustomization | None:
        """Read one file; return what it says about others where it is a kustomization."""
        try:
            source = self.files.read(path)
        except UnreadableError as error:
            self._unreadable(path, error)
            return None
        self.config.files.append(source)
        stream = _stream(source)
        if self._templated(source, stream):
            return None
        self.config.hits.extend(stream.hits)
        if not stream.hits:
            self._from[source.path] = []
        self.cluster.documents.extend(stream.documents)
        for root in stream.documents:
            view = View(root)
            if kustomize.is_one(view, source.path):
                found = kustomize.read(view, source)
                self.kustomizations.append(found)
                return found
            self._add(view, "", source)
        return None

    def _unreadable(self, path: str, error: UnreadableError) -> None:
        source = Source(path, "")
        self.config.files.append(source)
        if error.code is None:
            self.config.unmodelled.append(NotChecked(source.span(0, 0), error.reason))
        else:
            args = {"problem": f"{path} cannot be read: {error.reason}", "advice": "name a readable file"}
            self.config.hits.append(Hit(error.code, source.span(0, 0), args))

    def _templated(self, source: Source, stream: yaml.Stream) -> bool:
        """Say whether the file is a template through and through, and note it as not checked.

        `{{ … }}` inside quotes or a block of text is a value; bare, it reads as a mapping or is no YAML at all.
        """
        text = source.text
        found = _TEMPLATE.search(text) if "{" in text or "<" in text else None
        if found is None:
            return False
        broken = any(hit.code == "E01" for hit in stream.hits)
        bare = any(
            isinstance(node, MappingNode) and text.startswith("{{", node.start)
            for root in stream.documents
            for node in nodes(root)
        )
        if broken or bare:
            self.config.unmodelled.append(NotChecked(source.span(found.start(), found.end()), HINT))
        return broken or bare

    def _add(self, view: View, pointer: str, source: Source, listed: tuple[str, str] = ("", "")) -> None:
        """Add an object, or the objects of a list; `listed` are the apiVersion and kind that a list gives its own."""
        api, kind = kind_of(view, listed)
        if kind.endswith("List") and "items" in view:
            for at, item in enumerate(view.items("items")):
                self._add(View(item), f"{pointer}/items/{at}", source, (api, kind.removesuffix("List")))
        elif isinstance(view.node, SequenceNode):
            self._refused(view.node)
        elif relevant(api, kind) or (view.node is not None and holds_bootstrap(api, kind, view.node.span.text)):
            found = Object(view, pointer, listed)
            self.cluster.objects.append(found)
            self._from.setdefault(source.path, []).append(found)
            self.config.hits.extend(_twice(found.node))
        elif unread(api, kind):
            self.config.unmodelled.append(
                NotChecked(view.place("kind"), f"where an object of the kind {kind} sends traffic")
            )

    def _refused(self, node: SequenceNode) -> None:
        """Note objects that stand in a bare list: not so the operations of a JSON patch."""
        if any(all(kind_of(View(item))) for item in node.items):
            self.config.unmodelled.append(NotChecked(first_line(node), BARE))

    def _resources(self, one: Kustomization) -> list[str]:
        """Return the files that a kustomization names and that are here; the others are not checked.

        A file that is here and holds no object that has to do with traffic is neither.
        """
        found = []
        for entries, taken in ((one.resources, one.leads_to), (one.components, one.parts)):
            for entry in entries:
                path = self._resolved(one, entry)
                if path is None:
                    self.config.unmodelled.append(NotChecked(entry.span, f"{entry.text} {UNREAD}"))
                elif path:
                    taken.append(path)
                    found.append(path)
        found += [path for path in (one.place(entry.text) for entry in one.patches) if self._is_there(path)]
        for span, what in one.unfollowed:
            self.config.unmodelled.append(NotChecked(span, what))
        return found

    def _is_there(self, path: str) -> bool:
        try:
            self.files.read(path)
        except UnreadableError:
            return False
        return True

    def _resolved(self, one: Kustomization, entry: ScalarNode) -> str | None:
        """Return the path of a file, or of the kustomization in a folder; "" for a file of other objects."""
        if "://" in entry.text or "?ref=" in entry.text or entry.text.startswith(("git@", "github.com/")):
            return None
        path = os.path.normpath(os.path.join(os.path.dirname(one.source.path), entry.text))
        candidates = [path] if path.endswith((".yaml", ".yml", ".json")) else []
        candidates += [os.path.join(path, name) for name in KUSTOMIZATIONS]
        for candidate in candidates:
            try:
                source = self.files.read(candidate)
            except UnreadableError:
                continue
            if os.path.basename(candidate) in KUSTOMIZATIONS or recognises(source):
                return os.path.normpath(candidate)
            return os.path.normpath(candidate) if candidate in self._seen else _of_others(source)
        return None


def _stream(source: Source) -> yaml.Stream:
    """Return the documents of a file: YAML, or JSON objects one after another."""
    stream = yaml.read(source)
    parts = json_documents.bounds(source.text) if stream.hits else []
    return yaml.read_parts(source, parts) if parts else stream


def _of_others(source: Source) -> str | None:
    """Return "" where a text is made of objects that neither decide traffic nor make any that do, else None."""
    stream = _stream(source)
    views = [View(root) for root in stream.documents]
    plain = bool(views) and all(group_of(view.text("apiVersion") or "?/") in INERT for view in views)
    return "" if plain and not stream.hits and _TEMPLATE.search(source.text) is None else None


def _twice(root: Node) -> Iterator[Hit]:
    for first, second in islice(duplicate_keys(root), _MOST_TWICE):
        problem = f"the key {second.span.text[:60]} stands here twice: kubectl takes the last one, kustomize refuses it"
        args = {"problem": problem, "advice": "keep one of them"}
        yield Hit("E10", second.span, args, related=[Related(first.span, "the first one is here")])

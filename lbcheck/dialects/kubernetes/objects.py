"""Objects of manifests, and all of them together, found by what they are and by what they are called."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import CLUSTER_WIDE, CORE, group_of
from lbcheck.dialects.kubernetes.view import View, first_line, opaque
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.services import ServicePort
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Setting
    from lbcheck.text import Source, Span

DEFAULT_NAMESPACE = "default"


def kind_of(root: View, listed: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """Return an object's apiVersion and kind; without both it is of those that its list says (`listed`).

    Source: apimachinery's unstructuredJSONScheme decodeToList().
    """
    api, kind = root.text("apiVersion") or "", root.text("kind") or ""
    return (api, kind) if api or kind else listed


class Object:
    """One object of a manifest.

    `namespace` is the effective one: as written, as a kustomization sets it, or "default"; "" where the kind has none.
    `pointer` leads to it within its document, "" for a document of its own. `patched`: a kustomization changes it in
    ways that were not followed, so that what it lacks may come from there. `wrong`: the API server would refuse it.

    `name` is the effective one as well, `written` the one in the file. Of what kustomizations add, `added` are labels
    (to a Service's selector, a workload's pods), `count` a number of pods, which `uncounted` says is not known, and
    `links` the new names of objects that this one refers to, by kind and name.
    """

    __slots__ = (
        "added",
        "count",
        "group",
        "kind",
        "known_ports",
        "links",
        "meta",
        "name",
        "namespace",
        "patched",
        "pointer",
        "root",
        "spec",
        "uncounted",
        "version",
        "written",
        "wrong",
    )

    def __init__(self, root: View, pointer: str = "", listed: tuple[str, str] = ("", "")) -> None:
        api, kind = kind_of(root, listed)
        self.root = root
        self.pointer = pointer
        self.group = group_of(api)
        self.version = api.rpartition("/")[2]
        self.kind = kind
        self.meta = root.view("metadata")
        self.spec = root.view("spec")
        self.written = self.name = self.meta.text("name") or ""
        own = self.meta.text("namespace")
        self.namespace = "" if self.kind in CLUSTER_WIDE else own or DEFAULT_NAMESPACE
        self.patched = False
        self.wrong = False
        self.added: dict[str, str] = {}
        self.count: Setting[int] | None = None
        self.uncounted = False
        self.links: dict[tuple[str, str], str] = {}
        #: A Service's ports, once they were asked for.
        self.known_ports: list[ServicePort] | None = None

    @property
    def node(self) -> Node:
        """The object's mapping."""
        if self.root.node is None:
            raise ValueError("an object is a mapping")
        return self.root.node

    @property
    def source(self) -> Source:
        """The text in which it is written."""
        return self.node.source

    @property
    def span(self) -> Span:
        """Where it says what it is called; its first line where it does not."""
        name = self.meta.scalar("name")
        return first_line(self.node) if name is None else name.span

    @property
    def labels(self) -> dict[str, str]:
        """Its own labels."""
        own = self.meta.strings("labels")
        return own | self.added if self.kind == "Namespace" else own

    @property
    def selector(self) -> dict[str, str]:
        """The labels that a Service selects."""
        return self.spec.strings("selector") | self.added

    def linked(self, kind: str, name: str) -> str:
        """Return the effective name of what it refers to."""
        return self.links.get((kind, name), name)

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations."""
        return self.meta.strings("annotations")

    @property
    def shown(self) -> str:
        """What people call it: its name, with the namespace where that is not the default one."""
        return shown(self.namespace, self.name)

    @property
    def opaque(self) -> bool:
        """Whether another program has yet to write its name or namespace."""
        return opaque(self.name) or opaque(self.namespace)

    @property
    def sure(self) -> bool:
        """Whether it says all of what will be applied, and the API server takes it."""
        return not (self.patched or self.wrong or self.opaque)

    def is_a(self, group: str, *kinds: str) -> bool:
        """Say whether it is of one of these kinds."""
        return self.group == group and self.kind in kinds

    def __repr__(self) -> str:
        return f"Object({self.kind} {self.namespace}/{self.name})"


def shown(namespace: str, name: str) -> str:
    """Return how an object is named in messages."""
    return name if namespace in ("", DEFAULT_NAMESPACE) else f"{namespace}/{name}"


class Cluster:
    """All objects of a run. What lies twice in it (a base and its copy, two environments) is there twice."""

    __slots__ = ("_by_kind", "_by_name", "_places", "_within", "documents", "objects")

    def __init__(self) -> None:
        self.objects: list[Object] = []
        self.documents: list[Node] = []
        self._by_kind: dict[tuple[str, str], list[Object]] = {}
        self._by_name: dict[tuple[str, str, str, str], list[Object]] = {}
        self._within: dict[tuple[str, str, str], list[Object]] = {}
        self._places: dict[int, tuple[list[int], list[Object]]] | None = None

    def index(self) -> None:
        """Find objects by kind and by name from now on: they have their namespaces."""
        self._by_kind.clear()
        self._by_name.clear()
        for one in self.objects:
            self._by_kind.setdefault((one.group, one.kind), []).append(one)
            self._by_name.setdefault((one.group, one.kind, one.namespace, one.name), []).append(one)

    def all(self, group: str, *kinds: str) -> list[Object]:
        """Return the objects of these kinds."""
        return [one for kind in kinds for one in self._by_kind.get((group, kind), ())]

    def named(self, group: str, kind: str, namespace: str, name: str) -> list[Object]:
        """Return the objects of that name; several where the run holds several versions of one."""
        return self._by_name.get((group, kind, namespace, name), [])

    def within(self, group: str, kind: str, namespace: str) -> list[Object]:
        """Return the objects of a kind in one namespace."""
        key = (group, kind, namespace)
        if key not in self._within:
            self._within[key] = [one for one in self.all(group, kind) if one.namespace == namespace]
        return self._within[key]

    def service(self, namespace: str, name: str) -> list[Object]:
        """Return the Services of that name."""
        return self.named(CORE, "Service", namespace, name)

    def at(self, span: Span) -> Object | None:
        """Return the object in which a place lies."""
        if self._places is None:
            self._places = {}
            for one in sorted(self.objects, key=lambda one: one.node.start):
                starts, objects = self._places.setdefault(id(one.source), ([], []))
                starts.append(one.node.start)
                objects.append(one)
        starts, objects = self._places.get(id(span.source), ([], []))
        at = bisect_right(starts, span.start) - 1
        return objects[at] if at >= 0 and span.start <= objects[at].node.end else None

    def subject(self, span: Span) -> tuple[dict[str, str] | None, str | None]:
        """Return the object that a place belongs to, and the JSON Pointer to it within the object's document."""
        owner = self.at(span)
        if owner is None:
            return None, None
        about = {"kind": owner.kind, "namespace": owner.namespace, "name": owner.name}
        return about, owner.pointer + pointer_to(owner.node, span.start)


def pointer_to(node: Node, offset: int) -> str:
    """Return the JSON Pointer (RFC 6901) to the innermost value below `node` at the offset, or whose key is there."""
    steps: list[str] = []
    while True:
        found = _step(node, offset)
        if found is None:
            return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        steps.append(found[0])
        node = found[1]


def _step(node: Node, offset: int) -> tuple[str, Node] | None:
    if isinstance(node, SequenceNode):
        at = bisect_right(node.items, offset, key=lambda item: item.start) - 1
        return (str(at), node.items[at]) if at >= 0 and offset < max(node.items[at].end, 1) else None
    if isinstance(node, MappingNode):
        at = bisect_right(node.pairs, offset, key=lambda pair: pair[0].start) - 1
        key, value = node.pairs[at] if at >= 0 else (node, node)
        if isinstance(key, ScalarNode) and offset < max(value.end, key.end):
            return key.text, value
    return None

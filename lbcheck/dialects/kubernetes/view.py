"""A mapping of a manifest, asked by the names of its fields.

A field that is absent, null or of another type than asked for reads as absent: what is not of the type is reported
where objects are judged, and elsewhere only passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

#: Expressions that another program fills in before the object is applied: what contains one is not known.
OPAQUE = pattern(
    r"\{\{|\{%|<%|\$\{|\$\(|\$[A-Z][A-Z0-9_]+|<[A-Za-z][^<>]*>"
    r"|\{[A-Z][A-Z_]{2,}\}|__[A-Z][A-Z_]*__|\b(?:PLACEHOLDER|CHANGE_?ME|REPLACE|YOUR)"
)

#: What most names and values are made of, and none of those expressions: told in a fraction of the time.
_FILLED = pattern(r"[a-z0-9./:-]*\Z")

#: How YAML writes that there is nothing, where it stands without quotes.
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class View:
    """The fields of a node; of a node that is no mapping, none. `home` is what an absent one would stand in."""

    __slots__ = ("fields", "home", "node")

    def __init__(self, node: Node | None, home: Node | None = None) -> None:
        self.node = node
        self.home = home
        self.fields = node.fields() if isinstance(node, MappingNode) else {}

    def __bool__(self) -> bool:
        return isinstance(self.node, MappingNode)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Node | None:
        """Return a field's value; None where it is absent or null."""
        pair = self.fields.get(name)
        if pair is None:
            return None
        node = pair[1]
        if node.__class__ is ScalarNode and node.text in _NULLS and node.value is None:
            return None
        return node

    def view(self, *path: str) -> View:
        """Return the mapping at a path of names."""
        found = self
        for name in path:
            found = View(found.get(name), found.node or found.home)
        return found

    def scalar(self, name: str) -> ScalarNode | None:
        """Return a single value."""
        pair = self.fields.get(name)  # as `get` does: this is asked for more often than anything else
        if pair is None:
            return None
        node = pair[1]
        if node.__class__ is not ScalarNode or (node.text in _NULLS and node.value is None):
            return None
        return node

    def text(self, name: str) -> str | None:
        """Return a single value as it is written."""
        node = self.scalar(name)
        return None if node is None else node.text

    def integer(self, name: str) -> int | None:
        """Return a whole number."""
        node = self.scalar(name)
        return None if node is None else integer(node)

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        node = self.scalar(name)
        value = None if node is None else node.value
        return value if isinstance(value, bool) else None

    def items(self, name: str) -> list[Node]:
        """Return the items of a list."""
        node = self.get(name)
        return node.items if isinstance(node, SequenceNode) else []

    def views(self, name: str) -> list[View]:
        """Return the mappings of a list; what is no mapping stands there as an empty one, so that indexes hold."""
        return [View(item) for item in self.items(name)]

    def texts(self, name: str) -> list[ScalarNode]:
        """Return the single values of a list."""
        return [item for item in self.items(name) if isinstance(item, ScalarNode)]

    def strings(self, name: str) -> dict[str, str]:
        """Return the single values of a mapping, by name: labels, a selector, annotations."""
        pairs = View(self.get(name)).fields.items()
        return {key: value.text for key, (_, value) in pairs if isinstance(value, ScalarNode) and value.text != "null"}

    def place(self, name: str) -> Span:
        """Return where a field's value stands: its key where the value is no single one; the mapping without it."""
        pair = self.fields.get(name)
        if pair is None:
            return self.span
        key, value = pair
        return value.span if isinstance(value, ScalarNode) and value.end > value.start else key.span

    @property
    def span(self) -> Span:
        """The first line of the mapping, or of the one in which it is absent."""
        node = self.node or self.home
        if node is None:
            raise ValueError("an absent mapping in none has no place")
        return first_line(node)


def first_line(node: Node) -> Span:
    """Return what a node writes on its first line."""
    end = node.source.text.find("\n", node.start, node.end)
    return node.source.span(node.start, node.end if end < 0 else end)


def integer(node: ScalarNode) -> int | None:
    """Return the whole number that a value is, written as one; a text in quotes is none."""
    value = node.value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def opaque(text: str | None) -> bool:
    """Say whether another program has yet to fill in a part of the text."""
    return text is not None and _FILLED.match(text) is None and OPAQUE.search(text) is not None

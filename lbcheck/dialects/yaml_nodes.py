"""YAML nodes: values with their exact places, and what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.yaml_scalars import resolve
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.text import Source


class Node:
    """A value and its place; `tag` is an explicit one, or None. Aliases give the node that they stand for."""

    __slots__ = ("end", "source", "start", "tag")

    def __init__(self, source: Source, start: int, end: int, tag: str | None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.tag = tag

    @property
    def span(self) -> Span:
        """The text from its first to behind its last character."""
        return Span(self.source, self.start, self.end)


class ScalarNode(Node):
    """A single value: `text` as read, `plain` if it stands without quotes."""

    __slots__ = ("plain", "text")

    def __init__(self, source: Source, start: int, end: int, tag: str | None, text: str, *, plain: bool) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.tag = tag
        self.text = text
        self.plain = plain

    @property
    def value(self) -> Any:
        """What it means: None, a boolean, an int, a float, or text."""
        return resolve(self.text, self.tag, plain=self.plain)


class SequenceNode(Node):
    """A list of nodes. `twice`: a key may stand twice in a mapping below it."""

    __slots__ = ("items", "twice")

    def __init__(self, source: Source, start: int, end: int, tag: str | None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.tag = tag
        self.items: list[Node] = []
        self.twice = True


class MappingNode(Node):
    """Pairs of key and value nodes in order of writing, duplicates and merge keys (`<<`) among them.

    `twice`: a key may stand twice in it or below.
    """

    __slots__ = ("_fields", "_merging", "pairs", "twice")

    def __init__(self, source: Source, start: int, end: int, tag: str | None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.tag = tag
        self.pairs: list[tuple[Node, Node]] = []
        self.twice = True
        self._merging = False
        self._fields: dict[str, tuple[ScalarNode, Node]] | None = None

    def add(self, key: Node, value: Node) -> None:
        """Add a pair, as the reader meets it."""
        pair: Any = (key, value)
        self.pairs.append(pair)
        if key.__class__ is ScalarNode:
            text = key.text
            fields = self._fields
            if fields is None:
                fields = self._fields = {}
            if text == "<<":
                self._merging = True
            elif text in fields:
                self.twice = True
            else:
                fields[text] = pair

    def fields(self) -> dict[str, tuple[ScalarNode, Node]]:
        """Return key and value nodes by the key's text. The first of duplicates counts, written before merged.

        It is made once, for the readers ask again and again: nobody may change it, nor the pairs afterwards.
        """
        if self._fields is None or self._merging:
            self._fields = self._by_key()
            self._merging = False
        return self._fields

    def _by_key(self) -> dict[str, tuple[ScalarNode, Node]]:
        found: dict[str, tuple[ScalarNode, Node]] = {}
        merged = []
        for key, value in self.pairs:
            if not isinstance(key, ScalarNode):
                continue
            if key.text == "<<" and key.plain:
                merged.append(value)
            elif key.text not in found:
                found[key.text] = (key, value)
        for value in merged:
            for one in value.items if isinstance(value, SequenceNode) else (value,):
                if isinstance(one, MappingNode):
                    for text, pair in one.fields().items():
                        found.setdefault(text, pair)
        return found


def duplicate_keys(node: Node) -> Iterator[tuple[Node, Node]]:
    """Yield (first key, further key) for keys that a mapping below `node` has twice."""
    looked: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, (MappingNode, SequenceNode)) or not one.twice or id(one) in looked:
            continue
        looked.add(id(one))
        if isinstance(one, MappingNode):
            yield from _twice(key for key, _ in one.pairs)
            waiting += [value for _, value in reversed(one.pairs)]
        else:
            waiting += reversed(one.items)


def _twice(keys: Iterable[Node]) -> Iterator[tuple[Node, Node]]:
    seen: dict[str, Node] = {}
    for key in keys:
        if isinstance(key, ScalarNode) and key.text != "<<":
            first = seen.setdefault(key.text, key)
            if first is not key:
                yield first, key


def nodes(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, each once however many aliases lead to it."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        if not isinstance(one, ScalarNode):
            seen.add(id(one))
        yield one
        if isinstance(one, SequenceNode):
            waiting.extend(reversed(one.items))
        elif isinstance(one, MappingNode):
            for key, value in reversed(one.pairs):
                waiting += (value, key)


def to_data(node: Node) -> Any:
    """Return plain lists, dictionaries and values, as `MappingNode.fields` sees mappings; bounded by the limits."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [to_data(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {text: to_data(value) for text, (_, value) in node.fields().items()}
    return None


def at_path(node: Node, path: Iterable[str | int]) -> Node:
    """Return the node at a path of keys and indexes in what `to_data` gives, as far as the path leads."""
    for step in path:
        if isinstance(node, MappingNode) and isinstance(step, str):
            pair = node.fields().get(step)
            if pair is None:
                return node
            node = pair[1]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return node
    return node


def blocks(documents: Iterable[Node]) -> Iterator[Span]:
    """Yield the extents that a comment on their first line speaks for: entries whose value is a list or mapping."""
    for document in documents:
        for one in nodes(document):
            if isinstance(one, MappingNode):
                for key, value in one.pairs:
                    if not isinstance(value, ScalarNode) and value.end > key.start:
                        yield Span(one.source, key.start, value.end)
            elif isinstance(one, SequenceNode):
                for item in one.items:
                    if not isinstance(item, ScalarNode):
                        yield item.span

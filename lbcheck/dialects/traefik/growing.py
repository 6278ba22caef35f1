"""Mappings that are put together name by name, from labels and arguments, until they are read like those of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.containers import Text
    from lbcheck.text import Source, Span

_INDEX = pattern(r"(?P<name>[^\[\]]+)\[(?P<at>[0-9]{1,4})\]\Z")
#: Names whose values are lists of texts, written with commas.
_LISTS = frozenset({"entrypoints", "middlewares", "parentrefs", "sans", "status"})
_STRING = "tag:yaml.org,2002:str"


class Growing(MappingNode):
    """A mapping that still changes, its values found by name without regard to case.

    `fields()` is for those who come when it is whole.
    """

    __slots__ = ("_places",)

    def __init__(self, source: Source, span: Span) -> None:
        super().__init__(source, span.start, span.end, None)
        self._places: dict[str, int] = {}

    def get(self, name: str) -> Node | None:
        """Return the value of a name; None where there is none."""
        at = self._places.get(name.lower())
        return None if at is None else self.pairs[at][1]

    def inside(self, *names: str) -> Growing | None:
        """Return the mapping that a path of names leads to; None where it leads to none."""
        found: Growing | None = self
        for name in names:
            value = None if found is None else found.get(name)
            found = value if isinstance(value, Growing) else None
        return found

    def put(self, name: str, span: Span, value: Node) -> None:
        """Give a name its value, in place of one that it has."""
        at = self._places.setdefault(name.lower(), len(self.pairs))
        if at == len(self.pairs):
            self.pairs.append((scalar(name, span), value))
        else:
            self.pairs[at] = (self.pairs[at][0], value)

    def rename(self, name: str, other: str) -> None:
        """Give a value another name, where there is one."""
        at = self._places.pop(name.lower(), None)
        if at is not None:
            key, value = self.pairs[at]
            self.pairs[at] = (scalar(other, key.span), value)
            self._places[other] = at

    def named(self) -> list[tuple[ScalarNode, Node]]:
        """Return keys and values in order of writing."""
        return [(key, value) for key, value in self.pairs if isinstance(key, ScalarNode)]

    def write(self, path: list[str], value: Text, span: Span) -> None:
        """Put a value below a path of names; `domains[0]` is the first item of a list. The first value counts."""
        *folders, last = path
        node = self
        for name in folders:
            node = node._below(name, span)
        if node.get(last) is not None:
            return
        if last.lower() in _LISTS:
            items = SequenceNode(value.span.source, value.span.start, value.span.end, None)
            items.items += [scalar(word.strip(), value.span) for word in value.value.split(",")]
            node.put(last, span, items)
        else:
            node.put(last, span, scalar(value.value, value.span, tag=None))

    def _below(self, name: str, span: Span) -> Growing:
        match = _INDEX.match(name)
        word = match["name"] if match else name
        found = self.get(word)
        if found is None or isinstance(found, ScalarNode):  # `--providers.docker` before `--providers.docker.network=a`
            found = SequenceNode(span.source, span.start, span.end, None) if match else Growing(span.source, span)
            self.put(word, span, found)
        if isinstance(found, SequenceNode):
            at = int(match["at"]) if match else 0
            found.items += [Growing(span.source, span) for _ in range(at + 1 - len(found.items))]
            found = found.items[at]
        return found if isinstance(found, Growing) else Growing(span.source, span)

    def join(self, other: Growing) -> None:
        """Take over what another one has: items of `servers` come together, everything else stands once."""
        for key, value in other.named():
            found = self.get(key.text)
            if found is None:
                self.put(key.text, key.span, value)
            elif isinstance(found, Growing) and isinstance(value, Growing):
                found.join(value)
            elif isinstance(found, SequenceNode) and isinstance(value, SequenceNode) and key.text == "servers":
                found.items += value.items


def scalar(text: str, span: Span, *, tag: str | None = _STRING) -> ScalarNode:
    """Return a single value at a place: a text, or without a tag what it means to YAML."""
    return ScalarNode(span.source, span.start, span.end, tag, text, plain=tag is None)

"""Typed access to a message's fields, as Envoy reads them from YAML or JSON (protobuf's JSON mapping).

A field may be written in snake_case or in lowerCamelCase, a number as text, a repeated field with one value without
the brackets. What is not of the type gives None: shape.py has reported it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import api, scalars
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.model import Duration, Setting
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.text import Span

#: Expressions that a template engine or the shell fills in later: a text that contains one is not known.
TEMPLATE = pattern(r"\{\{|\{%|<%|\$\{|\$\(|@@|\$[A-Za-z_]\w*\Z")
#: What scripts replace before Envoy sees it, such as HOST_PORT.
PLACEHOLDER = pattern(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z|__\w+__\Z")
#: Statements of template engines: loops and conditions decide what is between them.
STATEMENT = pattern(r"\{%|<%|\{\{-?\s*(?:range|if|else|end|with|define|include|#|/)")

#: A duration of protobuf's JSON mapping: decimal seconds.
DURATION = pattern(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?s\Z")
_CAPITAL = re.compile(r"[A-Z]")

Pair = tuple[ScalarNode, Node]


def snake(name: str) -> str:
    """Return a field's name in the proto file: clusterName → cluster_name."""
    return name if name.islower() else _CAPITAL.sub(lambda found: "_" + found[0].lower(), name)


class Message:
    """A mapping node and its fields by their names in the proto files; empty for any other node."""

    __slots__ = ("fields", "node")

    def __init__(self, node: Node | None) -> None:
        self.node = node
        self.fields: dict[str, Pair] = {}
        if isinstance(node, MappingNode):
            self.fields = {snake(name): pair for name, pair in entries(node).items() if not null(pair[1])}

    def __bool__(self) -> bool:
        return bool(self.fields)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def span(self) -> Span:
        """The first line of the message. Only of messages that have a node."""
        assert self.node is not None  # noqa: S101 - asked only of what is written
        return first_line(self.node)

    def get(self, name: str) -> Node | None:
        """Return a field's value."""
        pair = self.fields.get(name)
        return None if pair is None else pair[1]

    def message(self, name: str) -> Message:
        """Return a field's message; an empty one where it is absent."""
        return Message(self.get(name))

    def messages(self, name: str) -> list[Message]:
        """Return a repeated field's messages."""
        return [Message(node) for node in self.items(name) if isinstance(node, MappingNode)]

    def items(self, name: str) -> list[Node]:
        """Return a repeated field's nodes."""
        node = self.get(name)
        if isinstance(node, SequenceNode):
            return node.items
        return [] if node is None else [node]

    def place(self, name: str) -> Span:
        """Return where a field is written: its value if that is a scalar, else its key."""
        key, value = self.fields[name]
        return value.span if isinstance(value, ScalarNode) and value.end > value.start else key.span

    def text(self, name: str) -> Setting[str] | None:
        """Return a text; numbers count as what was written."""
        node = self.get(name)
        if not isinstance(node, ScalarNode) or not node.text:
            return None
        return Setting(node.text, node.span)

    def word(self, name: str, default: str = "") -> str:
        """Return a text, or the default."""
        setting = self.text(name)
        return default if setting is None else setting.value

    def enum(self, name: str, kind: str) -> Setting[str] | None:
        """Return the word of an enum, by its full name in the API, however it is written; None where it is absent.

        The word is "" where this enum has none for what is written, or a template has yet to write it: shape.py has
        counted that as not checked, or reported it, and nothing may be concluded.
        """
        node = self.get(name)
        if not isinstance(node, ScalarNode) or not node.text:
            return None
        return Setting(api.word(scalars.enumerated(node), kind) or "", node.span)

    def integer(self, name: str) -> Setting[int] | None:
        """Return a whole number."""
        node = self.get(name)
        value = whole(node)
        return None if value is None or node is None else Setting(value, node.span)

    def number(self, name: str) -> Setting[float] | None:
        """Return a number."""
        node = self.get(name)
        value = scalars.number(node) if isinstance(node, ScalarNode) else None
        return None if value is None or node is None or not abs(value) < 1e15 else Setting(value, node.span)

    def boolean(self, name: str) -> Setting[bool] | None:
        """Return true or false."""
        node = self.get(name)
        value = scalars.truth(node) if isinstance(node, ScalarNode) else None
        return None if value is None or node is None else Setting(value, node.span)

    def true(self, name: str) -> bool:
        """Say whether a flag is set."""
        flag = self.boolean(name)
        return flag is not None and flag.value

    def seconds(self, name: str, noted: list[Duration] | None = None) -> Setting[float] | None:
        """Return a duration in seconds, and note how it was written."""
        node = self.get(name)
        if isinstance(node, MappingNode):
            return duration_in_parts(node)
        if not isinstance(node, ScalarNode) or not DURATION.match(node.text):
            return None
        value = float(node.text[:-1])
        if noted is not None:
            noted.append(Duration(name, node.text, "s", "s", value, node.span))
        return Setting(value, node.span)

    def percent(self, name: str) -> Setting[float] | None:
        """Return the `value` of an envoy.type.v3.Percent."""
        return self.message(name).number("value")

    def typed(self, *names: str) -> tuple[str, Message]:
        """Return the type's name, without its package, and the message of the first `Any` that is written."""
        for name in names:
            inside = self.message(name)
            if "@type" in inside:
                url = inside.word("@type").rpartition("/")[2]
                if url in ("xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"):
                    return inside.word("type_url").rpartition(".")[2], inside.message("value")
                return url.rpartition(".")[2], inside
        return "", Message(None)


def entries(node: MappingNode) -> dict[str, Pair]:
    """Return key and value nodes by the key's text; of duplicates the last, as Envoy takes it."""
    found = node.fields()
    if len(found) < len(node.pairs):
        found.update({key.text: (key, value) for key, value in node.pairs if isinstance(key, ScalarNode)})
    return found


def duration_in_parts(node: Node) -> Setting[float] | None:
    """Return a duration that is written as a message of seconds and nanos."""
    parts = entries(node) if isinstance(node, MappingNode) else {}
    if not parts or not set(parts) <= {"seconds", "nanos"}:
        return None
    seconds, nanos = (whole(parts[name][1]) if name in parts else 0 for name in ("seconds", "nanos"))
    return None if seconds is None or nanos is None else Setting(seconds + nanos / 1e9, node.span)


def whole(node: Node | None) -> int | None:
    """Return the whole number that a node stands for, however it is written."""
    return scalars.whole(node) if isinstance(node, ScalarNode) and len(node.text) <= 20 else None


def first_line(node: Node) -> Span:
    """Return the first line of a list or mapping."""
    end = node.source.text.find("\n", node.start, node.end)
    return node.source.span(node.start, node.end if end < 0 else end)


def texts(node: Node | None) -> list[ScalarNode]:
    """Return the scalars of a list, or the single one."""
    items = node.items if isinstance(node, SequenceNode) else [node]
    return [item for item in items if isinstance(item, ScalarNode)]


def pairs(node: Node | None) -> Iterator[Pair]:
    """Yield the entries of a map field, whose keys are no names of fields."""
    if isinstance(node, MappingNode):
        yield from entries(node).values()


def null(node: Node) -> bool:
    """Say whether a value is absent although its key is there: `null`, or nothing at all."""
    return isinstance(node, ScalarNode) and node.plain and node.value is None

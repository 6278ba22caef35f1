"""Typed access to a mapping's fields: a Setting with its place, or None where it is absent or not of the type.

What is not of the type has been reported by the schema; here it is only passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.native import values
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.model import Duration, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.text import Span

#: A mapping's key and value nodes by name: `MappingNode.fields()`.
Fields = dict[str, tuple[ScalarNode, Node]]


def of(node: Node | None) -> Fields:
    """Return a mapping's fields; none for any other node."""
    return node.fields() if isinstance(node, MappingNode) else {}


def place(pair: tuple[Node, Node]) -> Span:
    """Return where a field's value stands; the key where there is no value."""
    key, value = pair
    return value.span if value.end > value.start else key.span


def text(fields: Fields, name: str) -> Setting[str] | None:
    """Return a text; numbers count as the text that was written."""
    pair = fields.get(name)
    if pair is None or not isinstance(pair[1], ScalarNode) or not pair[1].text or pair[1].value is None:
        return None
    return Setting(pair[1].text, pair[1].span)


def integer(fields: Fields, name: str) -> Setting[int] | None:
    """Return a whole number that is not negative."""
    pair = fields.get(name)
    if pair is None or not isinstance(pair[1], ScalarNode):
        return None
    value = pair[1].value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return Setting(value, pair[1].span)


def number(fields: Fields, name: str) -> Setting[float] | None:
    """Return a number above 0."""
    pair = fields.get(name)
    value = pair[1].value if pair is not None and isinstance(pair[1], ScalarNode) else None
    if pair is None or isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e15:
        return None
    return Setting(float(value), pair[1].span)


def boolean(fields: Fields, name: str) -> Setting[bool] | None:
    """Return true or false."""
    pair = fields.get(name)
    value = pair[1].value if pair is not None and isinstance(pair[1], ScalarNode) else None
    return Setting(value, pair[1].span) if pair is not None and isinstance(value, bool) else None


def seconds(
    fields: Fields, name: str, noted: list[Duration] | None = None, keyword: str | None = None
) -> Setting[float] | None:
    """Return a time in seconds, and note how it was written, under its name or `keyword`."""
    pair = fields.get(name)
    if pair is None or not isinstance(pair[1], ScalarNode):
        return None
    known = values.seconds(pair[1].text)
    if known is None:
        return None
    if noted is not None:
        noted.append(Duration(keyword or name, pair[1].text, known[1], "s", known[0], pair[1].span))
    return Setting(known[0], pair[1].span)


def timeouts(fields: Fields, names: Mapping[str, str], noted: list[Duration]) -> dict[str, Setting[float]]:
    """Return the times of `timeouts`, by the model's names for them."""
    inside = of(fields["timeouts"][1]) if "timeouts" in fields else {}
    found = {}
    for name, model_name in names.items():
        setting = seconds(inside, name, noted, f"{name}_timeout")
        if setting is not None:
            found[model_name] = setting
    return found


def texts(pair: tuple[Node, Node] | None) -> list[str]:
    """Return one text, or a list's texts."""
    node = pair[1] if pair is not None else None
    items = node.items if isinstance(node, SequenceNode) else [node]
    return [item.text for item in items if isinstance(item, ScalarNode) and item.text]


def items(fields: Fields, name: str) -> list[Node]:
    """Return a list's items; none where it is no list."""
    node = fields[name][1] if name in fields else None
    return node.items if isinstance(node, SequenceNode) else []

"""Typed access to a mapping's fields as Traefik reads them: names without regard to case, numbers as text or not.

Names that somebody gave (of routers, of services) keep their case: they are read from the node itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik.values import TEMPLATE, seconds
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.model import Duration, Setting
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Span

#: A mapping's key and value nodes by name in lower case.
Fields = dict[str, tuple[ScalarNode, Node]]

_INTEGER = pattern(r"[-+]?[0-9]{1,18}\Z")
#: What Go's strconv.ParseBool takes.
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def of(node: Node | None) -> Fields:
    """Return a mapping's fields; none for any other node."""
    if not isinstance(node, MappingNode):
        return {}
    return {name.lower(): pair for name, pair in node.fields().items()}


def inside(fields: Fields, *names: str) -> Fields:
    """Return the fields of the mapping that a path of names leads to."""
    for name in names:
        fields = of(fields[name][1]) if name in fields else {}
    return fields


def written(fields: Fields, name: str) -> bool:
    """Say whether a field is there and not null, so that Traefik sees it (an empty mapping counts)."""
    if name not in fields:
        return False
    value = fields[name][1]
    return not isinstance(value, ScalarNode) or value.value is not None


def switched(fields: Fields, name: str) -> bool:
    """Say whether a section that may be empty is on: `{}`, `true` or with content, but not `false` nor nothing."""
    if not written(fields, name):
        return False
    value = fields[name][1]
    return not isinstance(value, ScalarNode) or value.text.lower() in ("true", "")


def place(pair: tuple[Node, Node]) -> Span:
    """Return where a field's value stands; the key where there is no value."""
    key, value = pair
    return value.span if isinstance(value, ScalarNode) and value.end > value.start else key.span


def scalar(fields: Fields, name: str) -> ScalarNode | None:
    """Return a single value that is written."""
    value = fields[name][1] if name in fields else None
    return value if isinstance(value, ScalarNode) and value.text and value.value is not None else None


def text(fields: Fields, name: str) -> Setting[str] | None:
    """Return a text; numbers count as the text that was written."""
    node = scalar(fields, name)
    return None if node is None else Setting(node.text, node.span)


def integer(fields: Fields, name: str) -> Setting[int] | None:
    """Return a whole number, in quotes or not."""
    node = scalar(fields, name)
    return Setting(int(node.text), node.span) if node is not None and _INTEGER.match(node.text) else None


def boolean(fields: Fields, name: str) -> Setting[bool] | None:
    """Return true or false."""
    node = scalar(fields, name)
    value = None if node is None else _BOOLEANS.get(node.text)
    return None if node is None or value is None else Setting(value, node.span)


def duration(fields: Fields, name: str, noted: list[Duration], keyword: str) -> Setting[float] | None:
    """Return a time in seconds, and note how it was written."""
    node = scalar(fields, name)
    known = None if node is None else seconds(node.text)
    if node is None or known is None:
        return None
    noted.append(Duration(keyword, node.text, known[1], "s", known[0], node.span))
    return Setting(known[0], node.span)


def texts(fields: Fields, name: str) -> list[ScalarNode]:
    """Return a list's texts; one text alone is a list of it."""
    node = fields[name][1] if name in fields else None
    items = node.items if isinstance(node, SequenceNode) else [node]
    return [item for item in items if isinstance(item, ScalarNode) and item.text]


def items(fields: Fields, name: str) -> list[Node]:
    """Return a list's items; none where it is no list."""
    node = fields[name][1] if name in fields else None
    return node.items if isinstance(node, SequenceNode) else []


def opaque(fields: Fields, name: str) -> bool:
    """Say whether a template has yet to write a field."""
    node = scalar(fields, name)
    return node is not None and TEMPLATE.search(node.text) is not None

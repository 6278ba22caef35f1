"""The nodes of a config that is written in YAML, JSON or TOML, and the paths that lead to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.yaml_nodes import Node, ScalarNode
    from lbcheck.text import Span

_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")
_WORD = re.compile(r"[^A-Za-z0-9]")


def walked(documents: Iterable[Node]) -> Iterator[tuple[ScalarNode | None, Node]]:
    """Yield every node with its key (None for what has none), each once however many aliases lead to it."""
    seen: set[int] = set()
    waiting: list[tuple[ScalarNode | None, Any]] = [(None, one) for one in documents]
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield key, node
        waiting += [(key, item) for item in reversed(getattr(node, "items", ()))]
        for name, value in reversed(getattr(node, "pairs", ())):
            waiting += [(name, value), (None, name)]


def text(node: Any) -> str | None:
    """Return a scalar's text; None of any other node."""
    found: str | None = getattr(node, "text", None)
    return found


def same(name: str) -> str:
    """Return what is equal for all ways to write a field's name: ConnectTimeout, connectTimeout, connect_timeout."""
    return _WORD.sub("", name).lower()


def at(document: Any, path: str) -> Span | None:
    """Return where a field is written, by its path such as `static_resources.clusters[0].name`, as far as it leads."""
    node, found = document, None
    for name, index in _STEP.findall(path):
        if name:
            pairs = getattr(node, "pairs", ())
            pair = next(((key, value) for key, value in pairs if same(text(key) or "") == same(name)), None)
            if pair is None:
                return found
            key, node = pair
            found = key.span
        else:
            items = getattr(node, "items", None)
            if items is not None and int(index[:9]) < len(items):
                node = items[int(index[:9])]
                found = _first_line(node)
    return found


def _first_line(node: Any) -> Span:
    pairs = getattr(node, "pairs", ())
    span: Span = pairs[0][0].span if pairs else node.span
    return span

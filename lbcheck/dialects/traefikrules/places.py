"""Where in a file a part of a rule is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.text import Span


def place(node: ScalarNode, at: int) -> Span:
    """Return the place of an offset in a rule; that of the rule where it is not written as it is read (folded)."""
    source = node.source
    raw = source.text[node.start : node.end]
    shift = raw.find(node.text)
    if shift < 0:
        end = source.text.find("\n", node.start, node.end)
        return source.span(node.start, node.end if end < 0 else end)
    start = min(node.start + shift + at, node.end - 1)
    return source.span(start, start + 1)

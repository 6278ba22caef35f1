"""What of a Traefik config loads or runs code: plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

#: Sections of the static configuration, and the kind of middleware and provider, that plugins are written in.
_FIELDS = frozenset({"plugin", "plugins", "localplugins"})


def code(documents: Iterable[Node]) -> Iterator[tuple[Span, str]]:
    """Yield what loads or runs code, each with its place."""
    for _, node in nodes.walked(documents):
        for key, value in getattr(node, "pairs", ()):
            word = nodes.text(key)
            if word is not None and nodes.same(word) in _FIELDS and getattr(value, "pairs", None):
                yield key.span, f"{word[:60]} runs code"

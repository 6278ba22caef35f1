"""Entry points that no router comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.entries import PROTOCOLS
from lbcheck.dialects.traefik.static import INTERNAL
from lbcheck.dialects.yaml_nodes import ScalarNode, nodes
from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.dialects.traefik.static import EntryPoint
    from lbcheck.model import Config


def listener_without_route(config: Config, _context: Context) -> Iterator[Hit]:
    """R10: an entry point that no router names, where all routers are in files that were read.

    One that another section of the static file names (metrics, ping, a certificate's challenge, a redirection's target)
    is there for that. Without any router it is the start of a configuration, to which others are added.
    """
    tree: Tree | None = config.tree
    if (
        tree is None
        or config.open is not None
        or not tree.complete
        or not tree.static.providers <= {"file", "internal"}
        or not any(tree.entries.of(protocol, "routers") for protocol in PROTOCOLS)
    ):
        return
    named = _named(tree)
    for name, one in tree.static.entry_points.items():
        if name == INTERNAL or name in named or one.redirect is not None or one.middlewares:
            continue
        args = {
            "what": f"entry point {name}",
            "effect": "its packets are dropped" if one.udp else "it answers 404 to every request",
            "advice": "let a router come to it, or delete the entry point",
        }
        yield Hit("R10", one.span, args, frontend=name)


def _named(tree: Tree) -> set[str]:
    """Return the names that routers, or other sections of the static file, write; and those that routers come to."""
    found: set[str] = set()
    for protocol in PROTOCOLS:
        for entry in tree.entries.of(protocol, "routers").values():
            said = {node.text for node in f.texts(entry.fields, "entrypoints")}
            found |= said or {name for name, one in tree.static.entry_points.items() if _takes(one, protocol)}
    document = tree.static.document
    if document is not None and document.root is not None:
        keys = {id(key) for key, _ in _pairs(tree)}
        values = (node for node in nodes(document.root) if isinstance(node, ScalarNode) and id(node) not in keys)
        found |= {node.text for node in values}
    return found


def _pairs(tree: Tree) -> list[tuple[ScalarNode, object]]:
    """Return the keys under which entry points are defined."""
    document = tree.static.document
    return [] if document is None else list(f.inside(document.fields, "entrypoints").values())


def _takes(one: EntryPoint, protocol: str) -> bool:
    return one.udp if protocol == "udp" else one.default

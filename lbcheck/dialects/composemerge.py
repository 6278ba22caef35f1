"""What comes together in Compose files: `extends` of services (Compose spec, 05-services), and files (13-merge).

Mappings come together, the newer values first; so do lists, but for commands, which are replaced. Labels and
environments are mappings in either way of writing. `!reset` takes away, `!override` replaces. What a service extends
in another file is not looked at.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fields = dict[str, tuple[ScalarNode, Node]]

EXTENDS = "extends"
#: Lists that are one value.
_REPLACED = frozenset({"command", "entrypoint", "test"})
_RESET, _OVERRIDE = "!reset", "!override"
#: Services that extend services are followed so far.
_MAX_DEPTH = 50


def inherited(services: Mapping[str, tuple[ScalarNode, Node]]) -> dict[str, tuple[ScalarNode, Fields]]:
    """Return each service's key and fields with what it extends merged in.

    `extends` is left where what it names is not here.
    """
    return {name: (key, _fields(name, services, ())) for name, (key, _) in services.items()}


def merged(own: Node, other: Node) -> Node:
    """Return the roots of a project's file and of its override as one, each with what services extend in it.

    Compose does what is in one file before it merges the next (compose-go, loader).
    """
    if not isinstance(other, MappingNode):
        return own
    return _merged("", _extended(own), _extended(other))


def _extended(root: Node) -> Node:
    """Return a file's root with services that hold what they extend."""
    pair = root.fields().get("services") if isinstance(root, MappingNode) else None
    if pair is None or not isinstance(root, MappingNode) or not isinstance(pair[1], MappingNode):
        return root
    named = pair[1].fields()
    found: Fields = {}
    for name, (key, fields) in inherited(named).items():
        node = named[name][1]
        found[name] = (key, _mapping(node, fields) if isinstance(node, MappingNode) else node)
    return _mapping(root, {**root.fields(), "services": (pair[0], _mapping(pair[1], found))})


def _mapping(place: Node, fields: Fields) -> MappingNode:
    made = MappingNode(place.source, place.start, place.end, place.tag)
    made.pairs = list(fields.values())
    return made


def base(fields: Fields, path: str) -> tuple[str, str]:
    """Return (service, file) of what a service extends, "" for what it does not name; the own file is no other."""
    node = fields[EXTENDS][1] if EXTENDS in fields else None
    if isinstance(node, ScalarNode):
        return node.text, ""
    inside = node.fields() if isinstance(node, MappingNode) else {}
    said = [inside[name][1] if name in inside else None for name in ("service", "file")]
    service, file = (one.text if isinstance(one, ScalarNode) else "" for one in said)
    return service, "" if os.path.normpath(file) == os.path.basename(path) else file


def _fields(name: str, services: Mapping[str, tuple[ScalarNode, Node]], below: tuple[str, ...]) -> Fields:
    key, node = services[name]
    own = node.fields() if isinstance(node, MappingNode) else {}
    service, file = base(own, key.source.path)
    if not service or file or service not in services or service in (*below, name) or len(below) > _MAX_DEPTH:
        return own
    merged = _fields(service, services, (*below, name))
    left = {field: pair for field, pair in own.items() if field != EXTENDS}
    return _joined(merged, left)


def _joined(old: Fields, new: Fields) -> Fields:
    """Return two mappings as one; a name of both has the newer one's value, or both values together.

    A mapping of both is where the older one has it: a service stays where it is described first.
    """
    found = dict(old)
    for name, (key, value) in new.items():
        if value.tag == _RESET:
            found.pop(name, None)
            continue
        both = name in old and value.tag != _OVERRIDE
        made = _merged(name, old[name][1], value) if both else value
        found[name] = (old[name][0] if both and isinstance(made, MappingNode) else key, made)
    return found


def _merged(name: str, old: Node, new: Node) -> Node:
    if isinstance(new, ScalarNode) and new.value is None and not isinstance(old, ScalarNode):
        return old
    if isinstance(old, ScalarNode) or isinstance(new, ScalarNode) or name in _REPLACED:
        return new
    if isinstance(old, MappingNode) and isinstance(new, MappingNode):
        return _mapping(old, _joined(old.fields(), new.fields()))
    both = SequenceNode(new.source, new.start, new.end, new.tag)
    both.items = [*_items(old), *_items(new)]
    return both


def _items(node: Node) -> list[Node]:
    """Return a list's items; a mapping among lists is one item, which those read who take both ways of writing."""
    return node.items if isinstance(node, SequenceNode) else [node]

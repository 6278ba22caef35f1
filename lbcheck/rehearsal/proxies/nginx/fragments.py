"""Fragments of an nginx config whose main file was not seen: a main file around them, so that nginx can read them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive

#: The name of the main file, in the folder of the fragments: relative includes are relative to it.
NAME = "lbcheck-rehearsal.conf"


def is_around(directive: Directive) -> bool:
    """Say whether a block is not written in the fragment, but was put around it when it was read."""
    return directive.end == 0


def around(tree: Scope) -> str | None:
    """Return a main file that includes each fragment where its directives fit; None where the tree has its own."""
    bodies: dict[str, list[str]] = {}
    for number, directive in enumerate(tree.directives):
        if is_around(directive):
            outer, *inner = _blocks(directive)
            body = f'include "{_quoted(os.path.realpath(directive.source.path))}";'
            for block in reversed(inner):
                body = f"{_head(block, number)} {{ {body} }}"
            bodies.setdefault(outer.name, []).append(body)
    if not bodies:
        return None
    parts = ["events { }", *(f"{name} {{\n{chr(10).join(lines)}\n}}" for name, lines in bodies.items())]
    return "\n".join(parts) + "\n"


def _blocks(directive: Directive) -> Iterator[Directive]:
    while is_around(directive):
        yield directive
        if not directive.children:
            return
        directive = directive.children[0]


def _head(block: Directive, number: int) -> str:
    if block.name == "upstream":
        return f"upstream lbcheck-{number}"
    return " ".join([block.name, *block.args])


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')

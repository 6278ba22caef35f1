"""A text as a tree of parts: fields and items of YAML and TOML, directives and blocks of nginx, lines of HAProxy."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Hashable

    from lbcheck.text import Source

#: What a part holds.
LEAF, MAPPING, LIST = "leaf", "mapping", "list"
#: The name of an item of a list, and of a part that is a file.
ITEM = "[]"
FILE = "file"
#: The name of a line that tells where a file begins in what `nginx -T` prints.
MARK = "# configuration file"


class Part:
    """One part: its `name`, what it says (`text`: a value, or a block's arguments), and the parts that it holds.

    `written` is the name as the text has it (`name` may be brought to one spelling), `raw` what is written for the
    part where that is taken over as it is. `key` tells a part from its siblings; None: its place does.
    `id` is the same number for two parts that say the same. The kids of a MAPPING have no order.
    """

    __slots__ = ("end", "id", "key", "kids", "kind", "name", "raw", "scalar", "source", "start", "text", "written")

    def __init__(self, name: str, kind: str, source: Source, start: int, end: int, text: str = "") -> None:
        self.name = name
        self.written = name
        self.kind = kind
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.raw = ""
        self.kids: list[Part] = []
        self.key: Hashable = None
        self.scalar: ScalarNode | None = None
        self.id = 0

    @property
    def line(self) -> int:
        """The line on which it begins, from 1."""
        return self.source.position(self.start)[0]

    def __repr__(self) -> str:
        return f"Part({self.name!r}, {self.text!r}, {len(self.kids)} kids)"


def changed(part: Part, other: Part | None, *, zero: bool = False) -> Part | None:
    """Return a part that says something else of the same kind; None where nobody can tell what that would be.

    Of a single value that is the other boolean, the next number (or `zero`), another word; of a directive or line each
    number in the words that `other`, its counterpart, does not have.
    """
    made = copy(part)
    if part.scalar is not None:
        made.scalar = _another(part.scalar, zero=zero)
        return made
    if other is None or part.kind != LEAF:
        return None
    known = set(other.raw.split())
    words = [word if word in known else _NUMBER.sub(_next, word) for word in part.raw.split()]
    made.raw = " ".join(words)
    return None if words == part.raw.split() else made


def _another(node: ScalarNode, *, zero: bool) -> ScalarNode:
    value = node.value
    text = f"x{node.text}"
    if isinstance(value, bool):
        text = "false" if value else "true"
    elif isinstance(value, int):
        text = "0" if zero else str(value + 1)
    return ScalarNode(node.source, node.start, node.end, node.tag, text, plain=node.plain)


_NUMBER = pattern(r"[0-9]+")


def _next(found: re.Match[str]) -> str:
    return str(int(found[0][:9]) + 1)


class Numbers:
    """Numbers for what parts say: two parts that are alike get the same one."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def give(self, part: Part) -> None:
        """Give a part its number; its kids have theirs."""
        kids = [kid.id for kid in part.kids]
        if part.kind == MAPPING:
            kids.sort()
        self._number(part, (part.kind, part.name, part.text, tuple(kids)))

    def _number(self, part: Part, says: Hashable) -> None:
        part.id = self._known.setdefault(says, len(self._known) + 1)

"""A tree of parts to text again, with some of its parts put back as they were."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern
from lbcheck.residue.parts import LEAF, LIST, MAPPING, MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.residue.differences import Difference
    from lbcheck.residue.parts import Part


#: A key that needs no quotes.
_PLAIN = pattern(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
#: A value that needs none, once it is known to be text.
_WORD = pattern(r"[A-Za-z][A-Za-z0-9_./-]*\Z")


class Edits:
    """What is put back: parts that are replaced (None: taken out), and parts that come back behind another one.

    `dropped` are the ids (of Python) of parts that are left out besides.
    """

    __slots__ = ("_back", "_dropped", "_replaced")

    def __init__(
        self, differences: Iterable[Difference] = (), dropped: frozenset[int] | set[int] = frozenset()
    ) -> None:
        self._replaced: dict[int, Part | None] = {}
        #: (part that holds it, part behind which it stood or None) → what comes back there.
        self._back: dict[tuple[int, int | None], list[Part]] = {}
        self._dropped = dropped
        for one in differences:
            if one.new is not None:
                self._replaced[id(one.new)] = one.old
            elif one.home is not None and one.old is not None:
                behind = None if one.behind is None else id(one.behind)
                self._back.setdefault((id(one.home), behind), []).append(one.old)

    def placed(self, part: Part) -> Iterator[tuple[Part, Part | None]]:
        """Yield each part that a part holds once the edits are made, with the one in whose place it is (None: none)."""
        yield from ((old, None) for old in self._back.get((id(part), None), ()))
        for kid in part.kids:
            kept = self._replaced.get(id(kid), kid)
            if kept is not None and id(kid) not in self._dropped:
                yield kept, kid
            yield from ((old, None) for old in self._back.get((id(part), id(kid)), ()))

    def kids(self, part: Part) -> Sequence[Part]:
        """Return the parts that a part holds once the edits are made."""
        if self._back or self._replaced or self._dropped:
            return [kept for kept, _ in self.placed(part)]
        return part.kids


def texts(root: Part, dialect: str, edits: Edits) -> dict[str, str]:
    """Return the text of each file. What came back from the older version stands in the file of its neighbour."""
    if dialect != "kubernetes":
        return {
            part.source.path: _file(edits.kids(part), part.source.path, dialect, edits) for part in edits.kids(root)
        }
    at = root.source.path
    found: dict[str, list[Part]] = {at: [], **{kid.source.path: [] for kid in root.kids}}
    for kept, own in edits.placed(root):
        at = at if own is None else own.source.path
        found.setdefault(at, []).append(kept)
    return {path: _file(kids, path, dialect, edits) for path, kids in found.items()}


def _file(parts: Sequence[Part], path: str, dialect: str, edits: Edits) -> str:
    if dialect == "nginx":
        return "\n".join(_directive(part, edits) for part in parts) + "\n"
    if dialect == "haproxy":
        lines = [line for part in parts for line in (part.raw, *(f"    {kid.raw}" for kid in edits.kids(part)))]
        return "\n".join(lines) + "\n"
    if path.endswith(".toml"):
        return "".join(
            f"{_name(kid, ' = ')} = {flow(kid, edits, ' = ')}\n" for part in parts for kid in edits.kids(part)
        )
    return "---\n".join(_document(part, edits) for part in parts)


def _document(part: Part, edits: Edits) -> str:
    """Return a document in block style: the readers tell by its lines what it is."""
    return "\n".join(_block(part, edits, "")) + "\n"


def _block(part: Part, edits: Edits, indent: str) -> Iterator[str]:
    kids = edits.kids(part)
    if not kids:
        yield indent + flow(part, edits)
        return
    for kid in kids:
        name = "-" if part.kind == LIST else f"{_name(kid)}:"
        if kid.kind == LEAF or not edits.kids(kid):
            yield f"{indent}{name} {flow(kid, edits)}"
        else:
            yield indent + name
            yield from _block(kid, edits, indent + "  ")


def _directive(part: Part, edits: Edits) -> str:
    if part.name == MARK:
        return part.raw
    if part.kind == LEAF:
        return part.raw if part.raw.endswith("}") and part.name.endswith("_by_lua_block") else f"{part.raw};"
    inside = "\n".join(_directive(kid, edits) for kid in edits.kids(part))
    return f"{part.raw} {{\n{inside}\n}}"


def flow(part: Part, edits: Edits, colon: str = ": ") -> str:
    """Return a value on one line, in YAML's flow style, which JSON is a part of; TOML's inline tables with " = "."""
    if part.kind == MAPPING:
        inside = ", ".join(f"{_name(kid, colon)}{colon}{flow(kid, edits, colon)}" for kid in edits.kids(part))
        return f"{{{inside}}}"
    if part.kind == LIST:
        return f"[{', '.join(flow(kid, edits, colon) for kid in edits.kids(part))}]"
    return _scalar(part)


def _name(part: Part, colon: str = ": ") -> str:
    """Return a key, in quotes where they are needed; in TOML a dot needs them."""
    plain = _PLAIN.match(part.written) and (colon == ": " or "." not in part.written)
    return part.written if plain else json.dumps(part.written, ensure_ascii=False)


def _scalar(part: Part) -> str:
    node = part.scalar
    if node is None:
        return "null"
    value = node.value
    if isinstance(value, str) and not (node.plain and _WORD.match(node.text)):
        return json.dumps(node.text, ensure_ascii=False)
    return node.text if value is not None else "null"

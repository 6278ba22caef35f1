"""Where two trees of parts differ, as deep down as can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.residue.alignment import align
from lbcheck.residue.parts import LEAF, MAPPING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.residue.parts import Part

#: The names from the root to a part: what a difference is about, in whichever file and item of a list it is.
Path = tuple[str, ...]


class Difference(NamedTuple):
    """One change. `old` or `new` is None where that version lacks the part.

    A part that is gone stood in `home` (of the new version), behind `behind`, or first where that is None.
    `moved`: it says the same, but stands in another order.
    """

    path: Path
    old: Part | None
    new: Part | None
    home: Part | None = None
    behind: Part | None = None
    moved: bool = False


def differences(old: Part, new: Part, path: Path = ()) -> Iterator[Difference]:
    """Yield what differs below two parts of one name. What an alias repeats is named once for each place."""
    waiting = [(old, new, path)]
    while waiting:
        one, other, here = waiting.pop()
        if one.id == other.id:
            continue
        if one.kind == LEAF or one.kind != other.kind or one.text != other.text:
            yield Difference(here, one, other)
            continue
        found = align(one.kids, other.kids)
        yield from (Difference((*here, part.name), None, part) for part in found.come)
        if one.kind != MAPPING:
            yield from (Difference((*here, part.name), part, part, moved=True) for part in found.moved)
        yield from _gone(one, other, found.gone, here)
        waiting += [(before, after, (*here, after.name)) for before, after in reversed(found.changed)]


def _gone(old: Part, new: Part, gone: list[Part], here: Path) -> Iterator[Difference]:
    """Yield the parts that are gone, each with the part of the new version behind which it stood."""
    if not gone:
        return
    lost = {id(part) for part in gone}
    by_id = {part.id: part for part in new.kids}
    by_key = {(part.name, part.key): part for part in new.kids if part.key is not None}
    behind: Part | None = None
    for part in old.kids:
        if id(part) in lost:
            yield Difference((*here, part.name), part, None, new, behind)
        else:
            behind = by_id.get(part.id) or by_key.get((part.name, part.key)) or behind

"""Which of the differences between two versions of a config the readers have not understood.

A difference is understood if taking it back gives a config that means something else. Where the two versions mean the
same, nothing in between is understood, and where they differ in one kind of thing only, that is what the model tells:
neither takes another reading. Otherwise the new version is read again for each kind of difference, without it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.changes.outcome import NotUnderstood
from lbcheck.patterns import pattern
from lbcheck.redaction import masked, ranges
from lbcheck.residue.differences import differences
from lbcheck.residue.harmless import harmless, known, ordered
from lbcheck.residue.parts import FILE, ITEM, LIST, Numbers, changed
from lbcheck.residue.read import tree
from lbcheck.residue.reading import Reading
from lbcheck.residue.signature import signature
from lbcheck.residue.write import Edits, flow

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from lbcheck.changes.outcome import ConfigChange, Version
    from lbcheck.model import Config
    from lbcheck.residue.differences import Difference, Path
    from lbcheck.residue.parts import Part
    from lbcheck.residue.reading import Again
    from lbcheck.text import Source

    #: Texts, each with its path as both versions may have it.
    Files = list[tuple[str, Source]]

#: Of so many differences of one kind each is judged by itself; of more, so many stand for all.
_MOST_OF_A_KIND = 12
#: Names in a path that people do not need: items of lists, files.
_NAMELESS = frozenset({ITEM, FILE})
#: Mappings whose fields are told one by one.
_APART = frozenset({"annotations", "metadata", "labels"})
#: Names of Traefik's routers and services, in its files and in labels, and of Compose's services.
_GIVEN = pattern(r"((?:\A|[ .])(?:routers|services|middlewares|serverstransports)[ .])[^ .\[]+")
#: How much of a value is shown.
_SHOWN = 60


def not_understood(change: ConfigChange, again: Again) -> list[NotUnderstood]:
    """Return what differs between the versions of a config and is neither harmless nor understood."""
    before, after = change.before, change.after
    if before is None or after is None or not _comparable(before, after):
        return []
    numbers = Numbers()
    dialect = after.config.dialect
    old, new = (tree(dialect, files, numbers) for files in _unlike(_files(before), _files(after)))
    found = [one for one in differences(old, new) if _counts(dialect, one)]
    if found:
        judge = _Judge(new, after.config, again, found)
        if signature(before.config) != signature(after.config):
            found = judge.left(found)
        found = judge.without_defaults(found)
    told = (words for one in found for words in _told(one, dialect, after))
    return sorted(dict.fromkeys(told), key=lambda one: (one.path, one.line))


def _comparable(before: Version, after: Version) -> bool:
    """Say whether both versions were read, by one reader whose fields are told apart here."""
    dialects = (before.config.dialect, after.config.dialect)
    return dialects[0] == dialects[1] and known(dialects[0]) and before.unseen is None and after.unseen is None


def _files(version: Version) -> Files:
    """Return the texts of a config, each with its path as seen from the root, whatever that is called."""
    root = version.config.path
    folder = os.path.dirname(root)
    sources = {source.path: source for source in version.config.files}
    return [("" if path == root else os.path.relpath(path, folder), source) for path, source in sources.items()]


def _unlike(old: Files, new: Files) -> tuple[Files, Files]:
    """Return the files that differ, and of the others one: what comes back has to stand somewhere."""
    texts = {path: source.text for path, source in old}
    alike = [path for path, source in new if texts.get(path) == source.text]
    same = set(alike[1:] if len(alike) == len(new) else alike)
    return [one for one in old if one[0] not in same], [one for one in new if one[0] not in same]


def _counts(dialect: str, one: Difference) -> bool:
    """Say whether a difference may decide where requests go: the table lacks it, and order counts where it moved."""
    if one.moved and not ordered(one.path):
        return False
    return not all(harmless(dialect, one.path, side) for side in (one.old, one.new) if side is not None)


class _Judge:
    """Asks what the new version means without its differences, kind by kind: those of one path."""

    __slots__ = ("_before", "_brief", "_kinds", "_reading", "_sampled")

    def __init__(self, new: Part, after: Config, again: Again, found: Sequence[Difference]) -> None:
        self._kinds = _kinds([one for one in found if not one.moved and one.path != (FILE,)])
        self._sampled = [one for some in self._kinds.values() for one in some[:_MOST_OF_A_KIND]]
        self._reading = Reading(new, after, again, self._sampled)
        self._brief = Reading(new, after, again, self._sampled, brief=True)
        if self._brief.dropped == self._reading.dropped:
            self._brief = self._reading
        self._before: Hashable = None

    def left(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences that are not understood; those that cannot be, or are not, read again count as such.

        What came or went with a whole file is understood: the reader does not ask for it when it reads again.
        """
        left = [one for one in found if one.moved]
        kinds = list(self._kinds.values())
        alone = len(kinds) == 1 and len(kinds[0]) == len(found)
        if alone and not 1 < len(found) <= _MOST_OF_A_KIND:
            return []
        if self._brief.whole() is None:
            return list(found)
        for some in kinds:
            ineffective = self._ineffective(some, alone=alone)
            if ineffective and not self._counted_before(ineffective):
                left += ineffective
        return left

    def _ineffective(self, some: Sequence[Difference], *, alone: bool) -> Sequence[Difference]:
        """Return the differences of one kind that mean nothing; of many, all or none. `alone`: there is no other."""
        if not alone and self._same_without(some[:_MOST_OF_A_KIND]):
            return some
        if 1 < len(some) <= _MOST_OF_A_KIND:
            return [one for one in some if self._same_without([one])]
        return []

    def _same_without(self, some: Sequence[Difference]) -> bool:
        if not self._brief.same_without(some):
            return False
        return self._brief is self._reading or self._reading.whole() is None or self._reading.same_without(some)

    def _counted_before(self, some: Sequence[Difference]) -> bool:
        """Say whether differences mean something in the older version, which others cover up in the newer."""
        if len(some) == len(self._sampled):
            return False
        theirs = {id(one) for one in some}
        if self._before is None:
            self._before = self._brief.without(self._sampled)
        now = self._brief.without([one for one in self._sampled if id(one) not in theirs])
        return self._before is not None and now is not None and now != self._before

    def without_defaults(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences without those that only spell out what holds anyway, or no longer do.

        Such a field is one that the reader knows: with another value the config means something else.
        """
        left = []
        for some in _kinds(found).values():
            if len(some) <= _MOST_OF_A_KIND:
                left += [one for one in some if not self._reads([one])]
            elif not self._reads(some[:_MOST_OF_A_KIND]):
                left += some
        return left

    def _reads(self, some: Sequence[Difference]) -> bool:
        return any(self._means_with(some, zero=zero) for zero in (False, True))

    def _means_with(self, some: Sequence[Difference], *, zero: bool) -> bool:
        """Say whether other values would mean something; `zero`: of a weight that has no other beside it."""
        edits = [made for one in some if (made := _otherwise(one, zero=zero)) is not None]
        if len(edits) < len(some) or (zero and not all(map(_numeric, some))):
            return False
        return self._brief.whole() is not None and not self._brief.same_without(edits)


def _kinds(found: Sequence[Difference]) -> dict[str, list[Difference]]:
    """Return the differences by their paths, in which names that people gave do not count."""
    kinds: dict[str, list[Difference]] = {}
    for one in found:
        kinds.setdefault(_GIVEN.sub(r"\1*", " ".join(one.path)), []).append(one)
    return kinds


def _numeric(one: Difference) -> bool:
    part = one.new or one.old
    return part is not None and part.scalar is not None and isinstance(part.scalar.value, int)


def _otherwise(one: Difference, *, zero: bool) -> Difference | None:
    """Return what would put another value in the place of a single one; None for anything else."""
    part, other = (one.old, None) if one.new is None else (one.new, one.old)
    if one.moved or part is None:
        return None
    made = changed(part, other, zero=zero) or (None if other is None else changed(other, part))
    return None if made is None else one._replace(old=made)


def _told(one: Difference, dialect: str, after: Version) -> Iterator[NotUnderstood]:
    """Yield what people are told of a difference: its fields one by one where it is a list of annotations."""
    for path, old, new in _parts(one.path, one.old, one.new, dialect):
        shown = new or old
        if shown is None:
            continue
        name = next((step for step in reversed(path) if step not in _NAMELESS), after.config.dialect)
        yield NotUnderstood(
            shown.source.path,
            shown.line,
            after.config.path,
            name,
            tuple(step for step in path if step not in _NAMELESS),
            _value(name, old),
            _value(name, new),
            moved=one.moved,
        )


def _parts(
    path: Path, old: Part | None, new: Part | None, dialect: str
) -> Iterator[tuple[Path, Part | None, Part | None]]:
    """Yield the smallest parts that say all that is not harmless in one that came or went."""
    only = new if old is None else old if new is None else None
    kids = (
        []
        if only is None or not only.kids
        else [kid for kid in only.kids if not harmless(dialect, (*path, kid.name), kid)]
    )
    if not kids or path[-1] not in _APART:
        yield path, old, new
        return
    for kid in kids:
        yield from _parts((*path, kid.name), None if old is None else kid, None if new is None else kid, dialect)


def _value(name: str, part: Part | None) -> str | None:
    """Return what is written, on one line, shortened, and without secrets."""
    if part is None:
        return None
    text = part.raw or flow(part, Edits())
    if part.raw:
        text = text[len(name) :].strip() if text.startswith(name) else text
        text += " {…}" if part.kind == LIST else ""
    text = " ".join(text[: 10 * _SHOWN].split())
    if "PRIVATE KEY" in text:
        return "***"
    line = f"{name}: {text}" if not part.raw else f"{name} {text}"
    text = masked(line, ranges(line))[len(line) - len(text) :]
    if not part.raw and text[:1] == text[-1:] == '"':
        text = text[1:-1]
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"

"""Which of the differences between two versions of a config the readers have not understood.

A difference is understood if taking it back gives a config that means something else. Where the two versions mean the
same, nothing in between is understood, and where they differ in one kind of thing only, that is what the model tells:
neither takes another reading. Otherwise the new version is read again for each kind of difference, without it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.changes.outcome import NotUnderstood
from lbcheck.redaction import masked, ranges
from lbcheck.residue.differences import differences
from lbcheck.residue.harmless import harmless, known, ordered
from lbcheck.residue.parts import FILE, ITEM, LIST, Numbers, changed
from lbcheck.residue.read import tree
from lbcheck.residue.signature import signature
from lbcheck.residue.write import Edits, flow, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from lbcheck.changes.outcome import ConfigChange, Version
    from lbcheck.model import Config
    from lbcheck.residue.differences import Difference, Path
    from lbcheck.residue.parts import Part
    from lbcheck.text import Source

    #: Reads a config again with other texts, by path; None where that is not possible.
    Again = Callable[[Mapping[str, str]], Config | None]

#: How many characters may be read again for one config, and how often at most.
_MOST_CHARACTERS = 8_000_000
_MOST_READINGS = 40
#: Of so many differences of one kind each is judged by itself.
_MOST_OF_A_KIND = 12
#: Names in a path that people do not need: items of lists, files.
_NAMELESS = frozenset({ITEM, FILE})
#: Mappings whose fields are told one by one.
_APART = frozenset({"annotations", "metadata", "labels"})
#: How much of a value is shown.
_SHOWN = 60


def not_understood(change: ConfigChange, again: Again) -> list[NotUnderstood]:
    """Return what differs between the versions of a config and is neither harmless nor understood."""
    before, after = change.before, change.after
    if before is None or after is None or not _comparable(before, after):
        return []
    numbers = Numbers()
    dialect = after.config.dialect
    old = tree(dialect, _files(before), numbers)
    new = tree(dialect, _files(after), numbers)
    found = [one for one in differences(old, new) if _counts(dialect, one)]
    if found:
        judge = _Judge(new, after, again)
        if signature(before.config) != signature(after.config):
            found = judge.left(found)
        found = judge.without_defaults(found)
    told = (words for one in found for words in _told(one, dialect, after))
    return sorted(dict.fromkeys(told), key=lambda one: (one.path, one.line))


def _comparable(before: Version, after: Version) -> bool:
    """Say whether both versions were read, by one reader whose fields are told apart here."""
    dialects = (before.config.dialect, after.config.dialect)
    return dialects[0] == dialects[1] and known(dialects[0]) and before.unseen is None and after.unseen is None


def _files(version: Version) -> list[tuple[str, Source]]:
    """Return the texts of a config, each with its path as seen from the root, whatever that is called."""
    root = version.config.path
    folder = os.path.dirname(root)
    sources = {source.path: source for source in version.config.files}
    return [("" if path == root else os.path.relpath(path, folder), source) for path, source in sources.items()]


def _counts(dialect: str, one: Difference) -> bool:
    """Say whether a difference may decide where requests go: the table lacks it, and order counts where it moved."""
    if one.moved and not ordered(one.path):
        return False
    return not all(harmless(dialect, one.path, side) for side in (one.old, one.new) if side is not None)


class _Judge:
    """Reads the new version without some of its differences, as long as the budget lasts."""

    __slots__ = (
        "_again",
        "_before",
        "_characters",
        "_dialect",
        "_known",
        "_new",
        "_paths",
        "_pools",
        "_readings",
        "_size",
        "_whole",
    )

    def __init__(self, new: Part, after: Version, again: Again) -> None:
        self._new = new
        self._dialect = after.config.dialect
        self._paths = [source.path for source in after.config.files]
        self._pools = len(after.config.pools)
        self._size = sum(len(source.text) for source in after.config.files)
        self._again = again
        self._characters = _MOST_CHARACTERS
        self._readings = _MOST_READINGS
        self._whole: Hashable = None
        self._before: Hashable = None
        self._known: bool | None = None

    def left(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences that are not understood, those that the budget leaves unread among them.

        What came or went with a whole file counts as understood: the reader does not ask for it when it reads again.
        """
        kinds: dict[Path, list[Difference]] = {}
        left = [one for one in found if one.moved]
        for one in found:
            if not one.moved and one.path != (FILE,):
                kinds.setdefault(one.path, []).append(one)
        alone = len(found) == len(left) + sum(map(len, kinds.values())) and len(kinds) == 1 and not left
        if (alone and all(len(some) == 1 for some in kinds.values())) or not self._readable():
            return left
        for some in kinds.values():
            left += self._ineffective(some, alone=alone)
        return [one for one in left if one.moved or not self._counts_before(one, found)]

    def _counts_before(self, one: Difference, found: Sequence[Difference]) -> bool:
        """Say whether a difference means something in the older version: what another one covers up in the newer."""
        others = [other for other in found if other is not one and not other.moved]
        if self._before is None:
            self._before = self._meaning([*others, one])
        now = self._meaning(others)
        return self._before is not None and now is not None and now != self._before

    def without_defaults(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences without those that only spell out what holds anyway, or no longer do.

        Such a field is one that the reader knows: with another value the config means something else.
        """
        kinds: dict[Path, list[Difference]] = {}
        for one in found:
            kinds.setdefault(one.path, []).append(one)
        known = {path for path, some in kinds.items() if self._reads(some)}
        return [one for one in found if one.path not in known]

    def _reads(self, some: Sequence[Difference]) -> bool:
        others = [_otherwise(one) for one in some]
        edits = [one for one in others if one is not None]
        return len(edits) == len(some) and self._readable() and not self._same_without(edits)

    def _readable(self) -> bool:
        """Say whether the new version can be read again: what comes of its own tree is what further ones compare to."""
        if self._known is None:
            config = self._again(texts(self._new, self._paths, self._dialect, Edits()))
            self._known = config is not None and len(config.pools) == self._pools
            self._whole = None if config is None else signature(config)
        return self._known

    def _ineffective(self, some: Sequence[Difference], *, alone: bool) -> Sequence[Difference]:
        """Return the differences of one kind that mean nothing; of many, all or none. `alone`: there is no other."""
        if not alone and self._same_without(some):
            return some
        if 1 < len(some) <= _MOST_OF_A_KIND:
            return [one for one in some if self._same_without([one])]
        return []

    def _same_without(self, some: Sequence[Difference]) -> bool:
        """Say whether the new version means the same without these differences, or is not to be read once more."""
        return self._meaning(some) in {self._whole, None}

    def _meaning(self, some: Sequence[Difference]) -> Hashable:
        """Return what the new version means without these differences; None where it is not to be read once more."""
        if not self._readings or self._characters < self._size:
            return None
        self._readings -= 1
        self._characters -= self._size
        config = self._again(texts(self._new, self._paths, self._dialect, Edits(some)))
        return None if config is None else signature(config)


def _otherwise(one: Difference) -> Difference | None:
    """Return what would put another value in the place of a single one; None for anything else."""
    part, other = (one.old, None) if one.new is None else (one.new, one.old)
    if one.moved or part is None:
        return None
    made = changed(part, other)
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

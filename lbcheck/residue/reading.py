"""The new version of a config, read again without some of its differences, as often as a budget allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.residue.parts import ITEM, LEAF
from lbcheck.residue.signature import signature
from lbcheck.residue.write import Edits, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from lbcheck.model import Config
    from lbcheck.residue.differences import Difference
    from lbcheck.residue.parts import Part

    #: Reads a config again with other texts, by path; None where that is not possible.
    Again = Callable[[Mapping[str, str]], Config | None]

#: How many characters may be read again for one config, and how often at most.
_MOST_CHARACTERS = 4_000_000
_MOST_READINGS = 150
#: Lists of servers: of long ones, a few tell what all would. Of other lists they tell what is read at all.
_SERVERS = frozenset({"lb_endpoints", "servers", "addresses"})
_LONG = 40
_KEPT = 5


class Reading:
    """What the new version means without some of its differences, of which `sampled` may be asked for.

    Of long lists of servers only a few are read. `brief`: of all long lists, which is quick and shows that a difference
    means something; that it means nothing, only the whole shows.
    """

    __slots__ = ("_again", "_characters", "_dialect", "_dropped", "_new", "_pools", "_readings", "_whole")

    def __init__(
        self, new: Part, after: Config, again: Again, sampled: Sequence[Difference], *, brief: bool = False
    ) -> None:
        self._new = new
        self._dialect = after.dialect
        self._pools = None if brief else len(after.pools)
        self._again = again
        self._characters = _MOST_CHARACTERS
        self._readings = _MOST_READINGS
        self._dropped = _spare(new, sampled, brief=brief)
        self._whole: tuple[Hashable] | None = None

    def whole(self) -> Hashable:
        """Return what the new version itself means, read from its own tree; None where it cannot be read again."""
        if self._whole is None:
            config = self._read(())
            known = config is not None and self._pools in {len(config.pools), None}
            self._whole = (signature(config) if known and config is not None else None,)
        return self._whole[0]

    def without(self, some: Sequence[Difference]) -> Hashable:
        """Return what the new version means without these differences; None where it is not to be read once more."""
        config = self._read(some)
        return None if config is None else signature(config)

    def same_without(self, some: Sequence[Difference]) -> bool:
        """Say whether it means the same without these differences, or nobody will know."""
        return self.without(some) in {self.whole(), None}

    @property
    def dropped(self) -> int:
        """How many parts are not read again."""
        return len(self._dropped)

    def _read(self, some: Sequence[Difference]) -> Config | None:
        if not self._readings or self._characters <= 0:
            return None
        written = texts(self._new, self._dialect, Edits(some, self._dropped))
        self._readings -= 1
        self._characters -= sum(map(len, written.values()))
        return self._again(written)


def _spare(root: Part, sampled: Sequence[Difference], *, brief: bool = False) -> set[int]:
    """Return the ids of servers in long lists that no sampled difference is about; if `brief`, of anything in them."""
    wanted = {id(part) for one in sampled for part in (one.new, one.home, one.behind) if part is not None}
    spare: set[int] = set()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        many = [kid for kid in part.kids if brief or _is_server(part, kid)] if len(part.kids) > _LONG else []
        spare.update(id(kid) for kid in many[_KEPT:] if not _holds(kid, wanted))
        waiting += [kid for kid in part.kids if kid.kind != LEAF and id(kid) not in spare]
    return spare


def _is_server(part: Part, kid: Part) -> bool:
    return kid.name == ITEM if part.name in _SERVERS else kid.name == "server" and kid.kind == LEAF


def _holds(part: Part, wanted: set[int]) -> bool:
    return id(part) in wanted or any(_holds(kid, wanted) for kid in part.kids)

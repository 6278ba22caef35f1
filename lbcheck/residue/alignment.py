"""Which part of the new version is which part of the old one, among the kids of two parts."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from lbcheck.residue.parts import Part


class Aligned(NamedTuple):
    """Pairs that differ, parts that one side lacks, and parts that stand in another order than before."""

    changed: list[tuple[Part, Part]]
    gone: list[Part]
    come: list[Part]
    moved: list[Part]


def align(old: Sequence[Part], new: Sequence[Part]) -> Aligned:
    """Pair what says the same, then what has the same key, then what has the same name, each in order of writing.

    It takes as long as there are parts, and a logarithm more: lists of servers are long.
    """
    alike = _paired(old, new, lambda part: part.id)
    pairs: list[tuple[int, int]] = []
    taken = (dict(alike), {after for _, after in alike})
    for key in (_key, lambda part: part.name):
        before = [at for at in range(len(old)) if at not in taken[0]]
        after = [at for at in range(len(new)) if at not in taken[1]]
        for one, other in _paired([old[at] for at in before], [new[at] for at in after], key):
            pairs.append((before[one], after[other]))
            taken[0][before[one]] = after[other]
            taken[1].add(after[other])
    return Aligned(
        [(old[one], new[other]) for one, other in sorted(pairs, key=lambda pair: pair[1])],
        [part for at, part in enumerate(old) if at not in taken[0]],
        [part for at, part in enumerate(new) if at not in taken[1]],
        [new[after] for after in _out_of_order(taken[0])],
    )


def _key(part: Part) -> Hashable:
    return None if part.key is None else (part.name, part.key)


def _paired(old: Sequence[Part], new: Sequence[Part], key: Callable[[Part], Hashable]) -> list[tuple[int, int]]:
    """Return places of parts with the same key, those of one key in order; a key of None pairs nothing."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for at in range(len(old) - 1, -1, -1):
        waiting[key(old[at])].append(at)
    found = []
    for at, part in enumerate(new):
        one = key(part)
        if one is not None and waiting.get(one):
            found.append((waiting[one].pop(), at))
    return found


def _out_of_order(pairs: dict[int, int]) -> list[int]:
    """Return the fewest places of the new version without which the rest stands in the old order."""
    after = [pairs[before] for before in sorted(pairs)]
    if all(one < other for one, other in pairwise(after)):
        return []
    ends: list[int] = []
    tails: list[int] = []
    links: list[int] = []
    for at, place in enumerate(after):
        length = bisect_left(ends, place)
        links.append(tails[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        tails[length : length + 1] = [at]
    kept = set()
    at = tails[-1]
    while at >= 0:
        kept.add(after[at])
        at = links[at]
    return sorted(set(after) - kept)

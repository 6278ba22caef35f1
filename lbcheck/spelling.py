"""Which known name somebody probably meant: edit distance, bounded so that long lists of candidates stay cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names longer than this are not compared: nobody mistypes one, and generated input must not cost time.
MAX_LENGTH = 200


def distance(left: str, right: str, limit: int) -> int:
    """Return how many single edits turn `left` into `right`, or `limit` + 1 where it takes more than `limit`.

    An edit inserts, drops or replaces one character, or swaps two neighbours (optimal string alignment).
    """
    if left == right:
        return 0
    if abs(len(left) - len(right)) > limit or max(len(left), len(right)) > MAX_LENGTH:
        return limit + 1
    if len(set(left).difference(right)) > limit or len(set(right).difference(left)) > limit:
        return limit + 1  # each letter that the other one lacks takes an edit of its own
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i] * (len(right) + 1)
        for j, b in enumerate(right, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, earlier[j - 2] + 1)
            row[j] = best
        if min(row) > limit and min(before) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def nearest(name: str, candidates: Iterable[str], limit: int) -> list[str]:
    """Return the candidates with the smallest distance to `name`, in their order; none beyond `limit`."""
    found: list[str] = []
    for candidate in candidates:
        away = distance(name, candidate, limit)
        if away < limit and found:
            found.clear()
        if away <= limit:
            limit = away
            if candidate not in found:
                found.append(candidate)
    return found


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` is most likely a misspelling of, or None where nothing is near enough.

    Near is one edit up to 5 characters, two up to 11, three beyond; of equally near ones the first counts. Names
    of one or two characters are never guessed.
    """
    if len(name) < 3:
        return None
    found = nearest(name, candidates, 1 if len(name) <= 5 else 2 if len(name) <= 11 else 3)
    return found[0] if found else None

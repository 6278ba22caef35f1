"""The routes before a route, indexed by what they ask for, so that thousands of them are searched in little time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.coverage import Test, implied, steady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Condition

#: One alternative of a route's match, prepared: all of its tests must hold.
Alternative = tuple[Test, ...]
_Entry = tuple[int, Alternative]
_Key = tuple[object, ...]

#: How many comparisons one frontend may cost; beyond them the search is silent.
_BUDGET = 100_000
#: More unindexable alternatives than this are not looked at.
_LOOSE = 200


class Seen:
    """Alternatives of earlier routes, by the routes' numbers.

    `everything` is the first route after which nothing is left; `paired` says that it took two for it, such as
    `if x` and `unless x`.
    """

    __slots__ = ("_buckets", "_budget", "_lengths", "_singles", "everything", "paired")

    def __init__(self) -> None:
        self.everything: int | None = None
        self.paired = False
        self._buckets: dict[_Key, list[_Entry]] = {}
        self._lengths: dict[tuple[str, str], set[int]] = {}
        self._singles: dict[_Key, set[bool]] = {}
        self._budget = _BUDGET

    def add(self, number: int, alternative: Alternative) -> None:
        """Remember that route `number` takes what this alternative accepts."""
        if not alternative:
            self._take_everything(number, paired=False)
            return
        if len(alternative) == 1:
            self._complement(number, alternative[0].condition)
        keys = min(map(_keys, alternative), key=lambda keys: sum(len(self._buckets.get(key, ())) for key in keys))
        for key in keys:
            self._buckets.setdefault(key, []).append((number, alternative))
            if key[0] in ("prefix", "suffix"):
                self._lengths.setdefault((str(key[0]), str(key[1])), set()).add(len(str(key[2])))

    def _take_everything(self, number: int, *, paired: bool) -> None:
        if self.everything is None:
            self.everything = number
            self.paired = paired

    def _complement(self, number: int, condition: Condition) -> None:
        if not steady(condition):
            return
        field, op, values, negated, *rest = condition.key
        signs = self._singles.setdefault((field, op, values, *rest), set())
        signs.add(negated)
        if len(signs) == 2:
            self._take_everything(number, paired=True)

    def cover(self, alternative: Alternative) -> _Entry | None:
        """Return the first earlier route, and its alternative, that takes all that this alternative accepts."""
        best: _Entry | None = None if self.everything is None else (self.everything, ())
        looked: set[int] = set()
        for entry in self._candidates(alternative):
            if id(entry) in looked or (best is not None and entry[0] >= best[0]):
                continue
            looked.add(id(entry))
            self._budget -= len(entry[1]) * len(alternative)
            if self._budget < 0:
                break
            if all(any(implied(test, given) for given in alternative) for test in entry[1]):
                best = entry
        return best

    def _candidates(self, alternative: Alternative) -> Iterator[_Entry]:
        buckets = self._buckets
        for test in alternative:
            for key in self._lookups(test):
                yield from buckets.get(key, ())
        yield from buckets.get(("loose",), ())[:_LOOSE]

    def _lookups(self, test: Test) -> Iterator[_Key]:
        yield ("same", *test.key)
        field = test.condition.field
        if not test.condition.negated:
            yield ("exists", field)
        if test.at_most is None:
            return
        op, values = test.at_most
        # What covers the condition accepts each of its values, so any one of them leads there.
        value = min(values, default="").lower()
        if op == "exact":
            yield ("exact", field, value)
        if op != "suffix":
            for length in self._lengths.get(("prefix", field), ()):
                yield ("prefix", field, value[:length])
        if op in ("exact", "suffix"):
            for length in self._lengths.get(("suffix", field), ()):
                yield ("suffix", field, value[len(value) - length :] if length <= len(value) else None)


def _keys(test: Test) -> list[_Key]:
    """Return the buckets in which an alternative is found by this test of it."""
    condition = test.condition
    if condition.op == "exists" and not condition.negated and condition.field != "opaque":
        return [("exists", condition.field)]
    if test.exactly is None:
        return [("same", *test.key)]
    op, values = test.exactly
    if op == "contains":
        return [("loose",)]
    bucket = "prefix" if op == "path_prefix" else op
    return [(bucket, condition.field, value.lower()) for value in values]

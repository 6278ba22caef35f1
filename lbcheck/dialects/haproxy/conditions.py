"""`if` and `unless` into alternatives of conditions (`build_acl_cond`, src/acl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.acl import PREDEFINED, test
from lbcheck.model import EVERY_REQUEST, Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.dialects.haproxy.acl import Test
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Match

#: More alternatives than this are kept as one opaque condition.
MAX_ALTERNATIVES = 64
_OR = frozenset({"or", "||", "OR"})
#: What a term is called inside a rule: the words of an anonymous ACL, or a name.
Term = tuple[bool, tuple[str, ...], int, bool]


class Acls:
    """The named ACLs of one section, and the predefined ones.

    One name may be declared several times; then any of the declarations is enough.
    """

    __slots__ = ("_tests", "_words")

    def __init__(self, lines: Iterable[Line]) -> None:
        self._words: dict[str, list[tuple[str, ...]]] = {}
        self._tests: dict[str, list[Test]] = {}
        for line in lines:
            self._words.setdefault(line.word(1), []).append(tuple(line.words[2:]))

    def known(self, name: str) -> bool:
        """Say whether a name is declared or predefined."""
        return name in self._words or name in PREDEFINED

    def declarations(self, name: str) -> Sequence[tuple[str, ...]]:
        """Return the expressions behind a name, as words."""
        if name in self._words:
            return self._words[name]
        return (PREDEFINED[name],) if name in PREDEFINED else ()

    def tests(self, name: str) -> list[Test]:
        """Return what each declaration of a name tests; an unknown name is one opaque condition."""
        found = self._tests.get(name)
        if found is None:
            found = [test(words) for words in self.declarations(name)]
            found = found or [(Condition("opaque", "exact", ("acl " + name,)),)]
            self._tests[name] = found
        return found


def condition_index(line: Line, first: int) -> int:
    """Return the index of the `if` or `unless` that begins the condition of a rule; 0 where there is none."""
    for index in range(first, len(line.words)):
        if line.words[index] in ("if", "unless"):
            return index
    return 0


def terms(words: Sequence[str], first: int) -> list[list[Term]]:
    """Take a condition apart: alternatives of terms (negated, words, index of the first word, anonymous)."""
    alternatives: list[list[Term]] = [[]]
    negated = False
    index = first
    while index < len(words):
        word = words[index]
        if word in _OR:
            alternatives.append([])
            negated = False
        elif word != "!":
            stripped = word.lstrip("!")
            negated ^= (len(word) - len(stripped)) % 2 == 1
            end = index
            if stripped == "{":
                end = next((at for at in range(index + 1, len(words)) if words[at] == "}"), len(words))
                alternatives[-1].append((negated, tuple(words[index + 1 : end]), index, True))
            else:
                alternatives[-1].append((negated, (stripped,), index, False))
            negated = False
            index = end
        else:
            negated = not negated
        index += 1
    return alternatives


def match(line: Line, index: int, acls: Acls) -> Match:
    """Return when a rule applies: `index` is that of its `if` or `unless`, 0 for always."""
    if not index:
        return EVERY_REQUEST
    words = line.words
    unless = words[index] == "unless"
    alternatives = [[_term(term, acls) for term in part] for part in terms(words, index + 1) if part]
    result = _negated(alternatives) if unless else _joined(alternatives)
    if result is None:
        return ((Condition("opaque", "exact", (" ".join(words[index + 1 :]),), negated=unless),),)
    return result


def _term(term: Term, acls: Acls) -> tuple[bool, list[Test]]:
    negated, words, _, anonymous = term
    return negated, [test(words)] if anonymous else acls.tests(words[0])


def _joined(alternatives: Iterable[Iterable[tuple[bool, list[Test]]]]) -> Match | None:
    found: list[tuple[Condition, ...]] = []
    for part in alternatives:
        product: list[tuple[Condition, ...]] = [()]
        for negated, tests in part:
            choices = _choices(tests, negated=negated)
            product = [left + right for left in product for right in choices]
            if len(product) > MAX_ALTERNATIVES:
                return None
        found.extend(product)
        if len(found) > MAX_ALTERNATIVES:
            return None
    return EVERY_REQUEST if () in found else tuple(found)


def _choices(tests: Sequence[Test], *, negated: bool) -> list[tuple[Condition, ...]]:
    """Return the ways to satisfy a term: any declaration, or, negated, none of them."""
    if not negated:
        return [()] if None in tests else [(condition,) for one in tests if one for condition in one]
    if None in tests:
        return []
    return [tuple(_opposite(condition) for one in tests if one for condition in one)]


def _opposite(condition: Condition) -> Condition:
    return Condition(
        condition.field,
        condition.op,
        condition.values,
        negated=not condition.negated,
        ignore_case=condition.ignore_case,
        strength=condition.strength,
    )


def _negated(alternatives: Sequence[Sequence[tuple[bool, list[Test]]]]) -> Match | None:
    """Return when none of the alternatives holds: in each, one term fails."""
    product: list[tuple[Condition, ...]] = [()]
    for part in alternatives:
        ways = [choice for negated, tests in part for choice in _choices(tests, negated=not negated)]
        product = [left + right for left in product for right in ways]
        if len(product) > MAX_ALTERNATIVES:
            return None
    return EVERY_REQUEST if () in product else tuple(product)

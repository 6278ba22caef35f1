"""Whether one condition is sure to hold where another one does: proofs only, and None or False where there is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.model import Condition

# Expressions are compiled on use, and then kept by `re`: most configs need none of them.

#: An operator and the values of which one must hold, such as ("prefix", {"/api"}).
Language = tuple[str, frozenset[str]]

_PLAIN = frozenset({"exact", "prefix", "path_prefix", "suffix", "contains"})
#: What may follow the literal of an anchored expression without narrowing it.
_ANY_REST = frozenset({"", ".*", "(.*)", ".*$", "(.*)$", ".*?", "(.*?)$"})
_ELEMENT_REST = frozenset({"(/|$)", "(?:/|$)", "(/.*)?$", "(?:/.*)?$", "($|/)", "(?:$|/)", "(/.*|$)", "(?:/.*|$)"})
_QUANTIFIERS = "*?{"
_META = frozenset("^$.|?*+()[]{}")
_CHOICE = r"\((?:\?:)?([^()\[\]^$.*+?{}]+)\)(\$?)$"
#: Words of HAProxy's language whose value may differ between two evaluations of one request, or that count.
_UNSTEADY = (
    r"\b(?:rand|date|date_us|lua\.|uuid|sc\d?_|src_(?:inc|clr|get|gpc|.*rate)|table_|be_|fe_|srv_|nbsrv|connslots"
    r"|queue|avg_queue|stopping|thread|cpu_|internal|wait_end)"
)
#: More pairs of values than this are not compared.
_PAIRS = 2000


class Test:
    """A condition prepared for comparison.

    `exactly` is the language that it accepts, `at_most` one that it stays within; None where that is not simple.
    """

    __slots__ = ("at_most", "condition", "exactly", "ignore_case", "key")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.key = condition.key
        self.ignore_case = condition.ignore_case or condition.strength == "~*"
        self.exactly: Language | None = None
        self.at_most: Language | None = None
        if condition.negated or condition.field == "opaque":
            return
        if condition.op in _PLAIN:
            self.exactly = self.at_most = (condition.op, condition.values)
        elif condition.op == "regex" and len(condition.values) == 1:
            pattern = next(iter(condition.values))
            self.exactly = language(pattern)
            self.at_most = self.exactly or _bound(pattern)


def steady(condition: Condition) -> bool:
    """Say whether the same words give the same answer each time within one request."""
    return condition.field != "opaque" or not any(re.search(_UNSTEADY, text) for text in condition.values)


def every_path(condition: Condition) -> bool:
    """Say whether the condition holds for every path, as `path_beg /` and `^/.*` do."""
    if condition.field != "path" or condition.negated:
        return False
    exactly = Test(condition).exactly
    return exactly is not None and exactly[0] in ("prefix", "contains") and not exactly[1].isdisjoint(("", "/"))


def implied(wanted: Test, given: Test) -> bool:
    """Say whether `wanted` is sure to hold for every request for which `given` holds."""
    if wanted.key == given.key:
        return steady(wanted.condition)
    mine, other = wanted.condition, given.condition
    if mine.negated or other.negated or mine.field != other.field or mine.field == "opaque":
        return False
    if mine.op == "exists":
        return True
    if wanted.exactly is None or given.at_most is None:
        return False
    return _language_within(wanted, given)


def _language_within(wanted: Test, given: Test) -> bool:
    accepted, possible = wanted.exactly, given.at_most
    if accepted is None or possible is None or len(accepted[1]) * len(possible[1]) > _PAIRS:
        return False
    if given.ignore_case and not wanted.ignore_case and any(text.lower() != text.upper() for text in possible[1]):
        return False
    fold = str.lower if wanted.ignore_case else str
    outer = [fold(text) for text in accepted[1]]
    return all(any(_within(accepted[0], text, possible[0], fold(value)) for text in outer) for value in possible[1])


def _within(outer_op: str, outer: str, op: str, value: str) -> bool:
    """Say whether every text that `op value` accepts is accepted by `outer_op outer`."""
    starts = op in ("exact", "prefix", "path_prefix")
    if outer_op == "exact":
        return op == "exact" and value == outer
    if outer_op == "prefix":
        return starts and value.startswith(outer)
    if outer_op == "path_prefix":
        return _within_elements(outer, op, value)
    if outer_op == "suffix":
        return op in ("exact", "suffix") and value.endswith(outer)
    return outer_op == "contains" and outer in value


def _within_elements(outer: str, op: str, value: str) -> bool:
    """`path_prefix /a` accepts /a and /a/b, not /ab; of a written trailing slash only what lies below is sure."""
    if op not in ("exact", "prefix", "path_prefix"):
        return False
    if outer.endswith("/"):
        return value.startswith(outer)
    return (value == outer and op != "prefix") or value.startswith(outer + "/")


def language(pattern: str) -> Language | None:
    """Return what a simple regular expression accepts: a literal, anchored or not, perhaps with a choice at its end."""
    if pattern.startswith("^"):
        literal, rest = _literal(pattern[1:])
        if rest in _ANY_REST:
            return ("prefix", frozenset({literal}))
        if rest in _ELEMENT_REST and literal:
            return ("path_prefix", frozenset({literal}))
        return ("exact", frozenset({literal})) if rest == "$" else _choice("exact", "prefix", literal, rest)
    literal, rest = _literal(pattern.removeprefix(".*"))
    if rest in ("", ".*"):
        return ("contains", frozenset({literal}))
    return ("suffix", frozenset({literal})) if rest == "$" else _choice("suffix", "contains", literal, rest)


def _choice(ended: str, unended: str, literal: str, rest: str) -> Language | None:
    r"""Read `literal(a|b)$`, as in `\.(jpg|png)$`."""
    found = re.match(_CHOICE, rest)
    if found is None:
        return None
    values = []
    for option in found[1].split("|"):
        text, left = _literal(option)
        if left:
            return None
        values.append(literal + text)
    return (ended if found[2] else unended, frozenset(values))


def _literal(pattern: str) -> tuple[str, str]:
    """Return (the literal text that a pattern begins with, the rest of the pattern)."""
    text: list[str] = []
    starts: list[int] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        width = 1
        if char == "\\" and position + 1 < len(pattern) and not pattern[position + 1].isalnum():
            char, width = pattern[position + 1], 2
        elif char in _META or char == "\\":
            break
        text.append(char)
        starts.append(position)
        position += width
    if text and pattern[position : position + 1] in (*_QUANTIFIERS, "+"):
        # A quantifier belongs to the last character alone.
        position = starts[-1]
        text.pop()
    return "".join(text), pattern[position:]


def _bound(pattern: str) -> Language | None:
    """Return a prefix that every text accepted by an anchored expression has."""
    if not pattern.startswith("^") or _splits(pattern):
        return None
    literal, _ = _literal(pattern[1:])
    return ("prefix", frozenset({literal})) if literal else None


def _splits(pattern: str) -> bool:
    """Say whether a `|` stands outside all groups, so that the anchor holds for a part only."""
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", pattern)
    depth = 0
    for char in bare:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth <= 0:
            return True
    return False

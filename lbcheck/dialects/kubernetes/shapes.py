"""What the API server lets through: shapes that a manifest's values are held against.

A shape judges one node and adds what is wrong with it to a report. What another program has yet to fill in is passed
over, and so are fields that no shape knows: versions of the API come and go.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

from lbcheck.dialects.kubernetes.view import View, first_line, integer, opaque
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.findings import Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

    #: A rule over several fields of a mapping: reports what does not go together.
    Rule = Callable[[View, str, "Report"], None]

#: More than so many mistakes of one object are not listed.
_MOST = 20


class Report:
    """What is wrong with one object."""

    __slots__ = ("hits",)

    def __init__(self) -> None:
        self.hits: list[Hit] = []

    def add(self, code: str, span: Span, problem: str, advice: str, first: Span | None = None) -> None:
        """Add a finding; `first` is the other one of two that are alike."""
        if len(self.hits) < _MOST:
            related = [] if first is None else [Related(first, "the first one is here")]
            self.hits.append(Hit(code, span, {"problem": problem, "advice": advice}, related=related))


class Shape(Protocol):
    """Something that judges a node. `name` is what people call the field."""

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Add to the report what is wrong with the node."""


class Text:
    """A single value, of a pattern or among some words. `blank`: an empty text is the default."""

    __slots__ = ("advice", "blank", "pattern", "words")

    def __init__(
        self,
        pattern: re.Pattern[str] | None = None,
        words: Sequence[str] = (),
        advice: str = "",
        *,
        blank: bool = False,
    ) -> None:
        self.blank = blank
        self.pattern = pattern
        self.words = words
        self.advice = advice

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge kind and content."""
        if not isinstance(node, ScalarNode):
            report.add("E09", first_line(node), f"{name} is {_kind(node)}, not a text", "write one value")
            return
        text = node.text
        if opaque(text) or (self.blank and not text):
            return
        if self.words and text not in self.words:
            advice = f"write {', '.join(self.words[:-1])} or {self.words[-1]}"
            report.add("E09", node.span, f"{name} cannot be {_short(text)}", advice)
        elif self.pattern is not None and not self.pattern.match(text):
            report.add("E09", node.span, f"{name} cannot be {_short(text)}", self.advice or "mend the value")


class Number:
    """A number between two bounds, `high` inf where there is no upper one; `whole` ones have no fraction."""

    __slots__ = ("high", "low", "whole")

    def __init__(self, low: float, high: float, *, whole: bool = True) -> None:
        self.low = low
        self.high = high
        self.whole = whole

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge kind and size."""
        if isinstance(node, ScalarNode) and opaque(node.text):
            return
        value = node.value if isinstance(node, ScalarNode) else None
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        if number is None or (self.whole and integer(node) is None):  # type: ignore[arg-type]
            shown = _short(node.text) if isinstance(node, ScalarNode) else _kind(node)
            report.add("E09", first_line(node), f"{name} is {shown}, not a number", self._advice())
        elif not self.low <= number <= self.high:
            report.add("E09", node.span, f"{name} is {number}", self._advice())

    def _advice(self) -> str:
        if self.high == inf:
            return f"write a number of at least {self.low:g}"
        return f"write a number from {self.low:g} to {self.high:.10g}"


class Record:
    """A mapping with known fields, some of which are needed, and rules about what goes together."""

    __slots__ = ("fields", "needed", "rules")

    def __init__(self, fields: Mapping[str, Shape], needed: Sequence[str] = (), rules: Sequence[Rule] = ()) -> None:
        self.fields = fields
        self.needed = needed
        self.rules = rules

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge the fields that are there, what is missing, and the whole."""
        if not isinstance(node, MappingNode):
            if not (isinstance(node, ScalarNode) and opaque(node.text)):
                report.add("E09", first_line(node), f"{name} is {_kind(node)}, not a mapping", "write key: value pairs")
            return
        view = View(node)
        for field in view.fields:
            shape = self.fields.get(field)
            value = None if shape is None else view.get(field)
            if shape is not None and value is not None:
                shape.judge(value, f"{name}.{field}", report)
        for field in self.needed:
            if field not in view:
                report.add("E08", view.place(field), f"{name} has no {field}", f"write {field}: and its value")
        for rule in self.rules:
            rule(view, name, report)


class Listing:
    """A list, at least so long, whose items differ in some fields."""

    __slots__ = ("item", "least", "most", "unique")

    def __init__(self, item: Shape, least: int = 0, most: int = 1_000_000, unique: Sequence[str] = ()) -> None:
        self.item = item
        self.least = least
        self.most = most
        self.unique = unique

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge length, items, and whether items are alike."""
        if not isinstance(node, SequenceNode):
            if not (isinstance(node, ScalarNode) and opaque(node.text)):
                report.add("E09", first_line(node), f"{name} is {_kind(node)}, not a list", "begin each item with -")
            return
        if len(node.items) < self.least:
            report.add("E08", first_line(node), f"{name} is empty", "write at least one item")
        if len(node.items) > self.most:
            problem = f"{name} has {len(node.items)} items, more than the API's {self.most}"
            report.add("E08", first_line(node), problem, "write fewer, or split the object")
        seen: dict[tuple[str | None, ...], Span] = {}
        for at, item in enumerate(node.items):
            self.item.judge(item, f"{name}[{at}]", report)
            if self.unique and len(node.items) > 1:
                self._again(item, name, seen, report)

    def _again(self, item: Node, name: str, seen: dict[tuple[str | None, ...], Span], report: Report) -> None:
        view = View(item)
        key: tuple[str | None, ...]
        key = (item.text,) if isinstance(item, ScalarNode) else tuple(view.text(field) for field in self.unique)
        if all(part is None for part in key):
            return
        first = seen.setdefault(key, first_line(item))
        if first != first_line(item):
            problem = f"{name} has {' '.join(part for part in key if part)} twice"
            report.add("E10", first_line(item), problem, "keep one of them, or give each its own", first)


class Named:
    """A mapping from names of one's own, of a pattern, to values of a shape."""

    __slots__ = ("advice", "key", "value")

    def __init__(self, value: Shape, key: re.Pattern[str] | None = None, advice: str = "") -> None:
        self.value = value
        self.key = key
        self.advice = advice

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge names and values."""
        for key, (place, value) in View(node).fields.items():
            if self.key is not None and not self.key.match(key) and not opaque(key):
                report.add("E09", place.span, f"{name} cannot have the key {_short(key)}", self.advice)
            self.value.judge(value, f"{name}.{key}", report)


def together(*names: str) -> Rule:
    """Return the rule that at most one of these fields is set."""

    def rule(view: View, name: str, report: Report) -> None:
        found = [field for field in names if field in view]
        if len(found) > 1:
            problem = f"{name} has both {found[0]} and {found[1]}"
            report.add("E14", view.place(found[1]), problem, f"write only one of {listed(list(names))}")

    return rule


def _kind(node: Node) -> str:
    if isinstance(node, SequenceNode):
        return "a list"
    return "a mapping" if isinstance(node, MappingNode) else "a single value"


def _short(text: str) -> str:
    folded = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return "an empty text" if not text else folded if len(folded) <= 60 else f"{folded[:57]}…"

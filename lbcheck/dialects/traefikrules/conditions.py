"""From a rule's expression to the model's match: alternatives of conditions that must all hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.traefikrules.expressions import Both, Call
from lbcheck.model import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.dialects.traefikrules.expressions import Expression
    from lbcheck.model import Match

#: More alternatives than this are not taken apart: the rule is opaque.
_MAX_ALTERNATIVES = 64

_Alternative = tuple[Condition, ...]


def match(expression: Expression, text: str, syntax: str) -> Match:
    """Return which requests a rule takes. Values that only its syntax understands make a condition opaque."""
    found = _alternatives(expression, syntax)
    if found is None:
        return ((Condition("opaque", "exact", [text]),),)
    return tuple(tuple(one) for one in found)


def _alternatives(expression: Expression, syntax: str) -> list[_Alternative] | None:
    if isinstance(expression, Call):
        condition = _condition(expression, syntax)
        if condition is None:  # takes every request, or none
            return [] if expression.negated else [()]
        return [(condition,)]
    parts = [_alternatives(part, syntax) for part in expression.parts]
    if isinstance(expression, Both):
        found: list[_Alternative] = [()]
        for part in parts:
            if part is None or len(found) * len(part) > _MAX_ALTERNATIVES:
                return None
            found = [(*one, *other) for one in found for other in part]
        return found
    found = []
    for part in parts:
        if part is None or len(found) + len(part) > _MAX_ALTERNATIVES:
            return None
        found += part
    return _together(found)


def _together(alternatives: list[_Alternative]) -> list[_Alternative]:
    """Join alternatives that differ in one condition's values: Host(`a`) || Host(`b`) is one condition."""
    if () in alternatives:
        return [()]
    joined: dict[object, Condition] = {}
    others = []
    for one in alternatives:
        condition = one[0]
        if len(one) > 1 or condition.negated or condition.field == "opaque":
            others.append(one)
            continue
        key = (condition.field, condition.op, condition.ignore_case)
        known = joined.get(key)
        wanted = condition.values if known is None else known.values | condition.values
        joined[key] = Condition(condition.field, condition.op, wanted, ignore_case=condition.ignore_case)
    return [*((condition,) for condition in joined.values()), *others]


def _condition(call: Call, syntax: str) -> Condition | None:
    """Return a matcher's condition; None where it takes every request."""
    if call.name == "PathPrefix" and "/" in call.arguments:  # every path begins with it
        return None
    make = _MAKERS.get(call.name)
    made = None if make is None else make(call.arguments, syntax)
    if made is None:
        if "*" in call.arguments and call.name in ("Host", "HostSNI"):
            return None
        return Condition("opaque", "exact", [f"{call.name}({', '.join(call.arguments)})"], negated=call.negated)
    field, op, values = made
    ignore_case = field in ("host", "sni")
    return Condition(field, op, values, negated=call.negated, ignore_case=ignore_case)


_Made = tuple[str, str, "Sequence[str]"]


def _hosts(field: str) -> Callable[[Sequence[str], str], _Made | None]:
    def make(arguments: Sequence[str], syntax: str) -> _Made | None:
        if "*" in arguments and (syntax != "v2" or field == "sni"):
            return None
        names = [name.rstrip(".").lower() for name in arguments]
        if syntax != "v2" and names[0].startswith("*."):  # one label, whichever (muxer.DomainMatchHostExpression())
            return field, "regex", [rf"^[^.]*{re.escape(names[0][1:])}$"]
        return field, "exact", names

    return make


def _templated(arguments: Sequence[str], syntax: str) -> bool:
    """Say whether an argument holds a template of the v2 syntax, as in /users/{id:[0-9]+}."""
    return syntax == "v2" and any("{" in text for text in arguments)


def _paths(op: str) -> Callable[[Sequence[str], str], _Made | None]:
    def make(arguments: Sequence[str], syntax: str) -> _Made | None:
        return None if _templated(arguments, syntax) else ("path", op, arguments)

    return make


def _regexps(field: str) -> Callable[[Sequence[str], str], _Made | None]:
    def make(arguments: Sequence[str], syntax: str) -> _Made | None:
        return None if syntax == "v2" else (field, "regex", arguments)

    return make


def _named(field: str, op: str) -> Callable[[Sequence[str], str], _Made | None]:
    def make(arguments: Sequence[str], syntax: str) -> _Made | None:
        del syntax
        name, *wanted = arguments
        if len(wanted) > 1:
            return None
        key = f"{field}:{name.lower() if field == 'header' else name}"
        return (key, op, wanted) if wanted else (key, "exact", [""])

    return make


def _query(arguments: Sequence[str], syntax: str) -> _Made | None:
    if syntax != "v2":
        return _named("query", "exact")(arguments, syntax)
    name, sign, value = arguments[0].partition("=")
    if len(arguments) > 1 or not sign or "{" in value:
        return None
    return f"query:{name}", "exact", [value]


def _methods(arguments: Sequence[str], syntax: str) -> _Made:
    del syntax
    return "method", "exact", [name.upper() for name in arguments]


def _sources(arguments: Sequence[str], syntax: str) -> _Made:
    del syntax
    return "source", "exact", arguments


_MAKERS: dict[str, Callable[[Sequence[str], str], _Made | None]] = {
    "Host": _hosts("host"),
    "HostHeader": _hosts("host"),
    "HostSNI": _hosts("sni"),
    "HostRegexp": _regexps("host"),
    "HostSNIRegexp": _regexps("sni"),
    "Path": _paths("exact"),
    "PathPrefix": _paths("prefix"),
    "PathRegexp": _regexps("path"),
    "Method": _methods,
    "ClientIP": _sources,
    "Header": _named("header", "exact"),
    "HeaderRegexp": _named("header", "regex"),
    "Headers": _named("header", "exact"),
    "Query": _query,
    "QueryRegexp": _named("query", "regex"),
}

"""Which requests a route takes: a RouteMatch as the model's conditions (envoy.config.route.v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import EVERY_REQUEST, Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Match

#: Pseudo-headers that are fields of their own in the model.
_FIELDS = {":method": "method", ":authority": "host", "host": "host", ":path": "path", ":scheme": "scheme"}
_OPERATORS = {"exact": "exact", "prefix": "prefix", "suffix": "suffix", "contains": "contains"}
_LEGACY = {"exact_match": "exact", "prefix_match": "prefix", "suffix_match": "suffix", "contains_match": "contains"}
#: What a match may ask that the model has no words for.
_OPAQUE = ("grpc", "tls_context", "dynamic_metadata", "filter_state", "cookies")


def route_match(match: Message) -> tuple[Match, str]:
    """Return the conditions of a route, and how people see them: its path."""
    conditions: list[Condition] = []
    label = _path(match, conditions)
    conditions += headers(match)
    conditions += [_named(one, f"query:{one.word('name')}") for one in match.messages("query_parameters")]
    if "runtime_fraction" in match:
        # every request is drawn anew, so two of these never cover each other
        conditions.append(
            Condition("opaque", "exact", [f"rand runtime_fraction {match.place('runtime_fraction').start}"])
        )
    conditions += [_opaque(match, name) for name in _OPAQUE if name in match]
    return (tuple(conditions),) if conditions else EVERY_REQUEST, label


def headers(match: Message) -> Iterator[Condition]:
    """Yield what the `headers` of a match ask for: all of it has to hold."""
    for header in match.messages("headers"):
        name = header.word("name").lower()
        yield _named(header, _FIELDS.get(name, f"header:{name}"))


def _path(match: Message, conditions: list[Condition]) -> str:
    sensitive = match.boolean("case_sensitive")
    fold = sensitive is not None and not sensitive.value
    for name, operator in (("prefix", "prefix"), ("path", "exact"), ("path_separated_prefix", "path_prefix")):
        if name in match:
            text = match.word(name)
            if operator == "exact" or text not in ("/", ""):
                conditions.append(Condition("path", operator, [text], ignore_case=fold))
            return text
    if "safe_regex" in match:
        expression = match.message("safe_regex").word("regex")
        conditions.append(Condition("path", "regex", [_whole(expression)]))
        return expression
    for name in ("connect_matcher", "path_match_policy"):
        if name in match:
            conditions.append(_opaque(match, name))
            return "CONNECT" if name == "connect_matcher" else name
    conditions.append(Condition("opaque", "exact", ["unreadable"]))
    return "?"


def _whole(expression: str) -> str:
    """Return an expression that is searched for, from Envoy's, which has to match the whole text."""
    return f"^(?:{expression})$" if "|" in expression else f"^{expression}$"


def _opaque(match: Message, name: str) -> Condition:
    node = match.get(name)
    text = "" if node is None else node.span.text
    return Condition("opaque", "exact", [f"{name} {' '.join(text.split())}"])


def _named(message: Message, field: str) -> Condition:
    """Return the condition of a HeaderMatcher or a QueryParameterMatcher."""
    negated = message.true("invert_match")
    string = message.message("string_match")
    fold = string.true("ignore_case")
    for name, operator in _OPERATORS.items():
        if name in string:
            return Condition(field, operator, [string.word(name)], negated=negated, ignore_case=fold)
    for name, operator in _LEGACY.items():
        if name in message:
            return Condition(field, operator, [message.word(name)], negated=negated)
    for holder, name in ((string, "safe_regex"), (message, "safe_regex_match")):
        if name in holder:
            return Condition(field, "regex", [_whole(holder.message(name).word("regex"))], negated=negated)
    if "present_match" in message:
        present = message.boolean("present_match")
        return Condition(field, "exists", [], negated=negated != (present is not None and not present.value))
    if "range_match" in message or string:
        node = message.node
        return Condition("opaque", "exact", [" ".join(node.span.text.split()) if node is not None else ""])
    return Condition(field, "exists", [], negated=negated)

"""What requests a rule takes, in the model's conditions: paths, hosts, methods, headers and query parameters."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from lbcheck.model import EVERY_REQUEST, Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Match

#: Alternatives of one rule beyond which it is not taken apart.
MOST = 64

_GATEWAY_PATHS = {"Exact": "exact", "PathPrefix": "path_prefix", "RegularExpression": "regex"}


def host(name: str) -> Condition | None:
    """Return the condition for a host name, `*.` in front of a suffix; None where it takes every host."""
    if name in ("", "*"):
        return None
    op, value = ("suffix", name[1:]) if name.startswith("*") else ("exact", name)
    return Condition("host", op, [value], ignore_case=True)


def hosts(names: Iterable[str], field: str = "host") -> list[Condition]:
    """Return the alternatives for several host names; none where every host is taken."""
    exact: list[str] = []
    suffixes: list[str] = []
    for name in names:
        if name in ("", "*"):
            return []
        (suffixes if name.startswith("*") else exact).append(name.removeprefix("*"))
    found = [Condition(field, "exact", exact, ignore_case=True)] if exact else []
    return found + ([Condition(field, "suffix", suffixes, ignore_case=True)] if suffixes else [])


def prefix(path: str) -> Condition:
    """Return the condition for whole path elements: /a takes /a/b and not /ab."""
    return Condition("path", "path_prefix", [path.rstrip("/") or "/"])


def combined(alternatives: Sequence[Sequence[Condition]], choices: Sequence[Sequence[Condition]] = ()) -> Match:
    """Return the match of a rule: one of the alternatives, and one of each list of choices that is not empty."""
    needed = [choice for choice in choices if choice]
    known = list(alternatives) or [()]
    count = len(known)
    for choice in needed:
        count *= len(choice)
    if count > MOST:
        return ((Condition("opaque", "exact", [f"{count} alternatives"]),),)
    match = tuple((*one, *more) for one in known for more in product(*needed))
    return EVERY_REQUEST if any(not one for one in match) else match


def gateway_match(view: View) -> list[Condition]:
    """Return the conditions of an HTTPRouteMatch; path / as a prefix takes every request."""
    found = []
    path = view.view("path")
    kind, value = path.text("type") or "PathPrefix", path.text("value") or "/"
    if kind in _GATEWAY_PATHS and (kind, value) != ("PathPrefix", "/"):
        found.append(prefix(value) if kind == "PathPrefix" else Condition("path", _GATEWAY_PATHS[kind], [value]))
    method = view.text("method")
    if method is not None:
        found.append(Condition("method", "exact", [method]))
    return found + named(view, "headers", "header") + named(view, "queryParams", "query")


def named(view: View, field: str, kind: str) -> list[Condition]:
    """Return the conditions on headers or parameters of a Gateway API match."""
    found = []
    for one in view.views(field):
        name = (one.text("name") or "").lower() if kind == "header" else one.text("name") or ""
        op = "regex" if one.text("type") == "RegularExpression" else "exact"
        found.append(Condition(f"{kind}:{name}", op, [one.text("value") or ""]))
    return found


_ISTIO_FIELDS = {"uri": "path", "scheme": "scheme", "method": "method", "authority": "host"}
_ISTIO_OPS = ("exact", "prefix", "regex")


def istio_match(view: View) -> list[Condition]:
    """Return the conditions of an HTTPMatchRequest; what the model has no words for is opaque."""
    found = []
    ignore = view.flag("ignoreUriCase") is True
    for name in view.fields:
        value = view.view(name)
        if name in _ISTIO_FIELDS:
            found += _string_match(_ISTIO_FIELDS[name], value, ignore_case=ignore and name == "uri")
        elif name in ("headers", "queryParams", "withoutHeaders"):
            kind = "query" if name == "queryParams" else "header"
            for key in value.fields:
                inner = _string_match(f"{kind}:{key.lower() if kind == 'header' else key}", value.view(key))
                inner = inner or [Condition(f"{kind}:{key.lower()}", "exists", [])]
                found += [_negated(one) for one in inner] if name == "withoutHeaders" else inner
        elif name not in ("name", "ignoreUriCase"):
            node = view.get(name)
            text = "" if node is None else node.source.text[node.start : node.end]
            found.append(Condition("opaque", "exact", [f"{name} {' '.join(text.split())}"]))
    return found


def _string_match(field: str, view: View, *, ignore_case: bool = False) -> list[Condition]:
    for op in _ISTIO_OPS:
        value = view.text(op)
        if value is not None:
            return (
                []
                if (field, op, value) == ("path", "prefix", "/")
                else [Condition(field, op, [value], ignore_case=ignore_case or field == "host")]
            )
    return []


def _negated(one: Condition) -> Condition:
    return Condition(one.field, one.op, one.values, negated=True, ignore_case=one.ignore_case)

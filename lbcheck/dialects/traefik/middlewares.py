"""Middlewares that answer requests themselves: all of a router's, some of them, or nobody can say which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.values import TEMPLATE
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.findings import NotChecked
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.dialects.traefik.entries import Entries, Entry
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.traefik.static import EntryPoint
    from lbcheck.dialects.yaml_nodes import Node

#: Chains that hold chains are followed so far.
_MAX_DEPTH = 10
#: What refuses requests, by what it does with them (pkg/middlewares; those for TCP have the same names).
_REFUSING = {
    "basicauth": "refuses",
    "digestauth": "refuses",
    "forwardauth": "refuses, or its server answers",
    "ipallowlist": "refuses",
    "ipwhitelist": "refuses",
    "ratelimit": "refuses",
    "inflightreq": "refuses",
    "inflightconn": "refuses",
    "circuitbreaker": "answers while it is open",
    "buffering": "refuses for their size",
}
#: Headers by which requests are refused or redirected, and those by which preflight requests are answered.
_CHECKED_HEADERS = ("allowedhosts", "sslredirect", "sslforcehost", "accesscontrolallowmethods")
_REDIRECT = "redirects"
#: A regular expression that takes every URL, or every one of a scheme.
_WHOLE = pattern(r"\^?(?P<scheme>https?\??:(?:/|\\/){2})?(?:\.[*+]|\(\.[*+]\))\$?\Z")


class Effect(NamedTuple):
    """What a router's middlewares do: whether they answer every request, and what of it is not known.

    `filters` says the same of two routers only where what may answer is the same, whatever its name.
    """

    answers: bool
    filters: tuple[str, ...]
    notes: tuple[NotChecked, ...]


def used(nodes: Iterable[tuple[str, Node | None]], entries: Entries, protocol: str) -> Iterator[Entry]:
    """Yield the middlewares of these names, each chain with its members."""
    known = entries.of(protocol, "middlewares")
    yield from _used([name for name, _ in nodes], known, entries, 0)


def _used(names: Iterable[str], known: dict[str, Entry], entries: Entries, depth: int) -> Iterator[Entry]:
    for name in names:
        short, provider = entries.local(name)
        found = None if provider else known.get(short)
        if found is not None:
            yield found
            if depth < _MAX_DEPTH:
                chained = f.texts(f.inside(found.fields, "chain"), "middlewares")
                yield from _used([node.text for node in chained], known, entries, depth + 1)


def foreign(nodes: Iterable[tuple[str, Node | None]], entries: Entries) -> Iterator[NotChecked]:
    """Yield a note for each middleware that another provider defines."""
    for name, node in nodes:
        _, provider = entries.local(name)
        if provider and node is not None:
            yield NotChecked(node.span, f"what middleware {name[:60]} does, which comes from {provider[:30]}")


def named(entry: Entry, protocol: str, entry_point: EntryPoint | None) -> list[tuple[str, Node | None]]:
    """Return the names of a router's middlewares, those of its entry point first, each with the router's own node."""
    own: list[tuple[str, Node | None]] = [(node.text, node) for node in f.texts(entry.fields, "middlewares")]
    if entry_point is None or protocol != "http":
        return own
    return [*((name, None) for name in entry_point.middlewares), *own]


def effect(found: Sequence[Entry], *, tls: bool) -> Effect:
    """Return what middlewares do with requests that come over TLS, or plain ones."""
    answers, filters, notes = False, [], []
    for one in found:
        for kind, (key, node) in one.fields.items():
            does = _does(kind, f.of(node), tls=tls) if f.written(one.fields, kind) else ""
            if does is None:
                answers = True
                break
            if does:
                filters.append(f"{key.text} {_plain(node)!r}")
            if does and kind != "plugin":  # which is noted wherever it is defined
                notes.append(
                    NotChecked(key.span, f"which requests the {key.text} of middleware {one.name[:60]} {does}")
                )
    return Effect(answers, tuple(filters), tuple(notes))


def _does(kind: str, inside: Fields, *, tls: bool) -> str | None:
    """Return what a middleware does with requests of which nobody knows: "" nothing, None if it answers all."""
    if kind in _REFUSING:
        return _REFUSING[kind]
    if kind == "plugin":
        return "answers"
    if kind == "headers":
        return "answers" if any(f.written(inside, name) for name in _CHECKED_HEADERS) else ""
    if kind == "redirectscheme":
        return _scheme(inside, tls=tls)
    return _regex(inside, tls=tls) if kind == "redirectregex" else ""


def _scheme(inside: Fields, *, tls: bool) -> str | None:
    """Say what redirectScheme does: nothing where the URL would stay the same (pkg/middlewares/redirect)."""
    scheme, port = f.text(inside, "scheme"), f.text(inside, "port")
    if scheme is None or TEMPLATE.search(scheme.value):
        return _REDIRECT
    if scheme.value != ("https" if tls else "http"):
        return None
    return "" if port is None or port.value == ("443" if tls else "80") else _REDIRECT


def _regex(inside: Fields, *, tls: bool) -> str | None:
    """Say what redirectRegex does with URLs that begin with the scheme: those that it leaves as they are go on."""
    regex, replacement = f.text(inside, "regex"), f.text(inside, "replacement")
    whole = None if regex is None else _WHOLE.match(regex.value)
    if whole is None or replacement is None or TEMPLATE.search(replacement.value.replace("${", "")):
        return _REDIRECT
    other = "http:" if tls else "https:"
    if (whole["scheme"] or "").startswith(other):
        return ""
    return _REDIRECT if "$" in replacement.value and not replacement.value.startswith(other) else None


def _plain(node: Node) -> object:
    """Return a node as plain data, equal for what says the same."""
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return tuple(_plain(item) for item in node.items)
    fields = node.fields() if isinstance(node, MappingNode) else {}
    return tuple(sorted((name.lower(), repr(_plain(value))) for name, (_, value) in fields.items()))

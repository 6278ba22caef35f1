"""Where a variable decides which server gets a request: values that lead nowhere, and names nobody can resolve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.checks_names import near_pool
from lbcheck.dialects.nginx.edits import unsafe
from lbcheck.dialects.nginx.passes import host_and_port, is_literal_address, named_pools, passes
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.variables import hundredths, names_in, variables
from lbcheck.findings import ERROR, INFO, WARNING, Edit, Hit, Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.passes import Pass
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.dialects.nginx.variables import Table, Value, Variables
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Pool

    Names = dict[tuple[str, str], Pool]

_SCHEME = pattern(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*|\$\w+|\$\{\w+\})://")
#: What a client writes into a request: a name, as a rule.
_FROM_CLIENT = pattern(r"\$\{?(?:host|http_host|server_name|ssl_server_name|ssl_preread_server_name)\}?\Z")
#: The end of a host that makes it a domain name, whatever stands before it.
_DOMAIN = pattern(r"[^$]*\.[a-z-]*[a-z]\.?\Z", re.IGNORECASE)
_PORT = pattern(r":(?:\d+|\$\w+|\$\{\w+\})\Z")
_ONE_VARIABLE = pattern(r"\$(?:\w+|\{\w+\})\Z")
#: Inputs of a map that have no other values than these.
_CLOSED = {"$scheme": {"http", "https"}, "$https": {"on", ""}}
#: Inputs whose values the config's own `listen` lines decide: whoever wrote them listed what there is.
_ENUMERATED = frozenset({"$server_port", "$server_addr"})
_RELATED = 5


def authority(text: str, one: Pass) -> str | None:
    """Return host and port of an expanded `*_pass` argument; None where it does not show where they begin.

    In `http`, `proxy_pass` needs a scheme, which a variable may bring: `http:/$uri`, `$url`.
    """
    scheme = _SCHEME.match(text)
    if scheme is None and one.family == "proxy" and one.context == "http":
        return None
    rest = text[scheme.end() :] if scheme else text
    if rest.startswith("unix:"):
        return rest
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[:cut]


def variable_without_resolver(config: Config, context: Context) -> Iterator[Hit]:
    """N02: the host is a name that is known only when the request comes, and nothing can look it up."""
    if config.open:
        return
    every = context.once(config, passes)
    names = context.once(config, named_pools)
    literal = {(one.context, one.host.lower()) for one in every if one.plain}
    spare = {context for context, name in names if (context, name) not in literal}
    found: dict[str, tuple[str, list[Pass]]] = {}
    known = context.once(config, variables)
    judged: dict[tuple[str, str], str | None] = {}
    for one in every:
        if one.plain or OPAQUE in one.text or one.scope.inherited("resolver") is not None:
            continue
        key = (one.context, one.text)
        if key in judged and not known.local(one.scope, one.text):
            host = judged[key]
        else:
            host = judged[key] = _unresolved(one, known, names, literal, spare)
        if host is not None:
            found.setdefault(one.text, (host, []))[1].append(one)
    for text, (host, uses) in found.items():
        args = {
            "expression": f"{uses[0].directive.name} {text}",
            "host": host,
            "effect": "it closes the client's connection" if uses[0].context == "stream" else "it answers 502",
        }
        related = [Related(one.directive.span, "here too") for one in uses[1 : 1 + _RELATED]]
        yield Hit("N02", uses[0].directive.span, args, related=related)


def _unresolved(
    one: Pass, known: Variables, names: Names, literal: set[tuple[str, str]], spare: set[str]
) -> str | None:
    """Return a host of the pass that needs a resolver for certain, or None.

    `literal` are the hosts of other passes, which nginx knows already; `spare` the contexts with an upstream that no
    pass names by its name, so that a variable must.
    """
    for value in known.values(one.scope, one.text) or ():
        place = authority(value.text, one) or ""
        host = _PORT.sub("", place)
        if not host or is_literal_address(host) or OPAQUE in host:
            continue
        if "$" in host:
            if one.context not in spare and _name_for_certain(host, one, names):
                return host
            continue
        key = (one.context, host.lower())
        if key in literal or (key in names and host == place) or (value.table is not None and _bare(place)):
            continue
        return host
    return None


def _bare(place: str) -> bool:
    """Say whether a table's value looks like an upstream's name: R04 and R05 judge it."""
    return "." not in place and ":" not in place


def _name_for_certain(host: str, one: Pass, names: Names) -> bool:
    """Say whether a host with unknown variables is a domain name, and no upstream's."""
    if _FROM_CLIENT.match(host):
        return not any((one.context, name.lower()) in names for name in _server_names(one.scope))
    if not _DOMAIN.search(host):
        return False
    tail = host[max(host.rfind("$"), host.rfind("}")) :].partition(".")[2].lower()
    return not any(name.endswith(tail) for _, name in names)


def _server_names(scope: Scope) -> list[str]:
    found = scope.inherited_all("server_name")
    return [name for directive in found for name in directive.args]


def split_gap(config: Config, context: Context) -> Iterator[Hit]:
    """R04: a part of the clients gets an empty value, or one that names no upstream."""
    yield from _tables(config, context, "R04", frozenset({"split_clients"}))


def map_unknown_pool(config: Config, context: Context) -> Iterator[Hit]:
    """R05: a value of a map names no upstream, or a request that matches no entry gets an empty one."""
    yield from _tables(config, context, "R05", frozenset({"map", "geo"}))


def _tables(config: Config, context: Context, code: str, kinds: frozenset[str]) -> Iterator[Hit]:
    known = context.once(config, variables)
    if config.open or not any(table.kind in kinds for table in known.tables.values()):
        return
    names = context.once(config, named_pools)
    done: set[object] = set()
    for one in context.once(config, passes):
        if one.plain or OPAQUE in one.text:
            continue
        resolver = one.scope.inherited("resolver") is not None
        key = (id(one.scope) if known.local(one.scope, one.text) else one.context, one.text, resolver)
        if key in done:
            continue
        done.add(key)
        for table in known.reached(one.scope, one.text):
            if table.kind in kinds and id(table) not in done and _may_be_empty(table, one):
                done.add(id(table))
                yield _gap(code, table, one)
        for value in known.values(one.scope, one.text) or ():
            if value.table is None or value.table.kind not in kinds or id(value.entry) in done:
                continue
            hit = _names_nothing(code, value, one, names, resolver=resolver)
            if hit is not None:
                done.add(id(value.entry))
                yield hit


def _may_be_empty(table: Table, one: Pass) -> bool:
    """Say whether the whole host comes from the table and the table may give nothing."""
    place = authority(one.text, one)
    host = one.text if place is None else _PORT.sub("", place) or place
    if table.exhaustive or not table.entries or not _ONE_VARIABLE.match(host) or table.source in _ENUMERATED:
        return False
    names = {directive.name.lower() for _, directive in table.entries}
    if _CLOSED.get(table.source, {""}) <= names or _tested(table.name, one.scope):
        return False
    hosts = _server_names(one.scope) if table.source in {"$host", "$http_host", "$server_name"} else []
    return not hosts or any(host.lower() not in names for host in hosts)


def _tested(name: str, scope: Scope) -> bool:
    """Say whether an `if` looks at the variable on the way to the scope: it may catch the empty value."""
    place: Scope | None = scope
    while place is not None:
        if any(name in names_in(" ".join(one.args)) for one in place.all("if")):
            return True
        place = place.parent
    return False


def _gap(code: str, table: Table, one: Pass) -> Hit:
    if table.kind == "split_clients":
        total = hundredths([entry for _, entry in table.entries]) / 100
        problem = (
            f"the shares of ${table.name} sum to {total:g} %, so {100 - total:g} % of the clients get an empty value"
        )
        advice = "give the rest to a pool: `* NAME;`"
        severity = ERROR
    else:
        problem = f"{table.kind} ${table.name} has no default, so a request that matches no entry gets an empty value"
        advice = "add `default NAME;` with the pool that takes the rest"
        severity = INFO if one.context == "stream" else ERROR
    effect = "its connection is closed" if one.context == "stream" else "it ends in an error (500)"
    args = {"problem": f"{problem}, and {effect}", "advice": advice}
    related = [Related(one.directive.span, "the value decides where this goes")]
    return Hit(code, table.block.span, args, severity=severity, related=related)


def _names_nothing(code: str, value: Value, one: Pass, names: Names, *, resolver: bool) -> Hit | None:
    """Judge a value that stands where an upstream's name is wanted."""
    place = authority(value.text, one) or ""
    entry = value.entry
    host, port = host_and_port(place)
    if entry is None or not host or port or "." in host or is_literal_address(host) or "$" in host:
        return None
    if OPAQUE in host or (one.context, host.lower()) in names or not _bare(place) or host.lower() == "localhost":
        return None
    near = near_pool(host.lower(), (pool for (scope, _), pool in names.items() if scope == one.context))
    if resolver and near is None:
        return None
    effect = "is looked up as a host" if resolver else "cannot be resolved: these requests end in 502"
    args = {
        "problem": f"{host} names no upstream, so as a host it {effect}",
        "advice": f"write {near.name}" if near else f"add `upstream {host}`, or the name of one that exists",
    }
    related = [Related(one.directive.span, "the value decides where this goes")]
    fix = _rename(entry, near) if near is not None and entry.args[0].lower() == host.lower() else None
    return Hit(code, entry.span, args, severity=WARNING if resolver else ERROR, related=related, fix=fix)


def _rename(entry: Directive, pool: Pool) -> Fix:
    return unsafe(f"write {pool.name}", Edit(entry.arg_span(-1), pool.name))

"""Names that lead nowhere: resolvers, peers, userlists, servers of `use-server`; and routes that haproxy refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit
    from lbcheck.text import Span

_MODES = frozenset({"http", "tcp", "log", "spop", "haterm"})
_USERLIST = re.compile(r"\bhttp_auth(?:_group)?\(([A-Za-z0-9_.:-]+)\)")


def names(tree: Tree) -> Iterator[Hit]:
    """Yield references to sections and servers that do not exist, and routes to backends that cannot be routed to."""
    if tree.templated:
        return
    known = {kind: {section.name for section in tree.sections(kind)} for kind in ("resolvers", "peers", "userlist")}
    for proxy in (*tree.defaults, *tree.proxies):
        yield from _userlists(proxy, known["userlist"])
    for proxy in tree.proxies:
        if proxy.disabled or proxy.section.head.branch:
            continue
        if proxy.is_backend:
            yield from _resolvers(proxy, known["resolvers"])
            yield from _use_server(proxy)
        yield from _peers(proxy, known["peers"])
        if proxy.is_frontend:
            yield from _routes(proxy, tree)


def _missing(span: Span, kind: str, name: str, known: Iterable[str], proxy: Proxy, server: str | None = None) -> Hit:
    meant = guess(name, known)
    advice = f"did you mean '{meant}'?" if meant else f"add a section '{kind} {name}'"
    return hit("E11", span, f"there is no section '{kind} {name}'", advice, proxy=proxy, server=server)


def _resolvers(proxy: Proxy, known: set[str]) -> Iterator[Hit]:
    for entry in proxy.servers if proxy.gives("resolvers") else ():
        option = entry.options.get("resolvers")
        if option is None or option.value in known or option.value in ("default", ""):
            continue
        if plain(option.line, option.index + 1) and certain(option.line) and not entry.line.branch:
            yield _missing(option.span, "resolvers", option.value, known, proxy, entry.name)


def _peers(proxy: Proxy, known: set[str]) -> Iterator[Hit]:
    for line in proxy.lines("stick-table"):
        for index, word in enumerate(line.words[:-1]):
            name = line.words[index + 1]
            if word == "peers" and name not in known and plain(line, index + 1) and certain(line):
                yield _missing(line.span_of(index, index + 1), "peers", name, known, proxy)


def _userlists(proxy: Proxy, known: set[str]) -> Iterator[Hit]:
    for keyword in ("acl", "http-request", "stats", "use_backend"):
        for line in proxy.lines(keyword):
            if not certain(line):
                continue
            for index, word in enumerate(line.words):
                match = _USERLIST.search(word) if "http_auth" in word else None
                if match is not None and match[1] not in known and index not in line.opaque:
                    yield _missing(line.span_of(index), "userlist", match[1], known, proxy)


def _use_server(proxy: Proxy) -> Iterator[Hit]:
    for line in proxy.lines("use-server"):
        name = line.word(1)
        if not certain(line) or not plain(line, 1) or "%" in name or not name:
            continue
        if any(entry.template or 1 in entry.line.opaque for entry in proxy.servers):
            return
        found = [entry.name for entry in proxy.servers]
        if name not in found:
            meant = guess(name, found)
            advice = f"did you mean '{meant}'?" if meant else "write the name of a server of this section"
            yield hit("E11", line.span_of(1), f"'{proxy.name}' has no server '{name}'", advice, proxy=proxy)


def _routes(proxy: Proxy, tree: Tree) -> Iterator[Hit]:
    default = proxy.effective("default_backend")
    lines = [*proxy.lines("use_backend"), *([default] if default is not None else [])]
    for line in lines:
        target = tree.backends.get(line.word(1))
        if target is None or not certain(line) or target.section.head.branch:
            continue
        if target is proxy:
            advice = "take the line out: a 'listen' sends to its own servers anyway"
            yield hit("E14", line.span, f"'{proxy.name}' sends to itself", advice, proxy=proxy)
        elif _refused(proxy, target):
            yield _modes(line, proxy, target)


def _refused(proxy: Proxy, target: Proxy) -> bool:
    """Say whether the modes do not fit: only a tcp frontend may send to a backend of another mode, and that is http."""
    modes = (proxy.mode, target.mode)
    branches = any(line.branch for one in (proxy, target) for line in one.lines("mode"))
    return modes[0] != modes[1] and modes != ("tcp", "http") and _MODES.issuperset(modes) and not branches


def _modes(line: Line, proxy: Proxy, target: Proxy) -> Hit:
    problem = f"'{proxy.name}' is in mode {proxy.mode}, and the backend '{target.name}' is in mode {target.mode}"
    written = target.effective("mode")
    related = [Related(written.span if written is not None else target.span, f"mode {target.mode}")]
    return hit("E14", line.span, problem, f"set 'mode {proxy.mode}' in '{target.name}'", proxy=proxy, related=related)

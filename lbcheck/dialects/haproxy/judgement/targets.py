"""Names of other sections in rules that lead nowhere: stick-tables, caches, error pages, FastCGI applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

#: Rules that name a section: (keyword, word 1, kind of the section), the name is word 2.
_NAMING = (
    ("filter", "cache", "cache"),
    ("http-request", "cache-use", "cache"),
    ("http-response", "cache-store", "cache"),
)
_NAMING_FIRST = (("errorfiles", "http-errors"), ("use-fcgi-app", "fcgi-app"))


def targets(tree: Tree) -> Iterator[Hit]:
    """Yield references to sections and tables that do not exist; haproxy does not look into disabled proxies."""
    if tree.templated:
        return
    sections = {kind: {one.name for one in tree.sections(kind)} for kind in ("cache", "http-errors", "fcgi-app")}
    tables = _tables(tree)
    used = {id(proxy.base) for proxy in tree.proxies}
    for proxy in tree.defaults:
        if proxy.name and id(proxy) in used and not proxy.section.head.branch:
            yield from _tracked(proxy, tables)
    for proxy in tree.proxies:
        if proxy.disabled or proxy.section.head.branch:
            continue
        for keyword, word, kind in _NAMING:
            for line in proxy.lines(keyword):
                if line.word(1) == word:
                    yield from _missing(line, 2, kind, sections[kind], proxy)
        for keyword, kind in _NAMING_FIRST:
            for line in proxy.lines(keyword):
                yield from _missing(line, 1, kind, sections[kind], proxy)
        yield from _tracked(proxy, tables)
        yield from _spoe(proxy)
        yield from _fcgi(proxy)


def _missing(line: Line, index: int, kind: str, known: set[str], proxy: Proxy) -> Iterator[Hit]:
    name = line.word(index)
    if name and name not in known and plain(line, index) and certain(line):
        meant = guess(name, known)
        advice = f"did you mean '{meant}'?" if meant else f"add a section '{kind} {name}'"
        yield hit("E11", line.span_of(index), f"there is no section '{kind} {name}'", advice, proxy=proxy)


def _tables(tree: Tree) -> set[str]:
    """Return the names of all stick-tables: of proxies, and `SECTION/NAME` of peers sections."""
    found = {proxy.name for proxy in tree.proxies if proxy.lines("stick-table")}
    for section in tree.sections("peers"):
        found.update(f"{section.name}/{line.word(1)}" for line in section.lines if line.words[0] == "table")
    return found


def _tracked(proxy: Proxy, tables: set[str]) -> Iterator[Hit]:
    """`track-scN` and `stick` without a table use the proxy's own (`check_trk_action`, `check_config_validity`)."""
    for keyword, at in (("http-request", 1), ("http-response", 1), ("tcp-request", 2), ("stick", 0)):
        if keyword == "stick" and not proxy.is_backend:
            continue
        for line in proxy.lines(keyword):
            if keyword != "stick" and not line.word(at).startswith("track-sc"):
                continue
            index = next((place for place, word in enumerate(line.words) if word == "table"), -1) + 1
            name = line.word(index) if index else proxy.name
            if name in tables or not certain(line) or (index and not plain(line, index)):
                continue
            problem = f"there is no stick-table '{name}'" if index else f"'{proxy.name}' has no stick-table"
            meant = guess(name, tables) if index else None
            advice = f"did you mean '{meant}'?" if meant else f"add a 'stick-table' line to '{name}'"
            yield hit("E11", line.span_of(index) if index else line.span, problem, advice, proxy=proxy)


def _spoe(proxy: Proxy) -> Iterator[Hit]:
    for line in proxy.lines("filter"):
        if line.word(1) == "spoe" and "config" not in line.words and certain(line) and not line.opaque:
            yield hit(
                "E08",
                line.span,
                "'filter spoe' needs a file",
                "write 'filter spoe engine NAME config FILE'",
                proxy=proxy,
            )


def _fcgi(proxy: Proxy) -> Iterator[Hit]:
    if not proxy.is_backend or not proxy.gives("proto") or proxy.effective("use-fcgi-app") is not None:
        return
    for entry in proxy.servers:
        option = entry.options.get("proto")
        if option is not None and option.value == "fcgi" and not entry.line.branch:
            problem = f"'{entry.name}' speaks FastCGI, but no 'use-fcgi-app' says to which application"
            yield hit("E14", option.span, problem, "add 'use-fcgi-app NAME'", proxy=proxy, server=entry.name)

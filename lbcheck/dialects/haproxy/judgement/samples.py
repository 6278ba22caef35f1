"""What haproxy refuses in sample expressions: `%[…]` in format strings, and variables without a scope (src/log.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain
from lbcheck.dialects.haproxy.vocabulary import FETCHES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

#: Rules and settings whose words may be format strings; those of a bare `redirect` are taken as they are.
_FORMATS = ("http-request", "http-response", "http-after-response", "log-format", "unique-id-format")
_CONDITIONS = ("acl", "use_backend", "use-server", "tcp-request")
#: Words of these rules are regular expressions, in which `%[` means something else.
_REGEXES = ("replace-", "lua.")
_SAMPLE = re.compile(r"(?<!%)%(?:\{[^}%]*+\})?\[\s*([A-Za-z0-9_.+-]*)")
#: `%[hdr(host))]`: arguments end at the first closing parenthesis that is not quoted.
_UNBALANCED = re.compile(r"%\[[a-z0-9_.]+\([^()\"'\\]*\)\)+\]")
_SERVER = re.compile(r"\bsrv_[a-z_]+\(([A-Za-z0-9_.:-]+)\)")
_VARIABLE = re.compile(r"(?<![\w-])(?:set-var|unset-var|set-var-fmt|var)\(([A-Za-z0-9_]*)[),]")


def samples(tree: Tree) -> Iterator[Hit]:
    """Yield the broken expressions of all proxies."""
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword in _FORMATS:
            for line in proxy.lines(keyword):
                if certain(line):
                    yield from _formats(line, proxy)
                    yield from _variables(line, proxy)
                    yield from _servers(line, proxy)
        for keyword in _CONDITIONS:
            for line in proxy.lines(keyword):
                if certain(line):
                    yield from _variables(line, proxy)


def _formats(line: Line, proxy: Proxy) -> Iterator[Hit]:
    if line.word(1).startswith(_REGEXES):
        return
    for index, word in enumerate(line.words):
        if "%" not in word or not plain(line, index):
            continue
        found = list(_SAMPLE.finditer(word))
        if found and "]" not in word[found[-1].start() :]:
            problem = f"the '%[' in '{word}' is never closed"
            advice = "add ']', and put the whole into double quotes if it has blanks"
            yield hit("E01", line.span_of(index), problem, advice, proxy=proxy)
            return
        if found and _UNBALANCED.search(word):
            problem = f"in '{word}' a parenthesis is closed that was never opened"
            yield hit("E01", line.span_of(index), problem, "take one ')' out", proxy=proxy)
            return
        for match in found:
            yield from _fetch(line, index, match[1], proxy)


def _fetch(line: Line, index: int, name: str, proxy: Proxy) -> Iterator[Hit]:
    if not name:
        problem = "the expression in '%[…]' has no fetch"
        yield hit("E08", line.span_of(index), problem, "write such as '%[src]'", proxy=proxy)
    elif name not in FETCHES and not name.startswith("lua.") and (meant := guess(name, sorted(FETCHES))):
        yield hit("E06", line.span_of(index), f"there is no fetch '{name}'", f"did you mean '{meant}'?", proxy=proxy)


def _servers(line: Line, proxy: Proxy) -> Iterator[Hit]:
    """Rules of a defaults section cannot name a server without its backend: they have no servers of their own."""
    if proxy.kind != "defaults":
        return
    for index, word in enumerate(line.words):
        match = _SERVER.search(word) if "srv_" in word else None
        if match is not None and plain(line, index):
            problem = f"'{match[0]}' names a server without its backend, and a defaults section has none"
            yield hit("E11", line.span_of(index), problem, f"write 'BACKEND/{match[1]}'", proxy=proxy)


def _variables(line: Line, proxy: Proxy) -> Iterator[Hit]:
    for index, word in enumerate(line.words):
        match = _VARIABLE.search(word) if "var(" in word or "var-fmt(" in word else None
        if match is not None and plain(line, index):
            problem = f"the variable '{match[1]}' has no scope"
            advice = f"write proc, sess, txn, req, res or check before it, such as 'txn.{match[1]}'"
            yield hit("E09", line.span_of(index), problem, advice, proxy=proxy)
            return

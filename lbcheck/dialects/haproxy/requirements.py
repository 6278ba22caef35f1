"""Features in use that not every version of HAProxy has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import since
from lbcheck.dialects.haproxy.options import bind_options, taken_apart
from lbcheck.model import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line

_ACTIONS = {"http-request": 1, "http-response": 1, "http-after-response": 1, "tcp-request": 2, "tcp-response": 2}


def requirements(tree: Tree) -> Iterator[Requirement]:
    """Yield the features that are newer than HAProxy 2.6, where they are written; not those in `.if` blocks."""
    for section in tree.read.sections:
        if section.kind in since.SECTIONS and not section.head.branch:
            yield from _one(section.kind, since.SECTIONS[section.kind], section.head, 0)
        for line in section.lines if section.kind == "global" else ():
            if line.words[0] in since.GLOBAL and not line.branch:
                yield from _one(line.words[0], since.GLOBAL[line.words[0]], line, 0)
    for proxy in (*tree.defaults, *tree.proxies):
        yield from _keywords(proxy)
        yield from _options(proxy)


def _one(feature: str, version: tuple[int, int], line: Line, index: int) -> Iterator[Requirement]:
    if not line.branch:
        yield Requirement("haproxy", feature, version, line.span_of(index))


def _keywords(proxy: Proxy) -> Iterator[Requirement]:
    for keyword in proxy.index.keys() & since.PROXY.keys():
        for line in proxy.lines(keyword):
            yield from _one(keyword, since.PROXY[keyword], line, 0)
    for keyword, words in (("option", since.OPTIONS), ("balance", since.BALANCE)):
        for line in proxy.lines(keyword):
            if line.word(1) in words:
                yield from _one(f"{keyword} {line.word(1)}", words[line.word(1)], line, 1)
    for keyword, at in _ACTIONS.items():
        for line in proxy.lines(keyword):
            action = line.word(at).partition("(")[0]
            if action in since.ACTIONS:
                yield from _one(f"{keyword} {action}", since.ACTIONS[action], line, at)


def _options(proxy: Proxy) -> Iterator[Requirement]:
    for line in proxy.lines("default-server"):
        yield from _server(line, 1)
    for entry in proxy.servers if proxy.is_backend else ():
        yield from _server(entry.line, entry.address_index + 1)
    for line in proxy.lines("bind"):
        for keyword, option in bind_options(line).items():
            if keyword in since.BIND:
                yield from _one(keyword, since.BIND[keyword], line, option.index)


def _server(line: Line, first: int) -> Iterator[Requirement]:
    for keyword, index in _new(tuple(line.words[first:])):
        yield from _one(keyword, since.SERVER[keyword], line, first + index)


@lru_cache(1024)  # the servers of a file mostly have the same options
def _new(words: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(keyword, index) for keyword, index, _ in taken_apart(words)[0] if keyword in since.SERVER]

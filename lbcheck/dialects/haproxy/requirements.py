"""Features in use that not every version of HAProxy has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import since
from lbcheck.dialects.haproxy.options import bind_options, taken_apart
from lbcheck.dialects.haproxy.samples import KEYWORDS, calls
from lbcheck.model import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.dialects.haproxy.options import Found
    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.samples import Call
    from lbcheck.dialects.haproxy.tree import Line

#: Where an action stands; of all other keywords it is the second word that says what is meant.
_ACTION = {"tcp-request": 2, "tcp-response": 2}
#: Where the host stands: `option httpchk METHOD URI VERSION HOST`.
_HOST = 5
#: Only where a word begins: from every letter of a long one it would read to its end.
_PREFIX = re.compile(r"(?<![a-z0-9])[a-z0-9]++[@+]")
_NUMBER = re.compile("-?[0-9]+")


def requirements(tree: Tree) -> list[Requirement]:
    """Return the features that are newer than HAProxy 2.6, in the order of writing; not those in `.if` blocks."""
    order = {id(document.source): place for place, document in enumerate(tree.documents)}
    found = list(_found(tree))
    found.sort(key=lambda one: (order[id(one.span.source)], one.span.start))
    return found


def _found(tree: Tree) -> Iterator[Requirement]:
    for section in tree.read.sections:
        if section.kind in since.SECTIONS:
            yield from _one(section.kind, since.SECTIONS[section.kind], section.head, 0)
        if section.kind in since.BY_SECTION:
            yield from _first_words(section.lines, since.BY_SECTION[section.kind])
    for line in tree.global_lines("log"):
        yield from _arguments("log", line)
        yield from _address(line, 1)
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword, lines in proxy.index.items():
            yield from _keyword(keyword, lines)
        yield from _places(proxy)


def _one(feature: str, version: tuple[int, int], line: Line, index: int) -> Iterator[Requirement]:
    if not line.branch:
        yield Requirement("haproxy", feature, version, line.span_of(index))


def _first_words(lines: Sequence[Line], known: Mapping[str, tuple[int, int]]) -> Iterator[Requirement]:
    for line in lines:
        if line.words[0] in known:
            yield from _one(line.words[0], known[line.words[0]], line, 0)


def _keyword(keyword: str, lines: Sequence[Line]) -> Iterator[Requirement]:
    """Yield what is new in the lines of a proxy that have a keyword."""
    if keyword in since.PROXY:
        yield from _first_words(lines, since.PROXY)
    if keyword in since.WORDS:
        yield from _second_words(keyword, lines)
    if keyword in since.ARGUMENTS:
        for line in lines:
            yield from _arguments(keyword, line)
    if keyword in KEYWORDS:
        for line in lines:
            for call in calls(line):
                yield from _call(call, line)


def _second_words(keyword: str, lines: Sequence[Line]) -> Iterator[Requirement]:
    known = since.WORDS[keyword]
    at = _ACTION.get(keyword, 1)
    for line in lines:
        word = line.word(at).partition("(")[0]
        if word in known:
            yield from _one(f"{keyword} {word}", known[word], line, at)
        elif word == "httpchk" and keyword == "option" and len(line.words) > _HOST:
            yield from _one("a host in option httpchk", since.HTTPCHK_HOST, line, _HOST)


def _arguments(keyword: str, line: Line) -> Iterator[Requirement]:
    known = since.ARGUMENTS[keyword]
    for index, word in enumerate(line.words):
        if word in known:
            yield from _one(f"{keyword} {word}", known[word], line, index)


def _call(call: Call, line: Line) -> Iterator[Requirement]:
    name, count = call.name, len(call.arguments)
    known, kind = (since.CONVERTERS, "converter") if call.converter else (since.FETCHES, "fetch")
    if name in known:
        yield from _one(f"the {kind} {name}", known[name], line, call.index)
    elif (name, count) in since.ARITIES:
        plural = "an argument" if count == 1 else f"{count} arguments"
        yield from _one(f"{name} with {plural}", since.ARITIES[name, count], line, call.index)
    elif call.converter and name in since.VARIABLES and not all(map(_NUMBER.fullmatch, call.arguments)):
        yield from _one(f"{name} with the name of a variable", since.VARIABLES[name], line, call.index)


def _places(proxy: Proxy) -> Iterator[Requirement]:
    """Yield what is new in the lines that name addresses: `bind`, servers and `log`."""
    for line in proxy.lines("default-server"):
        for feature, version, index in _new(taken_apart(tuple(line.words[1:]))[0]):
            yield from _one(feature, version, line, 1 + index)
    if proxy.is_backend:
        yield from _servers(proxy)
    for line in proxy.lines("bind"):
        yield from _address(line, 1)
        for keyword, option in bind_options(line).items():
            if keyword in since.BIND:
                yield from _one(keyword, since.BIND[keyword], line, option.index)
            elif keyword == "proto" and option.value in since.PROTOCOLS:
                yield from _one(f"proto {option.value}", since.PROTOCOLS[option.value], line, option.index)
    for line in proxy.lines("log"):
        yield from _address(line, 1)


def _address(line: Line, index: int) -> Iterator[Requirement]:
    for part in line.word(index).split(","):
        for prefix in _PREFIX.findall(part.partition(":")[0]):
            if prefix in since.ADDRESSES:
                yield from _one(f"the address {prefix}", since.ADDRESSES[prefix], line, index)


def _servers(proxy: Proxy) -> Iterator[Requirement]:
    new = {shape: found for shape in proxy.shapes if (found := _new(shape.found))}
    for entry in proxy.servers:
        if not entry.simple:
            yield from _address(entry.line, entry.address_index)
        for feature, version, index in new.get(entry.shape, ()) if new else ():
            yield from _one(feature, version, entry.line, entry.address_index + 1 + index)


def _new(options: Sequence[Found]) -> list[tuple[str, tuple[int, int], int]]:
    found = []
    for keyword, index, value in options:
        if keyword in since.SERVER:
            found.append((keyword, since.SERVER[keyword], index))
        elif keyword in ("proto", "check-proto") and value in since.PROTOCOLS:
            found.append((f"proto {value}", since.PROTOCOLS[value], index))
    return found

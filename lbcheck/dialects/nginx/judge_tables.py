"""What nginx refuses in blocks of data: `map`, `geo`, `split_clients`, `types`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.findings import Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

_REFUSES = "nginx refuses the config"
_PLAIN = frozenset({"map", "geo", "split_clients", "types", "charset_map"})
_PERCENT = pattern(r"(\d+)(?:\.(\d{1,2}))?%\Z", re.ASCII)
_NETWORK = pattern(r"[\d.]+(?:/[\d.]+)?\Z", re.ASCII)
_GEO_WORDS = frozenset({"default", "delete", "include", "proxy", "proxy_recursive", "ranges", "volatile"})


def table(scope: Scope) -> Iterator[Hit]:
    """Yield what is wrong with the entries of a block of data."""
    block = scope.directive
    if block is None or block.name not in _PLAIN or any(OPAQUE in arg for arg in block.args):
        return
    for entry in scope.directives:
        if entry.children is not None:
            problem = f'unexpected "{{" in {block.name}, whose entries are plain lines: {_REFUSES}'
            yield hit("E08", entry.span, problem, 'write the value and a ";"')
            return
    if block.name in {"map", "split_clients", "geo"} and block.args and not block.args[-1].startswith("$"):
        problem = f'"{block.args[-1]}" is no variable: {_REFUSES}'
        yield hit("E09", block.arg_span(-1), problem, f"write ${block.args[-1]}")
    elif block.name == "map":
        yield from _map(scope)
    elif block.name == "split_clients":
        yield from _split(scope)
    elif block.name == "geo":
        yield from _geo(scope)


def _map(scope: Scope) -> Iterator[Hit]:
    seen: dict[str, Directive] = {}
    for entry in scope.directives:
        name, count = entry.name, len(entry.args)
        if OPAQUE in name or (name in {"hostnames", "volatile"} and not count) or name == "include":
            continue
        if count != 1:
            if not any(OPAQUE in arg for arg in entry.args):
                problem = f"an entry of map is a pattern and one value, this one has {count + 1} words: {_REFUSES}"
                yield hit("E08", entry.span, problem, 'quote what belongs together, or write the missing ";"')
        elif not name.startswith("~"):
            first = seen.setdefault(name.lower(), entry)
            if first is not entry:
                problem = f'"{name}" stands twice in this map: {_REFUSES}'
                yield hit("E10", entry.span, problem, "keep one of them", [Related(first.span, "the first one")])


def _split(scope: Scope) -> Iterator[Hit]:
    total = 0
    for entry in scope.directives:
        if OPAQUE in entry.name or entry.name == "include":
            return
        if entry.name == "*":
            continue
        match = _PERCENT.match(entry.name)
        if match is None:
            problem = f'"{entry.name}" is no percentage: {_REFUSES}'
            yield hit("E09", entry.name_span, problem, "write it as 12.5%, or * for the rest")
            return
        total += int(match[1][:9]) * 100 + int((match[2] or "").ljust(2, "0"))
        if total > 10_000:
            problem = f"the shares add up to more than 100 % here ({total / 100:g} %): {_REFUSES}"
            yield hit("E14", entry.span, problem, "let them add up to 100 % or less")
            return


def _geo(scope: Scope) -> Iterator[Hit]:
    ranges = False
    for entry in scope.directives:
        name = entry.name
        ranges = ranges or (name == "ranges" and not entry.args)
        if name in _GEO_WORDS or OPAQUE in name or "$" in name:
            continue
        if ranges:
            if "-" not in name:
                problem = f'"{name}" is no range of addresses, which `ranges` asks for: {_REFUSES}'
                yield hit("E09", entry.name_span, problem, "write it as 10.0.0.0-10.0.0.255")
        elif _NETWORK.match(name) and not _is_network(name):
            yield hit("E09", entry.name_span, f'"{name}" is no network: {_REFUSES}', "write it as 10.0.0.0/8")


def _is_network(text: str) -> bool:
    """Say whether an IPv4 network is one; nginx lets missing octets be zero, which is left alone here."""
    if text.partition("/")[0].count(".") != 3:
        return True
    from ipaddress import ip_network

    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True

"""Times that are written without a unit, for the rule about forgotten ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.options import taken_apart
from lbcheck.dialects.haproxy.values import seconds, time_parts
from lbcheck.model import Duration
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.options import Found
    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line

#: Server options that are times, in milliseconds where no unit is written.
SERVER_TIMES = frozenset({"inter", "fastinter", "downinter", "slowstart", "agent-inter"})


def durations(tree: Tree) -> Iterator[Duration]:
    """Yield the bare times of `timeout X` and of the server options; each where it is written, so once."""
    for proxy in (*tree.defaults, *tree.proxies):
        for line in proxy.lines("timeout"):
            yield from _duration(line, "timeout " + line.word(1), 2)
        for line in proxy.lines("default-server"):
            yield from _default(line)
        if proxy.is_backend:
            yield from _servers(proxy)


def _default(line: Line) -> Iterator[Duration]:
    for keyword, index in _bare(taken_apart(tuple(line.words[1:]))[0]):
        yield from _duration(line, keyword, 1 + index)


def _servers(proxy: Proxy) -> Iterator[Duration]:
    times = {shape: found for shape in proxy.shapes if (found := _bare(shape.found))}
    for entry in proxy.servers if times else ():
        for keyword, index in times.get(entry.shape, ()):
            yield from _duration(entry.line, keyword, entry.address_index + 1 + index)


def _bare(found: Sequence[Found]) -> list[tuple[str, int]]:
    """Return the times without a unit among a server's options, with the index of the value."""
    return [(keyword, index + 1) for keyword, index, value in found if keyword in SERVER_TIMES and value[-1:].isdigit()]


def _duration(line: Line, keyword: str, index: int) -> Iterator[Duration]:
    text = line.word(index)
    if not text[-1:].isdigit():
        return
    parts = None if index in line.opaque else time_parts(text)
    value = seconds(text)
    if parts is not None and value is not None:
        start = line.starts()[index]
        yield Duration(keyword, text, parts[1], "ms", value, Span(line.source, start, line.ends()[index]))

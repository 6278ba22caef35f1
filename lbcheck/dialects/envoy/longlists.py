"""Long lists of plain endpoints, read without a node for each of their many values.

A generated list of 10,000 endpoints is the same five lines over and over. Where a run of such lines follows a first
endpoint of the same form, YAML's reader gets a text with blanks in their place, so that every offset stays, and the
list is given its items afterwards. Where that cannot be done the whole text is read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import yaml
from lbcheck.dialects.yaml_nodes import Node, ScalarNode, SequenceNode, nodes
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.yaml import Stream
    from lbcheck.text import Source

#: A shorter text, or a shorter run, is read at once.
_WORTH = 50_000
_RUN = 8
_HOST = r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+)"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3})"
_BLOCK = r"\n( *)- endpoint:\n( +)address:\n( +)socket_address:\n( +)address: " + _HOST + r"\n\4port_value: " + _PORT
_FLOW = r"\n( *)- endpoint: \{address: \{socket_address: \{address: " + _HOST + ", port_value: " + _PORT + r"\}\}\}"
_END = r"(?=\n)"
_FIRST = pattern(f"(?:{_BLOCK}){_END}|\n *- endpoint: {{")


class PlainEndpoint(Node):
    """An LbEndpoint that is a host and a port."""

    __slots__ = ("host", "host_start", "port", "port_start")

    def __init__(self, source: Source, found: re.Match[str], start: int) -> None:
        self.source = source
        self.start = start
        self.end = found.end()
        self.tag = None
        self.host, self.port = found.groups()
        self.host_start, self.port_start = found.start(1), found.start(2)

    def scalars(self) -> tuple[ScalarNode, ScalarNode]:
        """Return the nodes of host and port."""
        host, port = self.host_start, self.port_start
        return (
            ScalarNode(self.source, host, host + len(self.host), None, self.host, plain=True),
            ScalarNode(self.source, port, port + len(self.port), None, self.port, plain=True),
        )


class _Run(NamedTuple):
    """Endpoints that follow a first one, which begins at `first` and ends at `start`; they end at `end`."""

    first: int
    start: int
    end: int
    items: list[PlainEndpoint]


def read(source: Source) -> Stream:
    """Return what yaml.read returns, with PlainEndpoints in long lists; never raises."""
    runs = [*_runs(source)] if len(source.text) > _WORTH else []
    if not runs:
        return yaml.read(source)
    stream = yaml.read(source, _blanked(source.text, runs))
    if stream.hits or not _given(stream, {run.first: run for run in runs}):
        return yaml.read(source)
    return stream


def _runs(source: Source) -> Iterator[_Run]:
    text = source.text
    at = 0
    while (first := _FIRST.search(text, at)) is not None:
        at = first.end()
        item = _alike(text, first.start())
        if item is None:
            continue
        opening = item.match(text, first.start())
        if opening is None:
            continue
        indent = len(opening[0]) - len(opening[0].lstrip("\n ")) + 2  # the line end, the blanks, "- "
        start = at = opening.end()
        items = []
        while (found := item.match(text, at)) is not None:
            items.append(PlainEndpoint(source, found, at + indent))
            at = found.end()
        if len(items) >= _RUN:
            yield _Run(first.start() + indent, start, at, items)


def _alike(text: str, at: int) -> re.Pattern[str] | None:
    """Return the expression for endpoints written like the one that begins there."""
    block = re.compile(_BLOCK + _END).match(text, at)
    if block is not None:
        form = "\n{}- endpoint:\n{}address:\n{}socket_address:\n{}address: HOST\n{}port_value: PORT"
        form = form.format(*block.groups()[:4], block[4])
    else:
        flow = re.compile(_FLOW + _END).match(text, at)
        if flow is None:
            return None
        form = re.escape(f"\n{flow[1]}- endpoint: {{address: {{socket_address: {{address: HOST, port_value: PORT}}}}}}")
    return _compiled(form)


@lru_cache(maxsize=64)  # the clusters of one file are written alike
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form.replace("HOST", _HOST).replace("PORT", _PORT) + _END)


def _blanked(text: str, runs: list[_Run]) -> str:
    pieces: list[str] = []
    at = 0
    for run in runs:
        pieces += (text[at : run.start], " " * (run.end - run.start))
        at = run.end
    return "".join([*pieces, text[at:]])


def _given(stream: Stream, runs: dict[int, _Run]) -> bool:
    """Give each list its items; False where one was not found, for it stands in a text or a comment."""
    waiting = dict(runs)
    for document in stream.documents:
        for node in nodes(document):
            if not isinstance(node, SequenceNode):
                continue
            for place in range(len(node.items) - 1, -1, -1):
                run = waiting.pop(node.items[place].start, None)
                if run is not None:
                    node.items[place + 1 : place + 1] = run.items
    ends = {run.start: run for run in runs.values()}
    for document in stream.documents:
        for node in nodes(document):
            run = ends.get(node.end)
            if run is not None and node.start < run.first:  # what ended with the first endpoint ends with the last
                node.end = run.end
    return not waiting

"""What Envoy says about a config, which names fields and values and no lines, with the places that it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.outcome import Message
from lbcheck.rehearsal.proxies import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.rehearsal.preparing.prepared import Prepared
    from lbcheck.text import Source, Span

#: Where a message begins: date, thread, level, logger, place in Envoy's source.
_START = re.compile(r"^\[\d{4}-[^\]]*\]\[\d+\]\[(\w+)\]\[\w+\] (?:\[[^\]]*\] )?", re.MULTILINE)
_ABOUT = re.compile(r"error initializing config\w* '[^']*': ?")
#: Messages that tell of the start and not of the config.
_QUIET = frozenset({"trace", "debug", "info"})
#: Envoy repeats the config before and behind what is wrong with it, as text of protobuf or as JSON.
_DUMPED = re.compile(r"goo\.gle/\w+.*?(?=Proto constraint validation failed)", re.DOTALL)
_JSON = re.compile(r"\): \{.*", re.DOTALL)
#: What is said of every deprecated field.
_SERMON = re.compile(r" This configuration will be removed from Envoy soon\. Please see .*", re.DOTALL)
#: `yaml-cpp: error at line 36, column 38: …`, `near 1:795` is of a JSON that nobody wrote.
_LINE = re.compile(r"error at line (\d+), column (\d+)")
#: `Bootstrap @ static_resources.clusters[0].name: …`, `message …, near 1:52: no such field: 'x'`.
_FIELD = re.compile(r"@\s+([a-z_]\w*(?:\[\d+\])*(?:\.[a-z_<]\w*>?(?:\[\d+\])*)*)")
#: `caused by StaticResourcesValidationError.Clusters[0]: …`.
_CAUSES = re.compile(r"\b\w+ValidationError\.(\w+(?:\[\d+\])?)")
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|\bmalformed IP address: (\S+?)\.(?=\s|$)")
_LONGEST = 600


def messages(output: str, prepared: Prepared) -> tuple[Message, ...]:
    """Return what a check says, but for what it says of every config."""
    found = []
    for text in _told(output):
        span = prepared.located(text)
        if span is None:
            found.append(Message(None, None, text))
        else:
            found.append(Message(span.path, span.line, text, span.column))
    return tuple(found)


def _told(output: str) -> Iterator[str]:
    starts = list(_START.finditer(output))
    before = output[: starts[0].start()] if starts else output
    yield from (line for line in before.strip().splitlines() if not line.endswith("' OK"))
    ends = [*(start.start() for start in starts), len(output)][1:]
    for start, end in zip(starts, ends, strict=True):
        if start[1] not in _QUIET:
            said = _JSON.sub(")", _DUMPED.sub("", _ABOUT.sub("", output[start.end() : end])))
            said = _SERMON.sub("", said)
            yield " ".join(said.split())[:_LONGEST]


def located(documents: Sequence[Node], sources: Sequence[Source]) -> Callable[[str], Span | None]:
    """Return the function from a message to the place that it means; None where it names nothing that is written."""

    def place(text: str) -> Span | None:
        if (line := _LINE.search(text)) is not None and sources:
            return _at_line(sources[0], int(line[1]), int(line[2]))
        path = _path(text)
        found = [span for one in documents if path and (span := nodes.at(one, path)) is not None]
        return _quoted(text, documents, found[0] if found else None)

    return place


def _at_line(source: Source, line: int, column: int) -> Span | None:
    text = source.line(line)
    if line < 1 or not text:
        return None
    start = source.line_start(line) + min(max(column - 1, 0), len(text))
    return source.span(start, start)


def _path(text: str) -> str:
    """Return the path of the field that a message names, "" where it names none."""
    found = _FIELD.search(text)
    return found[1] if found is not None else ".".join(_CAUSES.findall(text))


def _quoted(text: str, documents: Sequence[Any], around: Span | None) -> Span | None:
    """Return where a word that a message quotes is written, inside the field that it names where it names one."""
    words = [next(filter(None, match)) for match in _QUOTED.findall(text)]
    words = [word.rpartition(".")[2] if word.startswith("envoy.") else word for word in words]
    if not words:
        return around
    inside = [_node_at(one, around) for one in documents] if around is not None else documents
    for word in words:
        here = [node.span for _, node in nodes.walked(filter(None, inside)) if nodes.text(node) == word]
        if len(here) == 1 or (here and around is None):
            return here[-1]  # what refers to a name is written after what has it, or before; the last is as good
    return around


def _node_at(document: Any, around: Span) -> Any:
    """Return the node whose key, or first key, is at a place."""
    for key, node in nodes.walked([document]):
        pairs = getattr(node, "pairs", ())
        if (key is not None and key.span == around) or (pairs and pairs[0][0].span == around):
            return node
    return None

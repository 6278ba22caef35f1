"""What Traefik logs of a config that it does not take as it is, with the places of what it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.outcome import Message
from lbcheck.rehearsal.proxies import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.rehearsal.preparing.prepared import Prepared
    from lbcheck.text import Span

#: Where an error of its log begins: `2026-01-31T12:00:00Z ERR place/in/its/source.go:12 > text name=value`.
_ERROR = re.compile(r"^\S+ (?:ERR|FTL) (?:\S+ > )?(?P<text>.*)$|command traefik error: (?P<static>[^\"]*)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NAMED = re.compile(r"\b(?:router|service|middleware|serversTransport)Name=\"?(?P<a>[^\s\"@]+)|\bnode: (?P<b>\S+)")
_LONGEST = 600


def messages(output: str, prepared: Prepared) -> tuple[Message, ...]:
    """Return the errors that it has logged, each once."""
    found = []
    for line in dict.fromkeys(_COLOURS.sub("", one) for one in output.splitlines()):
        match = _ERROR.search(line)
        if match is None:
            continue
        text = " ".join((match["text"] or match["static"]).split())[:_LONGEST]
        span = prepared.located(text)
        found.append(Message(None, None, text) if span is None else Message(span.path, span.line, text, span.column))
    return tuple(found)


def located(documents: Sequence[Node]) -> Callable[[str], Span | None]:
    """Return the function from a message to the place of the router, service, … or field that it names."""

    def place(text: str) -> Span | None:
        names = [match["a"] or match["b"] for match in _NAMED.finditer(text)]
        for _, node in nodes.walked(documents):
            for key, _ in getattr(node, "pairs", ()):
                if names and nodes.text(key) == names[0]:
                    span: Span = key.span
                    return span
        return None

    return place

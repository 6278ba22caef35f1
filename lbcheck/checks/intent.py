"""What people say about a server beside its line: a name or a comment that explains an odd number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern
from lbcheck.text import comment_beside

if TYPE_CHECKING:
    from lbcheck.model import Pool, Server, WeightedTarget
    from lbcheck.text import Span

#: A server that is meant to get a small share. Whole words only: "new" says it, "newyork" and "renew" do not.
_CANARY = pattern(r"(?<![a-z])(?:canary|beta|test|staging|preview|new)(?![a-z])", re.IGNORECASE)
#: A server that is out of rotation for a while.
_DRAINED = pattern(r"drain|maint|standby", re.IGNORECASE)
#: Two lines for one host that somebody meant, for instance to have nginx try a lone server twice.
_TWICE = pattern(r"\b(?:twice|duplicate|double|retry|on purpose|intended|intentional|deliberate|same (?:host|server))")


def comment(span: Span) -> str:
    """Return the comments that speak about the line, without lbcheck's own suppressions and their reasons."""
    return comment_beside(span).partition("lbcheck:")[0]


def canary(server: Server, pool: Pool) -> bool:
    """Say whether the server, its pool or a comment beside either is about a trial."""
    return trial(server.name, server.span) or trial(server.address.text, pool.span) or trial(pool.name, None)


def trial(name: str, span: Span | None) -> bool:
    """Say whether a name, or a comment beside its place, is about a trial."""
    return bool(_CANARY.search(name) or (span is not None and _CANARY.search(comment(span))))


def drained(server: Server | WeightedTarget) -> bool:
    """Say whether a server's or target's name, line, weight or a comment beside them speaks of maintenance."""
    weight = server.weight
    spans = [server.span] if weight is None or weight.span is None else [server.span, weight.span]
    return any(_DRAINED.search(text) for span in spans for text in (server.name, span.text, comment(span)))


def twice(server: Server) -> bool:
    """Say whether a comment beside the server tells that it repeats another one on purpose."""
    return bool(_TWICE.search(comment(server.span).lower()))

"""What people say about a server beside its line: a name or a comment that explains an odd number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern
from lbcheck.text import comment_beside

if TYPE_CHECKING:
    from lbcheck.model import Pool, Server
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


def drained(server: Server) -> bool:
    """Say whether the server's name, its line or a comment beside it speaks of maintenance."""
    return bool(
        _DRAINED.search(server.name) or _DRAINED.search(server.span.text) or _DRAINED.search(comment(server.span))
    )


def twice(server: Server) -> bool:
    """Say whether a comment beside the server tells that it repeats another one on purpose."""
    return bool(_TWICE.search(comment(server.span).lower()))

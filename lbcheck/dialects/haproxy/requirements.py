"""Features that not every version of HAProxy has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Tree
    from lbcheck.dialects.haproxy.tree import Line

#: First version with the keyword, from the manual of each branch.
_PROXY = {
    "hash-preserve-affinity": (3, 2),
}
_SERVER = {"hash-key": (3, 0), "init-state": (3, 1), "guid": (3, 0), "strict-maxconn": (3, 2), "idle-ping": (3, 2)}
_SERVER_LINES = ("server", "default-server", "server-template")


def requirements(tree: Tree) -> Iterator[Requirement]:
    """Yield the features in use that need a version, once for each line."""
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword, since in _PROXY.items():
            for line in proxy.lines(keyword):
                yield Requirement("haproxy", keyword, since, line.span_of(0))
        for keyword in _SERVER_LINES:
            for line in proxy.lines(keyword):
                yield from _server(line)


def _server(line: Line) -> Iterator[Requirement]:
    if _SERVER.keys().isdisjoint(line.words):
        return
    for index, word in enumerate(line.words[2:], 2):
        if (since := _SERVER.get(word)) is not None:
            yield Requirement("haproxy", word, since, line.span_of(index))

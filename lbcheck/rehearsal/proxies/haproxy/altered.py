"""Where a HAProxy config writes anew what a pool hashes: what the client has said is no key then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lbcheck.model import Config, Pool
    from lbcheck.text import Span

#: Actions of HAProxy's `http-request` that change a part of the request, by the algorithm that hashes it.
_PATH = frozenset({"set-path", "replace-path", "set-pathq", "replace-pathq", "set-uri", "replace-uri", "normalize-uri"})
_HEADER = frozenset({"set-header", "add-header", "replace-header", "replace-value", "del-header"})
_ACTIONS = {"uri": _PATH, "url_param": _PATH | {"set-query"}, "source": frozenset({"set-src"}), "hdr": _HEADER}
_ANY = frozenset().union(*_ACTIONS.values())


def altered(config: Config, pool: Pool, frontends: Collection[str]) -> Iterator[Span]:
    """Yield what may change a pool's key: in these frontends, and in its own section."""
    key = pool.algorithm.key.value.lower() if pool.algorithm.key is not None else ""
    actions = _ANY if pool.algorithm.name == "hash" else _ACTIONS.get(pool.algorithm.name, frozenset())
    for section in config.tree.read.sections:
        name = section.head.word(1)
        before = section.kind in {"frontend", "listen"} and name in frontends
        if not before and (section.kind not in {"backend", "listen"} or name != pool.name):
            continue
        for line in section.lines:
            # `tcp-request connection set-src`
            action = {"http-request": line.word(1), "tcp-request": line.word(2)}.get(line.words[0])
            if action in actions and (pool.algorithm.name != "hdr" or line.word(2).lower() == key):
                yield line.span

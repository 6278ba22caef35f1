"""Where a config writes anew what a pool hashes: what the client has said is no key then."""

from __future__ import annotations

import re
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
#: nginx's variables of what is asked for as it stands after rewriting, and the directives that rewrite it.
_REWRITABLE = re.compile(r"\$\{?(?:uri|document_uri|args|query_string|arg_\w+)\b")
_REWRITES = frozenset({"rewrite", "try_files"})


def altered(config: Config, pool: Pool, frontends: Collection[str]) -> str | None:
    """Return the place, PATH:LINE, of what may change a pool's key in a config; None where nothing does.

    `frontends` are those through which requests come to it.
    """
    found = _nginx(config, pool) if config.dialect == "nginx" else _haproxy(config, pool, frontends)
    span = next(found, None)
    return None if span is None else f"{span.path}:{span.line}"


def _haproxy(config: Config, pool: Pool, frontends: Collection[str]) -> Iterator[Span]:
    if config.dialect != "haproxy":
        return
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


def _nginx(config: Config, pool: Pool) -> Iterator[Span]:
    key = pool.algorithm.key.value if pool.algorithm.key is not None else ""
    if not _REWRITABLE.search(key):
        return
    for scope in config.tree.walk():
        for directive in scope.directives:
            if directive.name in _REWRITES or (directive.name == "set" and directive.args[:1] == ["$args"]):
                yield directive.span

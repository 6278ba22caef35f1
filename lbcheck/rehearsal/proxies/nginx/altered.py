"""Where an nginx config writes anew what a pool hashes: what the client has said is no key then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lbcheck.model import Config, Pool
    from lbcheck.text import Span

#: nginx's variables of what is asked for as it stands after rewriting, and the directives that rewrite it.
_REWRITABLE = re.compile(r"\$\{?(?:uri|document_uri|args|query_string|arg_\w+)\b")
_REWRITES = frozenset({"rewrite", "try_files"})


def altered(config: Config, pool: Pool, _: Collection[str]) -> Iterator[Span]:
    """Yield what may change a pool's key; which requests get there is not looked at."""
    key = pool.algorithm.key.value if pool.algorithm.key is not None else ""
    if not _REWRITABLE.search(key):
        return
    for scope in config.tree.walk():
        for directive in scope.directives:
            if directive.name in _REWRITES or (directive.name == "set" and directive.args[:1] == ["$args"]):
                yield directive.span

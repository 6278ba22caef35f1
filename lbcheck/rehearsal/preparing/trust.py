"""What loads or runs code: it is refused unless the user trusts the config.

The sandbox holds what such code could reach; this list keeps it from running at all. It is cautious: what could be code
counts as code, and where a config was not read to its end, words are enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Config

#: For a config that was not understood to its end.
_WORDS = re.compile(
    r"load_module|_by_lua|\blua|\bjs_|perl|passenger|\bexec|ruby|wasm|engine:|store:|ssl_engine|external-check|lua-"
    r"|program|insecure-|ssl-engine|ssl-provider|setenv|opentracing|golang|dynamic_?modules"
)
#: Findings of reading: a file that could not be read, one that is too large or too deep, a cycle.
_UNREAD = frozenset({"E03", "E04", "E05"})


def unread(config: Config) -> Iterator[str]:
    """Yield why it is not known what a config runs: what was not read, and code in what was not understood."""
    for hit in config.hits:
        if hit.code in _UNREAD:
            yield f"{hit.span.path}:{hit.span.line}: not all of it was read"
        elif hit.code == "E01":
            for source in config.files:
                if match := _WORDS.search(source.text):
                    line = source.position(match.start())[0]
                    yield f"{source.path}:{line}: `{match[0]}` in a config that cannot be read to its end"

"""Hash keys that are the same for every request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config

#: HAProxy samples that are written down, not taken from the request.
_WRITTEN_DOWN = re.compile(r"(?:str|int|bool|bin|ipv4|ipv6)\(|always_(?:true|false)\b")


def constant_key(config: Config, _context: Context) -> Iterator[Hit]:
    """S04: the key of a hash holds nothing of the request, so one server gets everything."""
    for pool in config.pools:
        algorithm = pool.algorithm
        key = algorithm.key
        if key is None or algorithm.span is None or len(pool.serving) < 2 or pool.open:
            continue
        if config.dialect == "nginx":
            constant = algorithm.name in {"hash", "hash_consistent"} and "$" not in key.value and key.value.isascii()
        else:
            constant = algorithm.name == "hash" and bool(_WRITTEN_DOWN.match(key.value))
        if constant:
            yield Hit("S04", algorithm.span, {"pool": pool.name, "key": key.value}, pool=pool.name)

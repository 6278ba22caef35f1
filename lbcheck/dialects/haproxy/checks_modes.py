"""What a proxy's mode cannot do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Algorithm, Config

_READS = {"uri": "the request's URI", "url_param": "a parameter of the URL", "hdr": "a header"}
_HTTP_SAMPLE = re.compile(
    r"(?:path|url\w*|hdr|req\.f?hdr\w*|req\.cook\w*|cook|base\w*|method|query|pathq|urlp)\b(?!\w)"
)


def hash_in_tcp_mode(config: Config, context: Context) -> Iterator[Hit]:
    """S08: a hash of what only an HTTP request has, in TCP mode; src/cfgparse.c falls back to round robin."""
    del context
    if config.open is not None:
        return  # the mode may stand in the defaults of another file
    for pool in config.pools:
        algorithm = pool.algorithm
        what = _unreadable(algorithm)
        if pool.protocol == "tcp" and what is not None and algorithm.span is not None and pool.servers:
            args = {"pool": pool.name, "method": algorithm.name, "what": what}
            yield Hit("S08", algorithm.span, args, pool=pool.name)


def _unreadable(algorithm: Algorithm) -> str | None:
    if algorithm.name in _READS:
        return _READS[algorithm.name]
    key = algorithm.key.value if algorithm.key is not None else ""
    return f"`{key}`" if algorithm.name == "hash" and _HTTP_SAMPLE.match(key) else None

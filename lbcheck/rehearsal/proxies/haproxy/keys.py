"""What has to differ from request to request for a HAProxy pool's key to differ (`Load.vary`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.varying import PATH, QUERY, SOURCE, free, known

if TYPE_CHECKING:
    from lbcheck.model import Pool
    from lbcheck.rehearsal.preparing.samples import Sample

#: Sample fetch without its "req." → what varies it; with a name in brackets, so does what is called so.
_FETCHES = {
    "src": SOURCE,
    "path": PATH,
    "pathq": PATH,
    "url": PATH,
    "base": PATH,
    "baseq": PATH,
    "query": QUERY,
}
_NAMED_FETCHES = {"hdr": "header:", "fhdr": "header:", "cook": "cookie:", "urlp": "query:", "url_param": "query:"}
#: The same of the argument of a `balance` algorithm.
_ARGUMENTS = {"url_param": "query:", "hdr": "header:"}
_FETCH = re.compile(r"(?:req\.|capture\.req\.)?(\w+)(?:\(([^,()]+)[^()]*\))?")


def varied(pool: Pool, sample: Sample) -> str:
    """Return it; "" where nothing that may differ changes the key."""
    if pool.persistence is not None and pool.persistence.kind == "stick-table":
        return SOURCE
    name, key = pool.algorithm.name, pool.algorithm.key.value if pool.algorithm.key is not None else ""
    if name == "hash":
        return _fetched(key, sample)
    if name in _ARGUMENTS:
        return free(_ARGUMENTS[name], key)
    return {"source": SOURCE, "uri": known("path", _FETCHES, sample)}.get(name, "")


def _fetched(expression: str, sample: Sample) -> str:
    fetch = _FETCH.match(expression)
    if fetch is None:
        return ""
    return free(_NAMED_FETCHES.get(fetch[1], ""), fetch[2]) if fetch[2] else known(fetch[1], _FETCHES, sample)

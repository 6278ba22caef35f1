"""What has to differ from request to request for a pool's key to differ (`Load.vary`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.model import Pool
    from lbcheck.rehearsal.samples import Sample

_PATH, _QUERY = "path", "query:lbcheck"
#: The client's address.
SOURCE = "source"
#: nginx variable → what varies it; "path" only where the route lets the path go on.
_VARIABLES = {
    "remote_addr": SOURCE,
    "binary_remote_addr": SOURCE,
    "uri": _PATH,
    "document_uri": _PATH,
    "args": _QUERY,
    "query_string": _QUERY,
}
_PREFIXES = {"arg_": "query:", "cookie_": "cookie:", "http_": "header:"}
_VARIABLE = re.compile(r"\$\{?(\w+)")
#: HAProxy sample fetch without its "req." → what varies it; with a name in brackets, so does what is called so.
_FETCHES = {"src": SOURCE, "path": _PATH, "pathq": _PATH, "url": _PATH, "base": _PATH, "baseq": _PATH, "query": _QUERY}
_NAMED_FETCHES = {"hdr": "header:", "fhdr": "header:", "cook": "cookie:", "urlp": "query:", "url_param": "query:"}
#: The same of the argument of a `balance` algorithm.
_ARGUMENTS = {"url_param": "query:", "hdr": "header:"}
_FETCH = re.compile(r"(?:req\.|capture\.req\.)?(\w+)(?:\(([^,()]+)[^()]*\))?")
#: Headers that a request has once, and that say where it goes.
_TAKEN = frozenset({"host", "content-length", "connection", "transfer-encoding", "cookie"})


def varied(pool: Pool, dialect: str, sample: Sample, *, plain: bool) -> str:
    """Return it as `Load.vary` has it; "" where nothing that may differ changes the key. `plain`: no HTTP is spoken."""
    if pool.persistence is not None and pool.persistence.kind == "stick-table":
        return SOURCE
    found = _nginx(pool, sample) if dialect == "nginx" else _haproxy(pool, sample)
    return "" if plain and found != SOURCE else found


def _nginx(pool: Pool, sample: Sample) -> str:
    if pool.algorithm.name == "ip_hash":
        return SOURCE
    key = pool.algorithm.key.value if pool.algorithm.key is not None else ""
    for name in _VARIABLE.findall(key):
        if name == "request_uri":
            return _PATH if sample.open_end else _QUERY
        found = _known(name, _VARIABLES, sample) or _named(name)
        if found:
            return found
    return ""


def _named(variable: str) -> str:
    for prefix, kind in _PREFIXES.items():
        name = variable.removeprefix(prefix)
        if name != variable:
            return _free(kind, name.replace("_", "-") if kind == "header:" else name)
    return ""


def _haproxy(pool: Pool, sample: Sample) -> str:
    name, key = pool.algorithm.name, pool.algorithm.key.value if pool.algorithm.key is not None else ""
    if name == "hash":
        return _fetched(key, sample)
    if name in _ARGUMENTS:
        return _free(_ARGUMENTS[name], key)
    return {"source": SOURCE, "uri": _known("path", _FETCHES, sample)}.get(name, "")


def _fetched(expression: str, sample: Sample) -> str:
    fetch = _FETCH.match(expression)
    if fetch is None:
        return ""
    return _free(_NAMED_FETCHES.get(fetch[1], ""), fetch[2]) if fetch[2] else _known(fetch[1], _FETCHES, sample)


def _known(name: str, table: Mapping[str, str], sample: Sample) -> str:
    found = table.get(name, "")
    return "" if found == _PATH and not sample.open_end else found


def _free(kind: str, name: str) -> str:
    """Return what varies a named part of the request, where that is free to be anything."""
    if not kind or not name or (kind == "header:" and name.lower() in _TAKEN):
        return ""
    return kind + name

"""What may differ from request to request: the parts of a request that are free to be anything (`Load.vary`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.rehearsal.preparing.samples import Sample

PATH, QUERY, SOURCE = "path", "query:lbcheck", "source"
#: Headers that a request has once, and that say where it goes.
_TAKEN = frozenset({"host", "content-length", "connection", "transfer-encoding", "cookie"})


def known(name: str, table: Mapping[str, str], sample: Sample) -> str:
    """Return what varies a part of the request that has a name; the path only where the route lets it go on."""
    found = table.get(name, "")
    return "" if found == PATH and not sample.open_end else found


def free(kind: str, name: str) -> str:
    """Return what varies a named part of the request, where that is free to be anything."""
    if not kind or not name or (kind == "header:" and name.lower() in _TAKEN):
        return ""
    return kind + name

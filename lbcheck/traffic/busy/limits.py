"""How many requests each server takes at once, as the dialect says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.load import NO_LIMIT

if TYPE_CHECKING:
    from lbcheck.model import Pool, Server


class UnknownError(Exception):
    """A share that cannot be known; its text says why."""


def limit(server: Server) -> float:
    """Return nginx's `max_conns` or native `max_connections`: 0 and none are no limit."""
    _known(server)
    return (server.max_conns.value if server.max_conns is not None else 0) or NO_LIMIT


def working_limit(server: Server, pool: Pool, in_flight: int) -> float:
    """Return how many requests HAProxy lets a server work on (src/queue.c, srv_dynamic_maxconn()).

    `maxconn`; with a lower `minconn`, the part of it that the backend's requests are of its `fullconn`.
    """
    _known(server)
    most = server.max_conns.value if server.max_conns is not None else 0
    least = _number(server, "minconn")
    if least >= most or not least:
        return max(most, least) or NO_LIMIT
    if in_flight <= least:
        return least
    full = pool.options.get("fullconn")
    if full is None or not full.value:
        raise UnknownError(f"the limit of {server.name} grows with the load up to a fullconn that is not written")
    return most if in_flight >= full.value else max(least, in_flight * most // int(full.value))


def queue_length(server: Server) -> int:
    """Return how many requests HAProxy lets wait for a server alone: `maxqueue`; 0 where none is written."""
    return _number(server, "maxqueue")


def _number(server: Server, name: str) -> int:
    option = server.options.get(name)
    if option is None:
        return 0
    if not isinstance(option.value, int):
        raise UnknownError(f"the {name} of {server.name} is filled in elsewhere")
    return option.value


def _known(server: Server) -> None:
    if "opaque limit" in server.options:
        raise UnknownError(f"the limit of {server.name} is filled in elsewhere")

"""A dead server that answers fast has the fewest connections: least-loaded balancing sends it the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.health import choice
from lbcheck.findings import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Span

#: Algorithms that take the server with the least to do, by the dialects' names. nginx has its own check.
_LEAST = frozenset({"leastconn", "least_request", "least_connections"})
_ADVICE = {
    "haproxy": "add `option httpchk` with `check`, or `observe layer7` on the servers",
    "envoy": "add an `http_health_check`, or `outlier_detection`",
    "native": "make the `health_check` one of `type: http`",
}
#: Checks that only open a connection.
_DEAF = frozenset({"tcp", "tls"})
#: Words of HAProxy's `retry-on` by which another server answers in place of one that fails.
_RETRIED = frozenset({"all-retryable-errors", "500", "502", "503", "504"})


def least_conn_sinkhole(config: Config, _context: Context) -> Iterator[Hit]:
    """D19: a least-loaded algorithm that was chosen, and nothing that notices a server which answers with errors.

    One finding for each place where the algorithm is written, as in the defaults of many pools.
    """
    told: set[Span] = set()
    for pool in config.pools if config.open is None else ():
        chosen = pool.algorithm.span
        if pool.algorithm.name not in _LEAST or chosen is None or chosen in told or pool.protocol != "http":
            continue
        if pool.open is None and choice(pool.serving) and not _repeated(pool) and not any(map(_heard, pool.enabled)):
            told.add(chosen)
            advice = _ADVICE.get(config.dialect, "add an HTTP health check")
            args = {"pool": pool.name, "algorithm": pool.algorithm.name, "advice": advice}
            yield Hit("D19", chosen, args, pool=pool.name)


def _heard(server: Server) -> bool:
    """Say whether something may take a server out for what it answers."""
    observe = server.options.get("observe")
    if observe is not None:
        return bool(observe.value == "layer7") or _asked(server)
    return bool(server.passive) or "agent-check" in server.options or server.tracks is not None or _asked(server)


def _asked(server: Server) -> bool:
    check = server.check
    if check is None or (server.checked is not None and not server.checked.value):
        return False
    return check.kind not in _DEAF or check.expect is not None


def _repeated(pool: Pool) -> bool:
    """Say whether a failed answer is asked for again, of another server."""
    retry = pool.retry
    return retry is not None and retry.conditions is not None and not _RETRIED.isdisjoint(retry.conditions.value)

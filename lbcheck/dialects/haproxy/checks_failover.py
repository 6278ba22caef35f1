"""Failover that cannot happen, or comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Edit, Fix, Hit
from lbcheck.text import Span, comment_beside
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

_HASHES = frozenset({"source", "uri", "url_param", "hdr", "hash", "rdp-cookie"})


def _watched(server: Server) -> bool:
    """Say whether anything can mark the server down."""
    return bool(
        (server.checked is not None and server.checked.value) or server.passive or "agent-check" in server.options
    )


def backup_never_used(config: Config, context: Context) -> Iterator[Hit]:
    """F02: a backup serves when all primaries are down, and one never is (src/backend.c, recount_servers)."""
    del context
    for pool in config.pools:
        backups = [server for server in pool.backups if server.enabled]
        blind = [server for server in pool.primaries if server.serving and not _watched(server)]
        if not backups or not blind or pool.open:
            continue
        manual = any("manual" in comment_beside(server.span).lower() for server in backups)
        args = {
            "pool": pool.name,
            "backups": listed([server.name for server in backups[:5]]),
            "primaries": listed([server.name for server in blind[:5]]),
        }
        edits = [Edit(Span(server.span.source, server.span.end, server.span.end), " check") for server in blind]
        yield Hit(
            "F02", backups[0].span, args, severity=INFO if manual else None, pool=pool.name, server=backups[0].name,
            fix=Fix("check every primary", edits),
        )  # fmt: skip


def no_redispatch(config: Config, context: Context) -> Iterator[Hit]:
    """F05: requests that belong to one server are retried on it alone until a check marks it down."""
    del context
    for pool in config.pools:
        bound = _bound(pool)
        if bound is None or pool.open or pool.protocol != "http":
            continue
        serving = [server for server in pool.serving if server.checked is not None and server.checked.value]
        retry = pool.retry
        if len(serving) < 2 or retry is None or (retry.redispatch is not None and retry.redispatch.value):
            continue
        window = max(_detection(server) for server in serving)
        args = {"pool": pool.name, "bound": bound[0], "seconds": f"{window:g}"}
        yield Hit("F05", bound[1], args, pool=pool.name)


def _bound(pool: Pool) -> tuple[str, Span] | None:
    """Return what binds a request to one server, and where it is written."""
    found = pool.persistence
    if found is not None and found.kind == "cookie" and any(server.cookie for server in pool.servers):
        return f"the cookie {found.name}", found.span
    if found is not None and found.kind == "stick-table":
        return "a stick table", found.span
    if pool.algorithm.name in _HASHES and pool.algorithm.span is not None:
        return f"`balance {pool.algorithm.name}`", pool.algorithm.span
    return None


def _detection(server: Server) -> float:
    check = server.check
    if check is None or check.interval is None or check.fall is None:
        return 6.0
    return check.interval.value * check.fall.value


def first_without_maxconn(config: Config, context: Context) -> Iterator[Hit]:
    """C02: `balance first` moves on only when a server is full, and one without maxconn never is (src/lb_fas.c)."""
    del context
    for pool in config.pools:
        serving = pool.serving
        if pool.algorithm.name != "first" or pool.open or len(serving) < 2:
            continue
        endless = next((server for server in serving[:-1] if server.max_conns is None), None)
        if endless is not None:
            after = [server.name for server in serving[serving.index(endless) + 1 :]]
            args = {"pool": pool.name, "server": endless.name, "idle": listed(after[:5])}
            yield Hit("C02", endless.span, args, pool=pool.name, server=endless.name)

"""Cookies that are to keep a client on its server, and do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, INFO, Edit, Fix, Hit, Related
from lbcheck.text import Span
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server


def _sticky(pool: Pool) -> bool:
    """Say whether the pool sets or reads a cookie with one value for each server."""
    found = pool.persistence
    return found is not None and found.kind == "cookie" and found.mode is not None and pool.protocol == "http"


def without_value(config: Config, _context: Context) -> Iterator[Hit]:
    """S01: a backend with a cookie, and servers without a value in it.

    Of the backups only those that share the load need one: a lone backup is better off without, for its clients
    then go back when the primaries do.
    """
    if config.open is not None:
        return  # the defaults of another file may say more
    for pool in config.pools:
        found = pool.persistence
        if not _sticky(pool) or found is None or found.dynamic or pool.open:
            continue
        members = [server for server in pool.servers if server.enabled and server.weight.value > 0]
        primaries = [server for server in members if not server.backup]
        bare = [server for server in primaries if server.cookie is None]
        if bare and len(members) > 1:
            yield _bare_hit(pool, bare, ERROR if len(bare) == len(primaries) else None)
        elif not bare and "allbackups" in pool.options:
            backups = [server for server in members if server.backup]
            bare = [server for server in backups if server.cookie is None]
            if bare and len(backups) > 1:
                yield _bare_hit(pool, bare, INFO)


def _bare_hit(pool: Pool, bare: list[Server], severity: str | None) -> Hit:
    found = pool.persistence
    args = {
        "pool": pool.name,
        "cookie": found.name if found is not None else "",
        "servers": listed([server.name for server in bare]),
        "have": "has" if len(bare) == 1 else "have",
    }
    taken = {server.cookie.value for server in pool.servers if server.cookie is not None}
    edits = [
        Edit(Span(server.span.source, server.span.end, server.span.end), f" cookie {server.name}") for server in bare
    ]
    fix = Fix("a cookie value for each server, its name", edits)
    return Hit(
        "S01",
        bare[0].span,
        args,
        severity=severity,
        fix=fix if taken.isdisjoint(server.name for server in bare) else None,
        pool=pool.name,
        server=bare[0].name,
    )


def same_value(config: Config, _context: Context) -> Iterator[Hit]:
    """S02: two servers share a value, so returning clients of both go to the first (src/backend.c)."""
    for pool in config.pools:
        if not _sticky(pool):
            continue
        first: dict[str, Server] = {}
        for server in pool.servers:
            if server.cookie is None or server.backup or not server.enabled:
                continue
            other = first.setdefault(server.cookie.value, server)
            if other is not server or server.count > 1:
                yield _same_hit(pool, server, other)


def _same_hit(pool: Pool, server: Server, other: Server) -> Hit:
    """Report two servers of one value, or the servers of one template (`other` is then `server` itself)."""
    assert server.cookie is not None  # noqa: S101 - the value is what they share
    assert other.cookie is not None  # noqa: S101
    alone = other is server
    args = {
        "server": f"every server of {server.name}" if alone else f"server {server.name}",
        "other": "the first of them" if alone else other.name,
        "pool": pool.name,
        "value": server.cookie.value,
    }
    return Hit(
        "S02",
        server.cookie.span or server.span,
        args,
        related=[] if alone else [Related(other.cookie.span or other.span, "the same value")],
        pool=pool.name,
        server=server.name,
    )


def unused_value(config: Config, _context: Context) -> Iterator[Hit]:
    """S03: servers have a cookie value, and nothing reads it. One finding for each pool."""
    if config.open is not None:
        return  # the cookie line and the mode may stand in the defaults of another file
    for pool in config.pools:
        valued = next((server for server in pool.servers if server.cookie is not None), None)
        if valued is None or valued.cookie is None or pool.open or pool.protocol not in ("http", "tcp"):
            continue
        if pool.persistence is not None and pool.persistence.kind == "cookie" and pool.protocol == "http":
            continue
        why = f"{pool.name} is in TCP mode" if pool.protocol == "tcp" else f"{pool.name} has no `cookie` line"
        args = {"pool": pool.name, "server": valued.name, "value": valued.cookie.value, "why": why}
        yield Hit("S03", valued.cookie.span or valued.span, args, pool=pool.name, server=valued.name)

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
    return (
        found is not None and found.kind == "cookie" and found.mode is not None and not found.dynamic
        and pool.protocol == "http"
    )  # fmt: skip


def without_value(config: Config, context: Context) -> Iterator[Hit]:
    """S01: a backend with a cookie, and servers without a value in it."""
    del context
    for pool in config.pools:
        if not _sticky(pool) or pool.open:
            continue
        members = [server for server in pool.servers if server.enabled and server.weight.value > 0]
        bare = [server for server in members if server.cookie is None]
        primaries = [server for server in bare if not server.backup]
        if not bare:
            continue
        whole = len(primaries) == len([server for server in members if not server.backup])
        severity = INFO if not primaries else ERROR if whole else None
        yield _bare_hit(pool, primaries or bare, severity)


def _bare_hit(pool: Pool, bare: list[Server], severity: str | None) -> Hit:
    found = pool.persistence
    args = {
        "pool": pool.name,
        "cookie": found.name if found is not None else "",
        "servers": listed([server.name for server in bare[:5]]) + (" and others" if len(bare) > 5 else ""),
    }
    edits = [
        Edit(Span(server.span.source, server.span.end, server.span.end), f" cookie {server.name}") for server in bare
    ]
    return Hit(
        "S01", bare[0].span, args, severity=severity, pool=pool.name, server=bare[0].name,
        fix=Fix("a cookie value for each server, its name", edits),
    )  # fmt: skip


def same_value(config: Config, context: Context) -> Iterator[Hit]:
    """S02: two servers share a value, so returning clients of both go to the first (src/backend.c)."""
    del context
    for pool in config.pools:
        if pool.persistence is None or pool.persistence.kind != "cookie":
            continue
        seen: dict[str, Server] = {}
        for server in pool.servers:
            if server.cookie is None or server.backup or not server.enabled:
                continue
            first = seen.setdefault(server.cookie.value, server)
            if first is not server:
                args = {"server": server.name, "other": first.name, "pool": pool.name, "value": server.cookie.value}
                yield Hit(
                    "S02", server.cookie.span or server.span, args, pool=pool.name, server=server.name,
                    related=[Related(first.cookie.span or first.span, "the same value")] if first.cookie else (),
                )  # fmt: skip


def unused_value(config: Config, context: Context) -> Iterator[Hit]:
    """S03: servers have a cookie value, and nothing reads it. One finding for each pool."""
    del context
    if config.open is not None:
        return  # the cookie line and the mode may stand in the defaults of another file
    for pool in config.pools:
        valued = next((server for server in pool.servers if server.cookie is not None), None)
        if valued is None or valued.cookie is None or pool.open:
            continue
        if pool.persistence is not None and pool.persistence.kind == "cookie" and pool.protocol == "http":
            continue
        why = f"{pool.name} is in TCP mode" if pool.protocol == "tcp" else f"{pool.name} has no `cookie` line"
        args = {"pool": pool.name, "server": valued.name, "value": valued.cookie.value, "why": why}
        yield Hit("S03", valued.cookie.span or valued.span, args, pool=pool.name, server=valued.name)

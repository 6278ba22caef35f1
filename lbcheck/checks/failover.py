"""What happens when servers are gone: pools whose roles leave nobody to fail over from or to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, WARNING, Hit
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool


def backup_only_pool(config: Config, _context: Context) -> Iterator[Hit]:
    """F01: every server of a pool is a backup, so nobody is primary."""
    for pool in config.pools:
        servers = pool.servers
        if pool.open is not None or not servers or not all(server.backup for server in servers):
            continue
        severity, effect = _effect(config.dialect, pool)
        args = {"pool": pool.name, "servers": counted(sum(server.count for server in servers), "server")}
        yield Hit(
            "F01",
            servers[0].span,
            {**args, "effect": effect},
            severity=severity,
            pool=pool.name,
            server=servers[0].name,
        )


def _effect(dialect: str, pool: Pool) -> tuple[str, str]:
    """Say what the proxy makes of it: HAProxy takes the first backup unless told otherwise. nginx refuses it (E14)."""
    if dialect != "haproxy":
        return WARNING, "nothing serves in normal operation"
    enabled = pool.enabled
    if sum(server.count for server in enabled) < 2 or "allbackups" in pool.options:
        return INFO, "they serve as if they were primaries"
    return WARNING, f"HAProxy sends everything to {enabled[0].name}, the others idle"

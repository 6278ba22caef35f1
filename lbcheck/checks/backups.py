"""Several backups of which only one serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, WARNING, Hit
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool


def first_backup_only(config: Config, _context: Context) -> Iterator[Hit]:
    """F03: HAProxy uses the first backup that works, the others wait (doc 4.2, `option allbackups`)."""
    for pool in config.pools:
        backups = [server for server in pool.backups if server.enabled]
        if len(backups) < 2 or "allbackups" in pool.options or pool.open or not pool.primaries:
            continue
        args = {"pool": pool.name, "first": backups[0].name, "others": listed([one.name for one in backups[1:6]])}
        yield Hit(
            "F03", backups[0].span, args, severity=WARNING if _too_small(pool) else INFO, pool=pool.name,
            server=backups[0].name,
        )  # fmt: skip


def _too_small(pool: Pool) -> bool:
    """Say whether the first backup takes fewer connections than the primaries together."""
    first = next(server for server in pool.backups if server.enabled)
    limits = [server.max_conns.value for server in pool.primaries if server.max_conns is not None]
    return first.max_conns is not None and len(limits) == len(pool.primaries) and first.max_conns.value < sum(limits)

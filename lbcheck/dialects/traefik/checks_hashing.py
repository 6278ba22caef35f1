"""Highest random weight: what Traefik's hash makes of the servers' URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, Hit, Related
from lbcheck.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config

#: Times a fair share from which a share is a finding, and an error.
_TOO_MUCH, _FAR_TOO_MUCH = 1.25, 1.5
#: So many standard errors a counted share must be beyond the limit.
_SURE = 4


def hrw_imbalance(config: Config, context: Context) -> Iterator[Hit]:
    """D08: FNV-1a hardly tells servers apart whose URLs differ in their last bytes (traffic.algorithms.rendezvous)."""
    for pool in config.pools:
        if pool.algorithm.name != "hrw" or pool.open is not None or len(pool.serving) < 2:
            continue
        if len({server.address.key for server in pool.serving}) < len(pool.serving):
            continue  # one server twice is P04's
        found = context.shares(pool, config.dialect)
        if found.servers is None or found.stderr is None:
            continue
        total = sum(server.weight.value for server in pool.serving)
        worth = [
            (share, share * total / server.weight.value, server)
            for share, server in zip(found.servers, pool.servers, strict=True)
            if server.serving
        ]
        share, ratio, server = max(worth, key=lambda one: one[1])
        idle = [one for part, _, one in worth if not part]
        if (share - _SURE * found.stderr) * total / server.weight.value <= _TOO_MUCH and not idle:
            continue
        args = {
            "pool": pool.name,
            "hash": "the hrw hash",
            "server": server.name,
            "share": percent(share),
            "ratio": f"{ratio:.2g}",
            "advice": "write URLs that differ before their last bytes (http://10.0.0.1:80), or use another strategy",
        }
        yield Hit(
            "D08",
            pool.algorithm.span or pool.span,
            args,
            severity=ERROR if idle or ratio > _FAR_TOO_MUCH else None,
            related=[Related(one.span, f"{one.name} gets nothing") for one in idle[:10]],
            pool=pool.name,
            server=server.name,
        )

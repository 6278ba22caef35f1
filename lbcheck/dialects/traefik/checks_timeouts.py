"""Times that do not fit into each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related
from lbcheck.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Pool, Setting


def timeout_inversion(config: Config, _context: Context) -> Iterator[Hit]:
    """T02: Traefik waits longer for a server's answer than it has time to write it to the client.

    The entry point's `writeTimeout` begins with the end of the request's head (net/http Server.WriteTimeout).
    """
    told: set[int] = set()
    for frontend in config.frontends:
        limit = frontend.timeouts.get("client")
        if frontend.protocol != "http" or limit is None or limit.value <= 0:
            continue
        for pool in [target.pool for route in frontend.routes for target in route.targets]:
            wait = None if pool is None or id(pool) in told else pool.timeouts.get("server")
            if pool is not None and wait is not None and wait.value > limit.value:
                told.add(id(pool))
                yield _inverted(frontend, pool, limit, wait)


def _inverted(frontend: Frontend, pool: Pool, limit: Setting[float], wait: Setting[float]) -> Hit:
    args = {
        "route": f"pool {pool.name}",
        "inner": f"its servers have {duration(wait.value)} for an answer (responseHeaderTimeout)",
        "outer": f"the writeTimeout of {duration(limit.value)} of entry point {frontend.name}",
        "effect": "the client's connection is closed before a late answer comes, without a 504",
        "advice": f"make writeTimeout longer than {duration(wait.value)}, or responseHeaderTimeout shorter",
    }
    related = [Related(limit.span, "the entry point's writeTimeout")] if limit.span is not None else []
    return Hit("T02", wait.span or pool.span, args, related=related, frontend=frontend.name, pool=pool.name)

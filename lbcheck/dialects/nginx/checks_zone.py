"""What each nginx worker keeps for itself where an upstream has no `zone`: limits, connection counts, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import before, unsafe
from lbcheck.dialects.nginx.passes import upstreams
from lbcheck.findings import INFO, WARNING, Hit
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Span


def _workers(config: Config) -> str | None:
    """Return how many workers share the pools, in words; None where it is one, or not known."""
    workers = config.workers
    if workers is None or workers.value == 1:
        return None
    return "each worker" if workers.value is None else f"each of {workers.value:,} workers"


def max_conns_per_worker(config: Config, context: Context) -> Iterator[Hit]:
    """C05: without a zone each worker counts for itself, so `max_conns` holds once per worker."""
    each = _workers(config)
    if each is None or config.workers is None:
        return
    for pool in config.pools:
        limited = [server for server in pool.servers if server.max_conns is not None and server.max_conns.value > 0]
        if pool.state is not None or not limited:
            continue
        first = limited[0]
        limit = first.max_conns.value if first.max_conns is not None else 0
        count = config.workers.value
        total = f"{limit * count:,}" if count else f"{limit:,} x the number of workers"
        args = {"server": first.name, "pool": pool.name, "limit": f"{limit:,}", "each": each, "total": total}
        yield Hit("C05", _place(first), args, fix=_zone(config, context, pool), pool=pool.name)


def _place(server: Server) -> Span:
    limit = server.max_conns
    return limit.span if limit is not None and limit.span is not None else server.span


def upstream_without_zone(config: Config, context: Context) -> Iterator[Hit]:
    """D10: without a zone each worker sees only its own connections, which misleads methods that compare them."""
    each = _workers(config)
    if each is None:
        return
    for pool in config.pools:
        if pool.state is not None or pool.implicit or len(pool.servers) < 2:
            continue
        if any(server.max_conns is not None and server.max_conns.value > 0 for server in pool.servers):
            continue
        what = _shared_state(pool)
        if what is None:
            continue
        effect, severity = what
        servers = counted(len(pool.servers), "server")
        args = {"pool": pool.name, "each": each, "effect": effect, "servers": servers}
        where = pool.algorithm.span or pool.span
        fix = _zone(config, context, pool)
        yield Hit("D10", where, args, severity=severity, fix=fix, pool=pool.name)


def _shared_state(pool: Pool) -> tuple[str, str] | None:
    """Return what the workers would have to know of each other, and how much it matters."""
    if pool.persistence is not None:
        return "a session that one worker learned is unknown to the others", WARNING
    name = pool.algorithm.name
    if name == "random_two":
        return (
            "`random two` compares its own connections alone, and a server that the others keep busy looks idle",
            WARNING,
        )
    if name in {"least_conn", "least_time"}:
        return f"`{name}` compares its own connections alone, and a server that the others keep busy looks idle", INFO
    return None


def _zone(config: Config, context: Context, pool: Pool) -> Fix | None:
    """Write `zone NAME 64k;` above the first server."""
    scope = context.once(config, upstreams).get((pool.scope or "http", pool.name.lower()))
    first = next((one for one in scope.directives if one.name == "server"), None) if scope is not None else None
    if first is None:
        return None
    return unsafe(f"zone {pool.name} 64k", before(first, f"zone {pool.name} 64k;"))

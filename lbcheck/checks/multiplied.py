"""Host names of several addresses: each of them is a server with the whole weight of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Hit, Related
from lbcheck.model import one_server_each
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.world import World

#: Names that a cloud gives an address in each of its zones.
_SEVERAL = pattern(r"\.elb(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?\.?\Z")
#: More related places than this are not listed.
_RELATED = 10


def hostname_multiplies(config: Config, _context: Context) -> Iterator[Hit]:
    """D11: lines of one pool that stand for unequal numbers of servers, because a name has several addresses.

    How many is known from `[hosts]` in the settings and from the replicas of the Compose project that mounts the
    config; nothing is looked up. Silent where each line keeps its part all the same: all multiplied alike, or with
    weights that make up for it.
    """
    for pool in config.pools:
        lines = pool.serving
        if pool.open is not None or len(lines) < 2 or not _each_counts(pool, config.dialect):
            continue
        counts = [_addresses(server, config.world) for server in lines]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            yield from _maybe(pool, lines, counts, config.dialect)
        elif not _even(known) and not _even(
            [count * line.weight.value for count, line in zip(known, lines, strict=True)]
        ):
            yield _known(pool, lines, known)


def _even(numbers: list[int]) -> bool:
    return len(set(numbers)) == 1


def _each_counts(pool: Pool, dialect: str) -> bool:
    """Say whether the dialect makes a server of each address, and asks the name's server itself."""
    discovery = pool.options.get("discovery")
    return one_server_each(pool, dialect) and (discovery is None or discovery.value == "STRICT_DNS")


def _addresses(server: Server, world: World | None) -> int | None:
    """Return how many addresses a line stands for; None where nobody says."""
    if server.address.kind != "name":
        return 1
    if server.addresses is not None:
        return server.addresses
    host = server.address.host or ""
    if host.lower() == "localhost":
        return 1  # D12 speaks of its two
    found = world.named(host) if world is not None else []
    replicas = [workload.replicas for service in found for workload in service.workloads or ()]
    return sum(filter(None, replicas)) if replicas and None not in replicas else None


def _known(pool: Pool, lines: list[Server], counts: list[int]) -> Hit:
    most = max(counts)
    server = lines[counts.index(most)]
    effect = f"the line is {most:,} of {sum(counts):,} servers, not one of {len(lines):,}"
    return _hit(pool, server, f"{most:,} addresses", effect, lines)


def _maybe(pool: Pool, lines: list[Server], counts: list[int | None], dialect: str) -> Iterator[Hit]:
    """Yield a name that has several addresses by its nature, beside lines of which one is not such a name.

    Where nginx looks it up only once, N01 says more.
    """
    several = [
        server
        for server, count in zip(lines, counts, strict=True)
        if count is None and _SEVERAL.search((server.address.host or "").lower())
    ]
    if several and len(several) < len(lines) and (dialect != "nginx" or several[0].resolve is not None):
        effect = f"the line is more than one of {len(lines):,} servers"
        yield _hit(pool, several[0], "an address in each of its zones", effect, lines, INFO)


def _hit(
    pool: Pool, server: Server, addresses: str, effect: str, lines: list[Server], severity: str | None = None
) -> Hit:
    args = {"host": server.address.host, "pool": pool.name, "addresses": addresses, "effect": effect}
    related = [Related(other.span, "another line of the pool") for other in lines if other is not server][:_RELATED]
    return Hit("D11", server.span, args, severity=severity, related=related, pool=pool.name, server=server.name)

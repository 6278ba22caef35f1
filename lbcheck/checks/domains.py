"""Failure domains: servers that stand in for each other and go down together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.addresses import fixed_place
from lbcheck.findings import INFO, Hit
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

#: The machine on which containers run, as Docker shows it to them: everything is on it then.
_DOCKER_HOST = "172.17.0.1"


def shared_failure_domain(config: Config, _context: Context) -> Iterator[Hit]:
    """F10: all servers of a pool, its backups too, are on one machine or in one zone.

    The proxy's own machine is left out, and so are containers: what is all on one machine is meant to be.
    """
    if config.world is not None:
        return
    own = {listener.address.host for frontend in config.frontends for listener in frontend.listeners}
    for pool in config.pools:
        servers = pool.enabled
        if pool.open is not None or len(servers) < 2:
            continue
        where = _machine(servers, own) or _zone(servers)
        if where is not None:
            yield _together(pool, servers, where)


def _machine(servers: Sequence[Server], own: set[str | None]) -> str | None:
    """Return the machine on which all are; None for names, of which nobody knows how many machines they mean."""
    hosts = {None if (found := fixed_place(server)) is None else found[0] for server in servers}
    host = next(iter(hosts))
    if len(hosts) > 1 or host is None or host == _DOCKER_HOST or host in own:
        return None
    address = servers[0].address
    if address.kind not in ("ipv4", "ipv6") or address.loopback or any("container" in one.options for one in servers):
        return None
    return f"on machine {host}"


def _zone(servers: Sequence[Server]) -> str | None:
    zones = {None if server.zone is None else server.zone.value for server in servers}
    zone = next(iter(zones))
    return None if len(zones) > 1 or zone is None else f"in zone {zone}"


def _together(pool: Pool, servers: Sequence[Server], where: str) -> Hit:
    backups = sum(server.backup for server in servers)
    primaries = len(servers) - backups
    args = {
        "pool": pool.name,
        "who": "primaries and backups" if backups and primaries else counted(len(servers), "server"),
        "where": where,
        "effect": "no backup is left to take over" if backups and primaries else "no server is left",
    }
    severity = None if backups and primaries else INFO
    return Hit("F10", pool.span, args, severity=severity, pool=pool.name)

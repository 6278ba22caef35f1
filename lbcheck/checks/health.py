"""Active health checks: whether there are any, and on every server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Edit, Fix, Hit, Related
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

#: How each dialect switches a server's check on, written behind its line.
_SWITCH_ON = {"haproxy": " check"}
_ADVICE = {
    "haproxy": "add `check` to each server, or write `default-server check` above them",
    "envoy": "add `health_checks` or `outlier_detection` to the cluster",
    "native": "add a `health_check:`",
    "traefik": "add a `healthCheck:` with a `path` beside its servers",
}
_CHECK = {"traefik": "healthCheck"}
#: Protocols whose pools carry nobody's requests.
_NO_REQUESTS = frozenset({"log", "spop"})
#: More related places than this are not listed.
_RELATED = 10


def hc_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """H01: a pool of several servers, none of which is ever probed."""
    if config.open is not None:
        return  # the check may be switched on where it was not seen
    for pool in config.pools:
        servers = pool.enabled
        if pool.protocol in _NO_REQUESTS or not choice(servers) or any(server.watched for server in servers):
            continue
        if all(server.resolve is not None and server.resolve.value and _templated(pool, server) for server in servers):
            continue  # the registry behind the name decides who is a member
        if _one_place(servers):
            continue  # they are dead together: P04 speaks, or a subset tells them apart
        if any(server.checked is None for server in servers):
            continue
        again = retried(pool)
        args = {
            "pool": pool.name,
            "servers": "servers" if _alternatives(pool) else counted(_count(servers), "server"),
            "advice": _ADVICE.get(config.dialect, "add a check"),
            "effect": "costs every request that it gets a failed try" if again else "keeps its share, which fails",
        }
        yield Hit("H01", pool.span, args, severity=INFO if again else None, pool=pool.name)


def hc_partial(config: Config, _context: Context) -> Iterator[Hit]:
    """H03: some servers of a pool are probed, others are not."""
    if config.open is not None:
        return
    for pool in config.pools:
        servers = pool.enabled
        bare = [server for server in servers if _forgotten(server)]
        checked = [server for server in servers if server.checked is not None and server.checked.value]
        if not bare or not checked:
            continue
        alone = len(pool.backups) == 1 and bare == pool.backups  # nobody is left to take over from it
        several = _count(bare) > 1
        it = "them" if several else "it"
        keeps = "dead, they keep their share" if several else "dead, it keeps its share"
        args = {
            "servers": ("servers " if several else "server ") + listed([server.name for server in bare]),
            "are": "are" if several else "is",
            "pool": pool.name,
            "checked": counted(_count(checked), "server"),
            "it": it,
            "advice": f"add `check` to {it}"
            if config.dialect in _SWITCH_ON
            else f"give {it} a `{_CHECK.get(config.dialect, 'health_check')}`",
            "effect": "a dead one is not seen before the requests reach it" if alone else keeps,
        }
        yield Hit(
            "H03",
            bare[0].span,
            args,
            severity=INFO if alone else None,
            related=[Related(server.span, "nor is this one") for server in bare[1:_RELATED]],
            fix=_switch_on(config, bare),
            pool=pool.name,
            server=bare[0].name,
        )


def _count(servers: list[Server]) -> int:
    return sum(server.count for server in servers)


def choice(servers: list[Server]) -> bool:
    """Say whether another server could take over from a dead one."""
    return _count(servers) >= 2 or any(server.backup for server in servers)


def _alternatives(pool: Pool) -> bool:
    """Say whether not all of the servers may be there together, as in an `.if` and its `.else`."""
    return pool.open is not None and not any(server.count > 1 for server in pool.servers)


def _one_place(servers: list[Server]) -> bool:
    """Say whether all lines name one address, so that none of them could take over from another."""
    address = servers[0].address
    return address.known and all(one.count == 1 and one.address.key == address.key for one in servers)


def _templated(pool: Pool, server: Server) -> bool:
    return server.count > 1 or pool.open is not None


def _forgotten(server: Server) -> bool:
    """Say whether it is not checked and nobody wrote that it should not be (`no-check`)."""
    checked = server.checked
    return checked is not None and not checked.value and not checked.written and "agent-check" not in server.options


def retried(pool: Pool) -> bool:
    """Say whether a request that meets a dead server is sent to another one."""
    retry = pool.retry
    if retry is None or retry.redispatch is None or not retry.redispatch.value:
        return False
    return retry.attempts is not None and retry.attempts.value > 0


def _switch_on(config: Config, servers: list[Server]) -> Fix | None:
    word = _SWITCH_ON.get(config.dialect)
    if word is None:
        return None
    ends = [server.span.source.span(server.span.end, server.span.end) for server in servers]
    return Fix("check every server", [Edit(end, word) for end in ends])

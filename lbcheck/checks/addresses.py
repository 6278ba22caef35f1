"""Addresses: one host twice in a pool, as its own backup, or with the one port that the others do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.edits import replace_word, set_weight, unsafe, whole_lines
from lbcheck.checks.intent import canary, twice
from lbcheck.findings import Hit, Related
from lbcheck.spelling import distance
from lbcheck.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Address, Config, Pool, Server

    Key = tuple[str, int | None]

#: Ports that a server listens on for a reason of its own, so that a single one among others is another service.
_WELL_KNOWN = frozenset({21, 22, 25, 53, 80, 110, 143, 389, 443, 465, 587, 636, 853, 993, 995})
#: What says nothing about the connection that a server gets: its number and its name for persistence.
_NOT_CONNECTION = frozenset({"id", "cookie", "opaque limit"})
#: More related places than this are not listed.
_RELATED = 10
_ANYWHERE = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104 - "connect to where the client wanted to"


def place(address: Address) -> Key | None:
    """Return what makes two addresses one: host in one spelling, and port; None where they are not plain values."""
    host = address.host
    if host is None or address.kind == "opaque":
        return None
    if address.kind == "ipv4":
        return host, address.port
    if address.kind == "unix":
        return f"unix:{host}", None
    if address.kind == "ipv6":
        return _one_spelling(host), address.port
    return host.lower().rstrip("."), address.port


def _one_spelling(host: str) -> str:
    """Return an IPv6 address in its shortest form; anything else as it is."""
    if ":" not in host:
        return host.lower()
    from ipaddress import AddressValueError, IPv6Address

    try:
        return str(IPv6Address(host.strip("[]")))
    except AddressValueError:
        return host.lower()


def fixed_place(server: Server) -> Key | None:
    """Return the place of a server whose line stands for one host; None for templates, resolved names, 0.0.0.0.

    Several HAProxy servers of one name with `resolvers` are given different addresses of that name
    (configuration.txt 5.3.1), and 0.0.0.0 means the address that the client asked for.
    """
    if server.count != 1 or (server.resolve is not None and server.resolve.value):
        return None
    where = place(server.address)
    return None if where is None or where[0] in _ANYWHERE else where


def located(config: Config) -> list[list[tuple[Key, Server]]]:
    """Return the servers of each pool that have a fixed place, with it."""
    return [
        [(where, server) for server in pool.servers if (where := fixed_place(server)) is not None]
        for pool in config.pools
    ]


def _by_place(servers: Iterable[tuple[Key, Server]]) -> dict[Key, list[Server]]:
    found: dict[Key, list[Server]] = {}
    for where, server in servers:
        if server.enabled:
            found.setdefault(where, []).append(server)
    return found


def server_duplicate(config: Config, context: Context) -> Iterator[Hit]:
    """P04: two lines of one role for the same address, reached in the same way."""
    for pool, servers in zip(config.pools, context.once(config, located), strict=True):
        yield from _ignored(pool)
        if len({where for where, _ in servers}) == len(servers):
            continue
        for lines in _by_place(servers).values():
            for alike in _alike(lines) if len(lines) > 1 else ():
                if not any(map(twice, alike)):
                    yield _repeated(pool, alike, config.dialect, context)


def _ignored(pool: Pool) -> Iterator[Hit]:
    """Yield the servers that the proxy ignores because an earlier one has their address (Envoy's EDS)."""
    repeated = pool.options.get("repeated")
    for first, server in repeated.value if repeated is not None else ():
        if twice(server):
            continue
        args = {
            "server": server.name,
            "pool": pool.name,
            "address": server.address.text,
            "lines": "2 lines",
            "first": first.span.line,
            "effect": "Envoy keeps the first one alone, and ignores what this one says of weight, priority and health",
            "weight": first.weight.value + server.weight.value,
        }
        related = [Related(first.span, "the same address")]
        yield Hit("P04", server.span, args, related=related, pool=pool.name, server=server.name)


def _alike(lines: Sequence[Server]) -> Iterator[list[Server]]:
    """Yield the groups of two and more lines that differ in nothing that a connection shows."""
    groups: dict[tuple[object, ...], list[Server]] = {}
    for server in lines:
        options = tuple(
            sorted(
                (name, str(setting.value)) for name, setting in server.options.items() if name not in _NOT_CONNECTION
            )
        )
        tls = None if server.tls is None else server.tls.value
        groups.setdefault((server.role, tls, _probed(server), options), []).append(server)
    return (group for group in groups.values() if len(group) > 1)


def _probed(server: Server) -> tuple[object, ...]:
    """Return where the health check of a server goes instead of to the server itself."""
    check = server.check
    if check is None:
        return ()
    return (check.port and check.port.value, check.address and check.address.value)


def _repeated(pool: Pool, lines: Sequence[Server], dialect: str, context: Context) -> Hit:
    first, second = lines[0], lines[1]
    weight = sum(server.weight.value for server in lines)
    args = {
        "server": second.name,
        "pool": pool.name,
        "address": second.address.text,
        "lines": counted(len(lines), "line"),
        "first": first.span.line,
        "effect": _effect(pool, lines, dialect, context),
        "weight": weight,
    }
    edits = [set_weight(first, dialect, weight), *(whole_lines(server.span) for server in lines[1:])]
    return Hit(
        "P04",
        second.span,
        args,
        related=[Related(server.span, "the same address") for server in (first, *lines[2:_RELATED])],
        fix=unsafe("keep one line with the summed weight", edits),
        pool=pool.name,
        server=second.name,
    )


def _effect(pool: Pool, lines: Sequence[Server], dialect: str, context: Context) -> str:
    """Say what the repeated lines do to the traffic."""
    shares = context.shares(pool, dialect).servers
    if shares is None or not lines[0].serving:
        return "its limits and health count once for each line"
    those = {id(server) for server in lines}
    whole = sum(share for server, share in zip(pool.servers, shares, strict=True) if id(server) in those)
    return f"it gets {percent(whole)} of the traffic, and its limits and health count once for each line"


def primary_and_backup(config: Config, context: Context) -> Iterator[Hit]:
    """P05: a backup at the address of a primary of the same pool."""
    for pool, servers in zip(config.pools, context.once(config, located), strict=True):
        if not pool.backups:
            continue
        primaries = _by_place((where, server) for where, server in servers if not server.backup)
        for where, backup in servers:
            found = primaries.get(where) if backup.backup and backup.enabled else None
            if found is None or twice(backup):
                continue
            address, primary = backup.address.text, found[0].name
            same = (
                "is one of its primaries, too" if primary == address else f"is its primary {primary} again ({address})"
            )
            args = {"server": backup.name, "pool": pool.name, "same": same}
            related = [Related(found[0].span, "the primary at the same address")]
            yield Hit("P05", backup.span, args, related=related, pool=pool.name, server=backup.name)


def server_port_outlier(config: Config, context: Context) -> Iterator[Hit]:
    """P16: all primaries but one, each on a host of its own, listen on one port, and the odd one looks mistyped."""
    del context
    for pool in config.pools:
        members = [server for server in pool.primaries if server.enabled]
        if pool.open or len(members) < 3:
            continue
        odd, common = _odd_port(members)
        if odd is None or canary(odd, pool):
            continue
        args = {
            "server": odd.name,
            "pool": pool.name,
            "port": odd.address.port,
            "common": common,
            "others": counted(len(members) - 1, "other server"),
        }
        written = odd.address.text
        host, colon, port = written.rpartition(":")
        right = f"{host}:{common}" if colon and port == str(odd.address.port) else f"{written}:{common}"
        fix = unsafe(f"port {common}, as the others have", [replace_word(odd.span, written, right)])
        yield Hit("P16", odd.span, args, fix=fix, pool=pool.name, server=odd.name)


def _odd_port(members: Sequence[Server]) -> tuple[Server | None, int]:
    """Return the one server whose port differs from all others', if it looks mistyped, and the others' port."""
    if len({server.address.port for server in members}) != 2:
        return None, 0
    ports: dict[int, list[Server]] = {}
    for server in members:
        port = server.address.port
        if port is None or not server.address.known or server.address.kind == "unix":
            return None, 0
        ports.setdefault(port, []).append(server)
    if len({server.address.host for server in members}) < len(members):
        return None, 0
    (port, few), (common, many) = sorted(ports.items(), key=lambda item: len(item[1]))
    if len(few) != 1 or len(many) < 2 or not _mistyped(port, common):
        return None, 0
    return few[0], common


def _mistyped(port: int, common: int) -> bool:
    """Say whether a port may be a slip of another: at most two characters away, or a service's own port."""
    return port in _WELL_KNOWN or distance(str(port), str(common), 2) <= 2

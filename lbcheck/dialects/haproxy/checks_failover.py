"""Failover that cannot happen, or comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, WARNING, Edit, Fix, Hit, Related
from lbcheck.text import Span, comment_beside
from lbcheck.wording import duration, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

_HASHES = frozenset({"source", "uri", "url_param", "hdr", "hash", "rdp-cookie"})
#: Where one server writes and the others follow, it is right that nobody is sent to another one.
_DATABASE_CHECKS = frozenset({"mysql", "pgsql", "redis", "ldap"})
_DATABASE_PORTS = frozenset({389, 636, 1433, 1521, 3306, 5432, 6379, 6432, 9042, 27017, 26257})
#: Modes in which a pool carries nobody's requests, and whose servers cannot be checked by every means.
_REQUESTS = frozenset({"http", "tcp"})
_MOST = 10
#: On a map, the same hash chooses the server of a redispatched request, until that is marked down (src/lb_map.c).
_ON_A_MAP = "write `hash-type consistent` and `option redispatch 1`: a map-based hash leads them back to the same one"


def backup_never_used(config: Config, _context: Context) -> Iterator[Hit]:
    """F02: a backup serves when all primaries are down, and one never is (src/backend.c, recount_servers).

    A primary of weight 0 does not keep backups waiting (srv_willbe_usable).
    """
    if config.open is not None:
        return  # the defaults of another file may switch the checks on
    for pool in config.pools:
        backups = [server for server in pool.backups if server.enabled]
        if not backups or pool.open or pool.protocol not in _REQUESTS:
            continue
        blind = [server for server in pool.serving if not server.watched]
        if not blind:
            continue
        manual = any("manual" in comment_beside(server.span).lower() for server in backups)
        args = {
            "pool": pool.name,
            "backups": listed([server.name for server in backups]),
            "primaries": listed([server.name for server in blind]),
        }
        yield Hit(
            "F02",
            backups[0].span,
            args,
            severity=INFO if manual else None,
            related=[Related(server.span, "nothing can mark this primary down") for server in blind[:_MOST]],
            fix=Fix("check every primary", [Edit(_behind(server.span), " check") for server in blind]),
            pool=pool.name,
            server=backups[0].name,
        )


def first_backup_only(config: Config, _context: Context) -> Iterator[Hit]:
    """F03: HAProxy uses the first backup that works, the others wait (manual 4.2, `option allbackups`)."""
    if config.open is not None:
        return
    for pool in config.pools:
        backups = [server for server in pool.backups if server.enabled]
        if len(backups) < 2 or "allbackups" in pool.options or pool.open or not pool.primaries:
            continue
        others = [server.name for server in backups[1:]]
        args = {
            "pool": pool.name,
            "first": backups[0].name,
            "others": listed(others),
            "wait": "waits" if len(others) == 1 else "wait",
        }
        yield Hit(
            "F03",
            backups[0].span,
            args,
            severity=WARNING if _too_small(pool, backups[0]) else INFO,
            fix=_insert_line(pool.servers[0].span, "option allbackups"),
            pool=pool.name,
            server=backups[0].name,
        )


def _too_small(pool: Pool, first: Server) -> bool:
    """Say whether the first backup takes fewer connections than the primaries together."""
    limits = [server.max_conns.value for server in pool.primaries if server.max_conns is not None]
    if first.max_conns is None or not first.max_conns.value or len(limits) < len(pool.primaries) or 0 in limits:
        return False
    return first.max_conns.value < sum(limits)


def no_redispatch(config: Config, _context: Context) -> Iterator[Hit]:
    """F05: requests that belong to one server are retried on it alone until a check marks it down.

    One finding for each line that binds them, however many backends inherit it.
    """
    if config.open is not None:
        return
    told = set()
    for pool in config.pools:
        bound = _bound(pool)
        retry = pool.retry
        if bound is None or pool.open or pool.protocol not in _REQUESTS or _database(pool):
            continue
        checked = [server for server in pool.serving if server.checked is not None and server.checked.value]
        if len(checked) < 2 or retry is None or retry.redispatch is None or retry.redispatch.value:
            continue
        what, span = bound
        if span in told:
            continue
        told.add(span)
        led_back = pool.algorithm.name in _HASHES and not pool.algorithm.consistent
        args = {
            "pool": pool.name,
            "bound": what,
            "time": duration(max(map(_detection, checked))),
            "advice": _ON_A_MAP if led_back else "add `option redispatch 1`",
        }
        own = span.source is pool.span.source and pool.span.start < span.start < checked[0].span.start
        fix = _insert_line(span, "option redispatch 1") if own and not led_back else None
        yield Hit("F05", span, args, fix=fix, pool=pool.name)


def _bound(pool: Pool) -> tuple[str, Span] | None:
    """Return what binds a request to one server, and where it is written."""
    found = pool.persistence
    if found is not None and found.kind == "cookie" and pool.protocol == "http":
        if found.dynamic or any(server.cookie for server in pool.servers):
            return f"the cookie {found.name}", found.span
    elif found is not None and found.kind == "stick-table":
        return "a stick table", found.span
    if pool.algorithm.name in _HASHES and pool.algorithm.span is not None:
        return f"`balance {pool.algorithm.name}`", pool.algorithm.span
    return None


def _database(pool: Pool) -> bool:
    if pool.protocol != "tcp":
        return False
    kind = pool.check.kind if pool.check is not None else ""
    return kind in _DATABASE_CHECKS or any(server.address.port in _DATABASE_PORTS for server in pool.serving)


def _detection(server: Server) -> float:
    check = server.check
    if check is None or check.interval is None or check.fall is None:
        return 6.0  # the defaults: 3 checks, 2 s apart
    return check.interval.value * check.fall.value


def first_without_maxconn(config: Config, _context: Context) -> Iterator[Hit]:
    """C02: `balance first` moves on only when a server is full, and one without maxconn never is (src/lb_fas.c).

    One finding for each `balance` line, however many backends inherit it: the gravest, then the first.
    """
    if config.open is not None:
        return
    inherited: dict[Span | None, list[Hit]] = {}
    for pool in config.pools:
        if (hit := _endless(pool)) is not None:
            inherited.setdefault(pool.algorithm.span, []).append(hit)
    for hits in inherited.values():
        worst = min(hits, key=lambda hit: hit.severity is not None)
        others = [hit for hit in hits if hit is not worst]
        worst.related = [Related(hit.span, f"nor has {hit.server} of {hit.pool} one") for hit in others[:_MOST]]
        yield worst


def _endless(pool: Pool) -> Hit | None:
    """Return the finding for the first server that is never full; a warning where no limit is written in TCP mode.

    It may then be meant as an order of failover.
    """
    serving = pool.serving
    if pool.algorithm.name != "first" or len(serving) < 2 or _ordered_by_id(serving):
        return None
    endless = next((server for server in serving[:-1] if not _limited(server)), None)
    if endless is None:
        return None
    idle = [server.name for server in serving[serving.index(endless) + 1 :]]
    args = {
        "pool": pool.name,
        "server": endless.name,
        "idle": listed(idle),
        "get": "gets" if len(idle) == 1 else "get",
    }
    order = pool.protocol == "tcp" and not any(map(_limited, serving))
    return Hit("C02", endless.span, args, severity=WARNING if order else None, pool=pool.name, server=endless.name)


def _limited(server: Server) -> bool:
    """Say whether the server can be full; a limit that a variable holds is taken for one."""
    if server.max_conns is None:
        return "maxconn" in server.span.text.split()
    return server.max_conns.value > 0


def _ordered_by_id(servers: list[Server]) -> bool:
    """Say whether written ids decide the order instead of the lines."""
    return any("id" in server.options for server in servers)


def _behind(span: Span) -> Span:
    return Span(span.source, span.end, span.end)


def _insert_line(before: Span, words: str) -> Fix:
    """Write a line above the one of `before`, indented like it."""
    source = before.source
    start = source.line_start(before.line)
    indent = source.text[start : before.start]
    edit = Edit(Span(source, start, start), f"{indent if not indent.strip() else '    '}{words}\n")
    return Fix(f"write `{words}`", [edit])

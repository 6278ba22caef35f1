"""`maxconn` in front of servers that have one themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.haproxy.doors import Doors
from lbcheck.dialects.haproxy.values import number
from lbcheck.findings import INFO, WARNING, Hit
from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Listener, Pool, Server
    from lbcheck.text import Span


class _Limit(NamedTuple):
    """How many connections may come to a pool at once, who says so, and where."""

    connections: int
    owner: str
    span: Span


def below_servers(config: Config, context: Context) -> Iterator[Hit]:
    """C01: servers may have more connections than are let in. One finding a limit, about its worst pool.

    All servers together only count where their limits were not reached even without the largest one: what is more
    than that is room for its failure.
    """
    doors, whole = context.once(config, Doors), _of_process(config)
    found: dict[Span, tuple[float, Hit]] = {}
    for pool in config.pools if config.open is None else ():
        limit = None if pool.open else _before(list(dict.fromkeys([*doors.of(pool), *doors.computed])), whole)
        verdict = None if limit is None else _judge(pool, limit)
        if limit is not None and verdict is not None and verdict[0] > found.get(limit.span, (0.0,))[0]:
            found[limit.span] = verdict
    for _, hit in found.values():
        yield hit


def _of_process(config: Config) -> Setting[int] | None:
    """Return the `maxconn` of the global section; None where there is none, and the files it may open decide."""
    lines = config.tree.global_lines("maxconn")
    if not lines or 1 in lines[-1].opaque:
        return None
    value = number(lines[-1].word(1))
    return Setting(value, lines[-1].span) if value else None


def _before(doors: Sequence[Frontend], whole: Setting[int] | None) -> _Limit | None:
    """Return the limit of all that lead to a pool; None where one has none, or carries many requests a connection."""
    if not doors or any(_multiplexed(door) for frontend in doors for door in frontend.listeners):
        return None
    own = [door.max_conns for door in doors if door.max_conns is not None and door.max_conns.value > 0]
    together = sum(one.value for one in own) if len(own) == len(doors) else None
    if whole is not None and whole.span is not None and (together is None or whole.value < together):
        return _Limit(whole.value, "the global section", whole.span)
    if together is None or own[0].span is None:
        return None
    more = f" and {len(doors) - 1:,} more" if len(doors) > 1 else ""
    return _Limit(together, f"{doors[0].name}{more}", own[0].span)


def _multiplexed(listener: Listener) -> bool:
    """Say whether one connection may carry many requests: HTTP/2, which newer versions offer on every TLS listener."""
    options = listener.options
    if listener.transport != "tcp" or ("proto" in options and options["proto"].value != "h1"):
        return True
    alpn = options.get("alpn")
    if alpn is not None:
        return "h2" in str(alpn.value)
    return listener.tls


def _judge(pool: Pool, limit: _Limit) -> tuple[float, Hit] | None:
    limits = [(one.max_conns.value, one) for one in pool.enabled if one.max_conns is not None and one.max_conns.value]
    if not limits:
        return None
    most, server = max(limits, key=lambda one: one[0])
    if most > limit.connections:
        what = f"server {server.name} of pool {pool.name} may have {most:,}"
        return most / limit.connections + 1e9, _hit(pool, server, limit, what, WARNING)
    serving = [(value * one.count, value) for value, one in limits if one.serving]
    rest = sum(all_of_it for all_of_it, _ in serving) - max((value for _, value in serving), default=0)
    if len(serving) < len(pool.serving) or rest <= limit.connections:
        return None
    what = f"the servers of pool {pool.name} may have {rest:,} even without the largest"
    return rest / limit.connections, _hit(pool, None, limit, what, INFO)


def _hit(pool: Pool, server: Server | None, limit: _Limit, what: str, severity: str) -> Hit:
    args = {"owner": limit.owner, "limit": f"{limit.connections:,}", "what": what}
    name = None if server is None else server.name
    return Hit("C01", limit.span, args, severity=severity, pool=pool.name, server=name)

"""How nginx takes failing servers out, and whether a request gets a second chance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.nginx.edits import unsafe
from lbcheck.dialects.nginx.passes import Pass, passes, passes_by_pool, upstreams
from lbcheck.dialects.nginx.values import whole
from lbcheck.findings import INFO, WARNING, Edit, Hit, Related
from lbcheck.patterns import pattern
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Pool, Server, Setting
    from lbcheck.text import Span

#: How many other lines of the same fault are shown.
_RELATED = 5
#: Answers that count against a server once proxy_next_upstream names them (`ngx_http_upstream_next`).
_ERRORS = ("http_500", "http_502", "http_503", "http_504")
#: Words of proxy_next_upstream that speak of servers which answer.
_ANSWERS = frozenset(
    {*_ERRORS, "http_403", "http_404", "http_429", "invalid_header", "non_idempotent", "updating", "not_found"}
)
#: Places where a second try does harm, or where nothing is left to try again.
_ONCE = pattern(r"pay|order|checkout|charge|invoice|upload|socket|\bws\b|stream|events|sse", re.IGNORECASE)


def _place(setting: Setting[int] | Setting[float] | None, server: Server) -> Span:
    return setting.span if setting is not None and setting.span is not None else server.span


def _members(pool: Pool) -> list[Server]:
    """Return the servers that take part; nginx never takes a lone one out, whatever its settings."""
    members = pool.enabled
    return members if len(members) > 1 else []


def passive_disabled(config: Config, context: Context) -> Iterator[Hit]:
    """H14: failures of a server are not counted, so each request that picks it while it is dead waits for it."""
    by_pool = passes_by_pool(config, context)
    for pool in config.pools:
        members = _members(pool)
        if any(server.address.loopback for server in members):
            continue
        blind = [server for server in members if _never_out(server)]
        if not blind:
            continue
        first = blind[0]
        uses = by_pool.get(id(pool), [])
        never = first.max_fails is not None and first.max_fails.value == 0
        args = {
            "setting": "max_fails=0" if never else "fail_timeout=0",
            "servers": _servers(blind, members),
            "pool": pool.name,
            "wait": _connect_wait(uses),
        }
        severity = INFO if len(blind) == len(members) and uses and all(map(_fails_fast, uses)) else WARNING
        where = _place(first.max_fails if never else first.fail_timeout, first)
        related = [Related(server.span, "so does this one") for server in blind[1 : 1 + _RELATED]]
        yield Hit("H14", where, args, severity=severity, related=related, pool=pool.name, server=first.name)


def _never_out(server: Server) -> bool:
    fails, timeout = server.max_fails, server.fail_timeout
    return (fails is not None and fails.written and fails.value == 0) or (
        timeout is not None and timeout.written and timeout.value == 0
    )


def _servers(some: Sequence[Server], members: Sequence[Server]) -> str:
    if len(some) == len(members):
        return f"all {len(members):,} servers"
    return f"server {some[0].name}" if len(some) == 1 else f"{len(some):,} of {counted(len(members), 'server')}"


def _connect_wait(uses: Sequence[Pass]) -> str:
    times = [time for one in uses if (time := one.time("connect_timeout", 60.0)) is not None]
    return duration(max(times)) if times else "60 s by default"


def _fails_fast(one: Pass) -> bool:
    """Say whether a dead server costs a request 2 s at most before the next one is tried."""
    time = one.time("connect_timeout", 60.0)
    after = one.setting("next_upstream")
    words = {"error", "timeout"} if after is None else set(after.args)
    return time is not None and time <= 2 and {"error", "timeout"} <= words


def fail_timeout_long(config: Config, context: Context) -> Iterator[Hit]:
    """H24: `fail_timeout` is also how long a server stays out, and nothing looks for its recovery before."""
    limit = context.option("H24", "seconds", 300)
    scopes = context.once(config, upstreams)
    for pool in config.pools:
        members = _members(pool)
        long = [one for one in members if _out_for(one) > limit]
        if not long or (pool.scope or "http", pool.name.lower()) not in scopes:
            continue
        first = long[0]
        args = {"servers": _servers(long, members), "pool": pool.name, "time": duration(_out_for(first))}
        where = _place(first.fail_timeout, first)
        related = [Related(server.span, "so does this one") for server in long[1 : 1 + _RELATED]]
        yield Hit("H24", where, args, related=related, fix=_shorter(long), pool=pool.name, server=first.name)


def _shorter(long: Sequence[Server]) -> Fix | None:
    spans = [_place(one.fail_timeout, one) for one in long]
    if not all(span.text.startswith("fail_timeout=") for span in spans):
        return None
    return unsafe("fail_timeout=30s", *(Edit(span, "fail_timeout=30s") for span in spans))


def _out_for(server: Server) -> float:
    """Return how long the server stays out once it failed, where somebody wrote that; 0 otherwise."""
    timeout, fails = server.fail_timeout, server.max_fails
    if timeout is None or not timeout.written or (fails is not None and fails.value == 0):
        return 0.0
    return timeout.value


def hair_trigger(config: Config, context: Context) -> Iterator[Hit]:
    """H17: one slow or failed answer each takes all servers of a small pool out for `fail_timeout`."""
    by_pool = passes_by_pool(config, context)
    for pool in config.pools:
        members = _members(pool)
        if pool.open or not 2 <= len(members) <= 3 or not all(map(_one_strike, members)):
            continue
        for one in by_pool.get(id(pool), ()):
            found = _counts_soon(one) if one.context == "http" else None
            needed = _requests_that_empty(len(members), _tries(one), last=found.last) if found is not None else None
            if found is None or needed is None:
                continue
            timeouts = [server.fail_timeout.value for server in members if server.fail_timeout is not None]
            args = {
                "pool": pool.name,
                "count": len(members),
                "cause": found.cause,
                "time": duration(min(timeouts, default=10.0)),
                "requests": ("one such request", "two such requests", "three such requests")[needed - 1],
            }
            related = [Related(found.directive.span, "this makes it a failure")]
            yield Hit("H17", pool.span, args, severity=WARNING, related=related, pool=pool.name)
            break


def _one_strike(server: Server) -> bool:
    """Say whether a single failure takes this primary out for five seconds or more."""
    fails, timeout = server.max_fails, server.fail_timeout
    return (
        not server.backup
        and (fails is None or fails.value == 1)
        and (timeout is None or timeout.value >= 5)
        and not server.address.loopback
    )


class _Soon(NamedTuple):
    """An everyday event that counts as a server's failure, and where that is written.

    `last`: it counts on the last server that a request tries, too (`ngx_http_upstream_test_next`: an answer that
    nobody can repeat is passed on, and the server is not blamed for it).
    """

    cause: str
    directive: Directive
    last: bool


def _counts_soon(one: Pass) -> _Soon | None:
    """Return what makes an everyday event a failure of the server here."""
    after = one.setting("next_upstream")
    words = [] if after is None else [word for word in _ERRORS if word in after.args]
    if words and after is not None:
        return _Soon(f"one answer {words[0].removeprefix('http_')}", after, last=False)
    reading = one.setting("read_timeout")
    time = one.time("read_timeout", 60.0)
    if reading is not None and time is not None and 0 < time <= 5 and (after is None or "timeout" in after.args):
        return _Soon(f"one answer slower than {duration(time)}", reading, last=True)
    return None


def _tries(one: Pass) -> int:
    """Return how many servers a request is tried on at most; 0 is all of them."""
    tries = one.setting("next_upstream_tries")
    number = whole(tries.args[0]) if tries is not None and tries.args else None
    return number or 0


def _requests_that_empty(servers: int, tries: int, *, last: bool) -> int | None:
    """Return how many requests that fail everywhere take all servers out, one failure each; None if they never do."""
    tries = min(tries or servers, servers)
    live, requests = servers, 0
    while live:
        # Where fewer servers are left than tries, no answer is the last one, and each server that was met is blamed.
        out = min(tries, live) - (not last and tries <= live)
        if out < 1:
            return None
        live, requests = live - out, requests + 1
    return requests


def backup_with_hash(config: Config, context: Context) -> Iterator[Hit]:
    """F04: `backup` beside hash, ip_hash or random works or is refused by the order of the lines."""
    del context
    for pool in config.pools:
        method = pool.algorithm
        if method.name not in {"hash", "hash_consistent", "ip_hash", "random", "random_two"} or method.span is None:
            continue
        backup = next((server for server in pool.servers if server.backup), None)
        if backup is None:
            continue
        args = {"server": backup.name, "pool": pool.name, "method": method.span.text.split()[0]}
        related = [Related(method.span, "the method that does not support it")]
        yield Hit("F04", backup.span, args, related=related, pool=pool.name, server=backup.name)


def next_upstream_off(config: Config, context: Context) -> Iterator[Hit]:
    """F12: a request whose server fails gets no second try, though there are other servers."""
    said: set[tuple[int, int]] = set()
    for one in context.once(config, passes):
        pool = one.pool
        if pool is None or len(_members(pool)) < 2:
            continue
        directive = _no_second_try(one)
        if directive is None or (id(directive.source), directive.start) in said:
            continue
        said.add((id(directive.source), directive.start))
        args = {
            "what": directive.span.text,
            "pool": pool.name,
            "count": len(_members(pool)),
            "effect": "the client's connection is closed"
            if one.context == "stream"
            else "the client gets the 502 or 504",
        }
        severity = INFO if _meant_once(one) else WARNING
        yield Hit("F12", directive.span, args, severity=severity, pool=pool.name)


def _no_second_try(one: Pass) -> Directive | None:
    """Return what keeps requests from a second try: `off`, one try, or a list without the failures of a dead server.

    What is written replaces the default, `error timeout`.
    """
    after = one.setting("next_upstream")
    if after is not None and (after.args == ["off"] or (after.args and _ANSWERS.issuperset(after.args))):
        return after
    tries = one.setting("next_upstream_tries")
    return tries if tries is not None and tries.args == ["1"] else None


def _meant_once(one: Pass) -> bool:
    """Say whether the place speaks of payments, uploads or long connections."""
    block = one.scope.directive
    upgrade = any(header.args[:1] == ["Upgrade"] for header in one.scope.inherited_all("proxy_set_header"))
    named = block is not None and any(map(_ONCE.search, block.args))
    return upgrade or named or one.family == "grpc"

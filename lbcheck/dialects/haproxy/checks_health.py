"""Health checks that are written and never run, or that ask for something else than the traffic does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.health import CHECK_OPTIONS, check_option
from lbcheck.findings import INFO, WARNING, Edit, Fix, Hit, Related
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Config, HealthCheck, Pool, Server

#: Options of a server that steer its checks and do nothing without `check`.
_STEERING = ("inter", "fastinter", "downinter", "fall", "rise", "observe", "on-error", "on-marked-down", "error-limit")
#: Ports on which a plain status page beside a TLS service is usual.
_PLAIN_PORTS = frozenset({80, 8000, 8008, 8080, 8081, 8888, 9000})
_SENDS_PROXY = ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn")


def backends(config: Config) -> Iterator[tuple[Proxy, Pool]]:
    """Yield each section with servers beside the pool that it became."""
    pools = iter(config.pools)
    for proxy in config.tree.proxies:
        if proxy.is_backend:
            yield proxy, next(pools)


def not_enabled(config: Config, context: Context) -> Iterator[Hit]:
    """H02: a kind of check is chosen, and no server has `check`."""
    del context
    for proxy, pool in backends(config):
        servers = pool.enabled
        if not servers or pool.open or any(server.probed for server in servers):
            continue
        if any("no-check" in line.words for keyword in ("server", "default-server") for line in proxy.lines(keyword)):
            continue
        line = _chosen(proxy)
        if line is not None:
            span, what = line
            args = {"what": what, "pool": pool.name, "count": len(servers)}
            yield Hit("H02", span, args, pool=pool.name, fix=_enable(pool))


def _chosen(proxy: Proxy) -> tuple[Span, str] | None:
    """Return the place where a section itself asks for checks, and in which words."""
    for line in proxy.lines("option"):
        if line.word(1) in CHECK_OPTIONS and not line.modifier:
            return line.span, f"`option {line.word(1)}`"
    for keyword in ("http-check", "tcp-check"):
        for line in proxy.lines(keyword):
            return line.span, f"`{keyword}`"
    for keyword in ("default-server", "server"):
        for line in proxy.lines(keyword):
            word = next((word for word in line.words[1:] if word in _STEERING), None)
            if word is not None:
                return line.span, f"`{word}`"
    return None


def _enable(pool: Pool) -> Fix:
    edits = [Edit(Span(server.span.source, server.span.end, server.span.end), " check") for server in pool.servers]
    return Fix("check every server", edits)


def drops_tls(config: Config, context: Context) -> Iterator[Hit]:
    """H11: the check goes to another port or address, and there without TLS or the PROXY header."""
    del context
    for pool in config.pools:
        elsewhere: dict[object, bool] = {}
        for server in pool.servers:
            check = server.check
            if check is None or "connect" in check.options:
                continue
            alike = check.likeness
            if alike not in elsewhere:
                elsewhere[alike] = check.port is not None or check.address is not None
            if elsewhere[alike]:
                yield from _dropped(pool, server)


def _dropped(pool: Pool, server: Server) -> Iterator[Hit]:
    check = server.check
    if check is None or (check.port is None and check.address is None):
        return
    cause, target = ("port", check.port) if check.port is not None else ("addr", check.address)
    if target is None or target.span is None:
        return
    own = cause == "addr" or target.value == server.address.port
    plain = not own and target.value in _PLAIN_PORTS
    facts = {
        "server": server.name,
        "pool": pool.name,
        "target": f"port {target.value}" if cause == "port" else str(target.value),
        "cause": f"{cause} {target.value}",
    }
    if server.tls is not None and server.tls.value and "check-ssl" not in server.options:
        facts |= {"lost": "TLS", "missing": "check-ssl", "effect": _without_tls(check, own=own)}
        severity = INFO if plain else None if check.talks else WARNING
    elif any(name in server.options for name in _SENDS_PROXY) and "check-send-proxy" not in server.options:
        if plain or not check.talks:
            return  # who only connects needs no header
        effect = "a server that waits for the header refuses it and is marked down"
        facts |= {"lost": "the PROXY header", "missing": "check-send-proxy", "effect": effect}
        severity = None
    else:
        return
    yield Hit("H11", target.span, facts, severity=severity, pool=pool.name, server=server.name)


def _without_tls(check: HealthCheck, *, own: bool) -> str:
    """Say what becomes of a check without TLS; `own`: it goes to the port of the traffic (all seen on 2.6)."""
    if not check.talks:
        return "it only connects, and passes while TLS is broken"
    refused = "a TLS port refuses it and the server is marked down"
    return refused if own else f"{refused}, or it passes while TLS is broken"


def inactive_rules(config: Config, context: Context) -> Iterator[Hit]:
    """H13: rules of a kind of check that is not chosen, or reactions to checks that are not made."""
    del context
    for proxy, pool in backends(config):
        if not any(server.probed for server in pool.servers):
            continue
        chosen = check_option(proxy)
        for keyword, option in (("http-check", "httpchk"), ("tcp-check", "tcp-check")):
            lines = proxy.lines(keyword)
            if lines and (chosen is None or chosen.word(1) != option):
                args = {"what": f"`{keyword} {lines[0].word(1)}`", "pool": pool.name}
                args |= _not_chosen(option, chosen, keyword)
                related = [Related(chosen.span, "this check is made")] if chosen is not None else []
                yield Hit("H13", lines[0].span, args, related=related, pool=pool.name)
        yield from _unwatched(pool)


def _not_chosen(option: str, chosen: Line | None, keyword: str) -> dict[str, str]:
    """Say why rules of a kind of check are not used: of several kinds the last one written is made (seen on 2.6)."""
    if chosen is None:
        return {
            "why": f"`option {option}` is not set",
            "effect": "the check stays a bare TCP connect, which a hung application still answers",
            "fix": f"add `option {option}`, or delete the `{keyword}` rules",
        }
    made = f"`option {chosen.word(1)}`"
    return {
        "why": f"the check that is made is {made}",
        "effect": "a server that fails what the rules ask for stays up",
        "fix": f"keep `option {option}` alone, or {made} without the `{keyword}` rules",
    }


def _unwatched(pool: Pool) -> Iterator[Hit]:
    for server in pool.servers:
        if not server.options:
            continue
        word = next((word for word in ("observe", "on-error", "error-limit") if word in server.options), None)
        if word is None or server.probed:
            continue
        args = {
            "what": f"`{word}` of server {server.name}",
            "pool": pool.name,
            "why": "the server has no `check`",
            "effect": "the errors of the traffic change nothing",
            "fix": f"add `check` to the server, or delete `{word}`",
        }
        yield Hit("H13", server.options[word].span or server.span, args, pool=pool.name, server=server.name)

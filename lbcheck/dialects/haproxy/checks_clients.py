"""Who the client is: behind another proxy, its address is the proxy's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.checks_health import backends
from lbcheck.findings import Hit, Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Config, Pool

#: Keys of a hash that are the address of whoever opened the connection.
_PEER = frozenset({"src"})
_FORWARDED = pattern(r"(?i)\bf?hdr(?:_\w+)?\(\s*x-forwarded-(?:for|proto)\b")
#: Keywords whose samples are tests of a request: an ACL, a condition, what a table is looked up with.
_TESTS = frozenset({"acl", "use_backend", "stick", "redirect"})
_JUDGING = ("deny", "reject", "redirect", "tarpit", "track-sc")
#: An action and words of a bind after which `src` is the client's address again.
_REPLACED = frozenset({"set-src", "accept-proxy", "expect-proxy", "accept-netscaler-cip", "expect-netscaler-cip"})


def hash_source_behind_proxy(config: Config, _context: Context) -> Iterator[Hit]:
    """S05: the client's address is hashed where rules judge requests by what a proxy in front says of them.

    With `accept-proxy` or `set-src` the address is the client's. That a header is there is asked by whoever wants
    to add it, and says nothing.
    """
    tree: Tree = config.tree
    if config.open is not None or tree.templated:
        return
    every = [line for proxy in (*tree.proxies, *tree.defaults) for line in proxy.section.lines]
    if any(word in _REPLACED for line in every for word in line.words):
        return
    fronts = _fronts(config)
    for proxy, pool in backends(config):
        key = pool.algorithm.key
        if (
            key is None
            or key.value not in _PEER
            or pool.algorithm.span is None
            or sum(server.count for server in pool.enabled) < 2
        ):
            continue
        line = next((line for one in (proxy, *fronts.get(id(pool), ())) for line in _tests(one)), None)
        if line is not None:
            yield _behind(pool, line)


def _fronts(config: Config) -> dict[int, list[Proxy]]:
    """Return the frontends from which requests come, by pool."""
    found: dict[int, list[Proxy]] = {}
    for frontend in config.frontends:
        proxy = config.tree.frontends.get(frontend.name)
        for route in frontend.routes if proxy is not None else ():
            for target in route.targets:
                found.setdefault(id(target.pool), []).append(proxy)
    return found


def _tests(proxy: Proxy) -> Iterator[Line]:
    """Yield the lines of a section that judge a request by a forwarded header."""
    for line in proxy.section.lines:
        rules = line.keyword in ("http-request", "tcp-request") and any(map(_judging, line.words[1:3]))
        if not (rules or line.keyword in _TESTS) or "found" in line.words:
            continue
        if _FORWARDED.search(" ".join(line.words)):
            yield line


def _judging(word: str) -> bool:
    return word.startswith(_JUDGING)


def _behind(pool: Pool, line: Line) -> Hit:
    args = {
        "pool": pool.name,
        "method": "balance source" if pool.algorithm.name == "source" else "balance hash src",
        "why": "a proxy in front writes X-Forwarded headers (a rule asks for them)",
        "advice": "take the address from the header with `http-request set-src` in the frontend, or hash a cookie",
    }
    where = pool.algorithm.span or pool.span
    return Hit("S05", where, args, related=[Related(line.span, "what says so")], pool=pool.name)

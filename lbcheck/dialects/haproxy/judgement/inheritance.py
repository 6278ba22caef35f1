"""Which sections may inherit rules from a `defaults` section (src/cfgparse-listen.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import hit
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.findings import Hit

_RULES = ("http-request", "http-response", "http-after-response")


def inheritance(tree: Tree) -> Iterator[Hit]:
    """Yield the sections that cannot take the rules of the defaults section they inherit from.

    Such a section may serve frontends or backends, not both, no `listen` and no other `defaults`.
    """
    kinds: dict[int, str] = {}
    for proxy in (*tree.defaults, *tree.proxies):
        base = proxy.base
        if base is None or not _has_rules(base) or proxy.section.head.branch or base.section.head.branch:
            continue
        problem = _problem(proxy, base, kinds.setdefault(id(base), proxy.kind))
        if problem:
            related = [Related(base.span, "the defaults section with rules")]
            advice = "take the rules out of it, or inherit from another one with 'from'"
            yield hit("E14", proxy.span, problem, advice, proxy=proxy, related=related)


def _has_rules(base: Proxy) -> bool:
    if any(base.lines(keyword) for keyword in _RULES):
        return True
    return any(line.word(1) != "inspect-delay" for word in ("tcp-request", "tcp-response") for line in base.lines(word))


def _problem(proxy: Proxy, base: Proxy, first: str) -> str:
    name = f"'defaults {base.name}'" if base.name else "the defaults section above"
    if proxy.kind in ("defaults", "listen"):
        return f"a '{proxy.kind}' section cannot inherit from {name}, which has rules"
    if proxy.kind != first and first in ("frontend", "backend"):
        return f"{name} has rules, so it cannot serve both frontends and backends"
    if proxy.kind == "backend" and any(line.word(1) in ("connection", "session") for line in base.lines("tcp-request")):
        return f"{name} has 'tcp-request connection' or 'session' rules, which a backend cannot inherit"
    if proxy.kind == "frontend" and any(line.word(1) == "content" for line in base.lines("tcp-response")):
        return f"{name} has 'tcp-response content' rules, which a frontend cannot inherit"
    return ""

"""Connections to servers that are kept open, and what closes them all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import before, indent, unsafe
from lbcheck.dialects.nginx.passes import passes_by_pool, upstreams
from lbcheck.findings import Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.passes import Pass
    from lbcheck.findings import Edit
    from lbcheck.model import Config

#: From this version on connections are kept by default: HTTP/1.1, and no `Connection: close` (nginx CHANGES, 1.29.7).
_KEPT_BY_DEFAULT = (1, 29, 7)
_HTTP = "proxy_http_version 1.1;"
_HEADER = 'proxy_set_header Connection "";'


def keepalive_ineffective(config: Config, context: Context) -> Iterator[Hit]:
    """C07: `keepalive` keeps connections, but what is sent over them asks the server to close each."""
    if context.before("nginx", _KEPT_BY_DEFAULT) is False or config.open:
        return
    scopes = context.once(config, upstreams)
    by_pool = context.once(config, passes_by_pool)
    for pool in config.pools:
        scope = scopes.get((pool.scope or "http", pool.name.lower()))
        keepalive = scope.find("keepalive") if scope is not None else None
        uses = [one for one in by_pool.get(id(pool), ()) if one.family == "proxy" and one.context == "http"]
        closing = [(one, lacks) for one in uses if (lacks := _lacks(one))]
        if keepalive is None or not closing:
            continue
        wanted = [text for text in (_HTTP, _HEADER) if any(text in lacks for _, lacks in closing)]
        args = {
            "pool": pool.name,
            "keepalive": keepalive.span.text,
            "where": "its proxy_pass lacks" if len(uses) == 1 else f"{len(closing)} of its {len(uses)} proxy_pass lack",
            "lacks": listed([f"`{text}`" for text in wanted]),
        }
        related = [Related(one.directive.span, f"here without {' and '.join(lacks)}") for one, lacks in closing[:5]]
        edits = [edit for one, lacks in closing for edit in _edits(one, lacks)]
        fix = unsafe("keep the connections", *edits) if edits else None
        yield Hit("C07", keepalive.span, args, related=related, fix=fix, pool=pool.name)


def _lacks(one: Pass) -> list[str]:
    """Return the directives that are missing here for the connection to stay open."""
    version = one.scope.inherited("proxy_http_version")
    if version is not None and version.args[:1] == ["2"]:
        return []
    headers = one.scope.inherited_all("proxy_set_header")
    kept = any(
        header.args[0].lower() == "connection" and header.args[-1].lower() != "close"
        for header in headers
        if len(header.args) == 2
    )
    lacks = [] if version is not None and version.args[:1] != ["1.0"] else [_HTTP]
    return lacks if kept else [*lacks, _HEADER]


def _edits(one: Pass, lacks: list[str]) -> list[Edit]:
    """Write what is missing, unless a first proxy_set_header here would drop those that are inherited."""
    inherited = one.scope.inherited_all("proxy_set_header")
    if _HEADER in lacks and inherited and not one.scope.all("proxy_set_header"):
        return []
    blank = indent(one.directive)
    return [before(one.directive, (" " if blank is None else f"\n{blank}").join(lacks))]

"""Connections to servers that are kept open, and what closes them all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.nginx.edits import before, indent, unsafe
from lbcheck.dialects.nginx.passes import passes_by_pool, root, upstreams
from lbcheck.findings import Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.passes import Pass
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Edit
    from lbcheck.model import Config, Pool

#: From this version on connections are kept by default: HTTP/1.1, and no `Connection: close` (nginx CHANGES, 1.29.7).
_KEPT_BY_DEFAULT = (1, 29, 7)
_HTTP = "proxy_http_version 1.1;"
_HEADER = 'proxy_set_header Connection "";'
#: More places than this are not listed with one finding.
_RELATED = 5


class _Idle(NamedTuple):
    """A pool whose `keepalive` keeps nothing for the passes in `closing`, each with the directives that it lacks."""

    pool: Pool
    keepalive: Directive
    closing: list[tuple[Pass, list[str]]]
    uses: int

    @property
    def lacks(self) -> tuple[str, ...]:
        return tuple(text for text in (_HTTP, _HEADER) if any(text in lacks for _, lacks in self.closing))


def keepalive_ineffective(config: Config, context: Context) -> Iterator[Hit]:
    """C07: `keepalive` keeps connections, but what is sent over them asks the server to close each.

    Pools that lack the same in the same place, be it an included file or nowhere at all, are one finding.
    """
    main = root(config)
    if context.before("nginx", _KEPT_BY_DEFAULT) is False or config.open or main is None:
        return
    if not main.holding("keepalive"):
        return
    scopes = context.once(config, upstreams)
    by_pool = passes_by_pool(config, context)
    causes: dict[object, list[_Idle]] = {}
    for pool in config.pools:
        scope = scopes.get((pool.scope or "http", pool.name.lower()))
        keepalive = scope.find("keepalive") if scope is not None else None
        uses = [one for one in by_pool.get(id(pool), ()) if one.family == "proxy" and one.context == "http"]
        closing = [(one, lacks) for one in uses if (lacks := _lacks(one))]
        if keepalive is not None and closing:
            idle = _Idle(pool, keepalive, closing, len(uses))
            whole = len(closing) == len(uses)
            headers = tuple(sorted({_headers_place(one) for one, _ in closing}))
            causes.setdefault((idle.lacks, headers) if whole else id(pool), []).append(idle)
    for alike in causes.values():
        yield _ineffective(alike)


def _headers_place(one: Pass) -> tuple[str, int]:
    """Return where the request headers that hold here begin to be written: one place may serve many locations."""
    headers = one.scope.inherited_all("proxy_set_header")
    return (headers[0].source.path, headers[0].start) if headers else ("", 0)


def _ineffective(alike: list[_Idle]) -> Hit:
    first = alike[0]
    closing = [entry for idle in alike for entry in idle.closing]
    args = {
        "keepalive": first.keepalive.span.text if len(alike) == 1 else "keepalive",
        "pools": listed([idle.pool.name for idle in alike]),
        "noun": "pool" if len(alike) == 1 else "the pools",
        "lacks": listed([f"`{text}`" for text in first.lacks]),
        **_where(len(closing), sum(idle.uses for idle in alike), len(alike)),
    }
    related = [Related(idle.keepalive.span, f"and this, of pool {idle.pool.name}") for idle in alike[1:_RELATED]]
    related += [Related(one.directive.span, f"here without {' and '.join(lacks)}") for one, lacks in closing[:_RELATED]]
    edits = [edit for one, lacks in closing for edit in _edits(one, lacks)]
    fix = unsafe("keep the connections", *edits) if edits else None
    return Hit("C07", first.keepalive.span, args, related=related, fix=fix, pool=first.pool.name)


def _where(closing: int, uses: int, pools: int) -> dict[str, str]:
    """Return how the message says which proxy_pass lack something: `closing` of `uses`."""
    if closing < uses:
        who = "it lacks" if closing == 1 else "they lack"
        return {"part": f" behind {closing:,} of its {uses:,} proxy_pass", "who": who, "there": " there"}
    if uses == 1:
        return {"part": "", "who": "its proxy_pass lacks", "there": ""}
    return {"part": "", "who": f"all {uses:,} proxy_pass to {'it' if pools == 1 else 'them'} lack", "there": ""}


def _lacks(one: Pass) -> list[str]:
    """Return the directives that are missing here for the connection to stay open."""
    version = one.scope.inherited("proxy_http_version")
    if version is not None and version.args[:1] == ["2"]:
        return []
    headers = one.scope.inherited_all("proxy_set_header")
    values = [
        header.args[1].lower() for header in headers if len(header.args) == 2 and header.args[0].lower() == "connection"
    ]
    if "keep-alive" in values:  # which is how HTTP/1.0 asks for it (ngx_http_upstream_module manual, `keepalive`)
        return []
    kept = any(value != "close" for value in values)
    lacks = [] if version is not None and version.args[:1] != ["1.0"] else [_HTTP]
    return lacks if kept else [*lacks, _HEADER]


def _edits(one: Pass, lacks: list[str]) -> list[Edit]:
    """Write what is missing, unless a first proxy_set_header here would drop those that are inherited."""
    inherited = one.scope.inherited_all("proxy_set_header")
    if _HEADER in lacks and inherited and not one.scope.all("proxy_set_header"):
        return []
    blank = indent(one.directive)
    return [before(one.directive, (" " if blank is None else f"\n{blank}").join(lacks))]

"""What people declare about their machines beside the config: capacities in comments and settings, addresses of names.

A comment `# lbcheck: capacity=200` at the end of a server's line, or alone on the line above, says how many requests
a second the server can take. In the settings `[[capacity]]` says it for all servers that match, `[[demand]]` how many
requests a frontend gets at its peak, `[[zone]]` where servers lie, and `[hosts]` how many addresses a host name has.
What stands nearer to the server wins: the comment, then the dialect's own word (native `capacity`), then the settings.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lbcheck.findings import Hit
from lbcheck.model import Setting
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Source, Span
    from lbcheck.traffic.scenario import Capacity, Demand, Zone

M = TypeVar("M", "Capacity", "Zone")

#: Only nginx makes a server of each address (ngx_http_upstream_init_round_robin()); HAProxy keeps the first one.
_ONE_SERVER_EACH = frozenset({"nginx"})
_COMMENT = pattern(r"#[ \t]*lbcheck:[ \t]*capacity\b[ \t]*(?P<value>[^\r\n]*)")
_NUMBER = pattern(r"=[ \t]*(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?)(?:[ \t]|$)")


class Declarations(NamedTuple):
    """What the settings declare; see `traffic.scenario`. `hosts` says how many addresses a host name has."""

    capacities: Sequence[Capacity] = ()
    demands: Sequence[Demand] = ()
    zones: Sequence[Zone] = ()
    hosts: Mapping[str, int] = {}


def declare(config: Config, declarations: Declarations = Declarations()) -> None:  # noqa: B008 - it is immutable
    """Fill in each server's `capacity`, `zone` and `count`, and each pool's `demand`, from comments and settings.

    To be called once, before the checks. A malformed comment becomes a hit (E15).
    """
    beside = dict(_comments(config))
    if beside or declarations.capacities or declarations.zones or declarations.hosts:
        for pool in config.pools:
            for server in pool.servers:
                _machine(config, pool, server, beside, declarations)
    if declarations.demands:
        from lbcheck.traffic.flow import pool_demands

        known = pool_demands(config, declarations.demands)
        for pool in config.pools:
            if id(pool) in known:
                pool.options = {**pool.options, "demand": Setting(known[id(pool)])}


def _machine(
    config: Config,
    pool: Pool,
    server: Server,
    beside: Mapping[tuple[int, int], Setting[float]],
    declarations: Declarations,
) -> None:
    if server.capacity is None and (limit := _matching(pool, server, declarations.capacities)) is not None:
        server.capacity = Setting(limit.limit)
    if beside:
        server.capacity = beside.get((id(server.span.source), server.span.line), server.capacity)
    if server.zone is None and (zone := _matching(pool, server, declarations.zones)) is not None:
        server.zone = Setting(zone.name)
    if declarations.hosts and config.dialect in _ONE_SERVER_EACH and server.address.kind == "name":
        server.count *= declarations.hosts.get((server.address.host or "").lower(), 1)


def _comments(config: Config) -> Iterator[tuple[tuple[int, int], Setting[float]]]:
    """Yield (source, line that a comment speaks about) → the capacity in it."""
    for source in {id(source): source for source in config.files}.values():
        if "capacity" not in source.text:
            continue
        for match in _COMMENT.finditer(source.text):
            span = source.span(match.start(), match.end())
            number = _NUMBER.match(match["value"])
            if number is None or not float(number["number"]):
                config.hits.append(_malformed(span, match["value"]))
            else:
                yield (id(source), _subject(source, match.start())), Setting(float(number["number"]), span)


def _malformed(span: Span, value: str) -> Hit:
    shown = value.lstrip("= \t").partition(" ")[0]
    problem = (
        f'"{shown}" is no capacity above zero, so the comment does nothing' if shown else "capacity names no number"
    )
    return Hit("E15", span, {"problem": problem, "advice": "write `# lbcheck: capacity=200`, in requests per second"})


def _subject(source: Source, offset: int) -> int:
    """Return the line that a comment speaks about: its own, or the next one without a comment if it stands alone."""
    line = source.position(offset)[0]
    if source.line(line)[: offset - source.line_start(line)].strip():
        return line
    line += 1
    while source.line(line).lstrip().startswith("#"):
        line += 1
    return line


def _matching(pool: Pool, server: Server, declared: Sequence[M]) -> M | None:
    """Return the first declaration whose pattern fits the server's name, its address or "pool/server"."""
    if not declared:
        return None
    names = (server.name, server.address.text, f"{pool.name}/{server.name}", f"{pool.name}/{server.address.text}")
    return next((one for one in declared if any(fnmatchcase(name, one.match) for name in names)), None)

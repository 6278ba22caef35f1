"""What people declare about their machines beside the config: capacities in comments and settings, addresses of names.

A comment `# lbcheck: capacity=200` at the end of a server's line, or alone on the line above, says how many requests
a second the server can take. In the settings `[[capacity]]` says it for all servers that match, `[[demand]]` how many
requests a frontend gets at its peak, `[[zone]]` where servers lie, and `[hosts]` how many addresses a host name has.
What stands nearer to the server wins: the comment, then the dialect's own word (native `capacity`), then the settings.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lbcheck.findings import Hit, NotChecked
from lbcheck.model import Setting, one_server_each
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.model import Config, Pool, Server
    from lbcheck.text import Source, Span
    from lbcheck.traffic.scenario import Capacity, Demand, Zone

#: Which entry of the settings matched: its table, and its place in it or the host name.
Key = tuple[str, int | str]
#: Among the keys where a config was not read in full, so that more may match than is known.
UNSURE: Key = ("unsure", 0)

M = TypeVar("M", "Capacity", "Zone")

#: The findings after which not all of a config is known.
_UNREAD = frozenset({"E00", "E01", "E02", "E03", "E04", "E05"})
#: What makes a shell pattern of a name.
_WILD = frozenset("*?[")
_COMMENT = pattern(r"#[ \t]*lbcheck:[ \t]*capacity\b[ \t]*(?P<value>[^\r\n]*)")
_NUMBER = pattern(r"=[ \t]*(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?)(?:[ \t]|$)")


class Declarations(NamedTuple):
    """What the settings declare; see `traffic.scenario`. `hosts` says how many addresses a host name has.

    `complete` are the scopes of the world (Kubernetes namespaces) of which all objects are scanned, "*" all of them.
    """

    capacities: Sequence[Capacity] = ()
    demands: Sequence[Demand] = ()
    zones: Sequence[Zone] = ()
    hosts: Mapping[str, int] = {}
    complete: frozenset[str] = frozenset()


class _Matcher(Generic[M]):
    """Finds the first declaration of a server, and remembers which ones fit any.

    Most entries name one server; those are found by name, so that 10,000 entries for 10,000 servers stay cheap.
    """

    __slots__ = ("_declared", "_fitting", "_names", "_patterns")

    def __init__(self, declared: Sequence[M]) -> None:
        self._declared: Sequence[M] = declared
        self._names: dict[str, list[int]] = {}
        self._patterns: list[tuple[int, str]] = []
        self._fitting: set[int] = set()
        for at, one in enumerate(declared):
            if _WILD.isdisjoint(one.match):
                self._names.setdefault(one.match, []).append(at)
            else:
                self._patterns.append((at, one.match))

    def first(self, pool: Pool, server: Server) -> M | None:
        """Return the first declaration whose pattern fits the server's name, its address or "pool/server"."""
        if not self._declared:
            return None
        names = (server.name, server.address.text, f"{pool.name}/{server.name}", f"{pool.name}/{server.address.text}")
        found = [at for name in names for at in self._names.get(name, ())]
        self._fitting.update(found)
        best = min(found, default=len(self._declared))
        for at, match in self._patterns:
            if (at < best or at not in self._fitting) and any(fnmatchcase(name, match) for name in names):
                self._fitting.add(at)
                best = min(best, at)
        return self._declared[best] if best < len(self._declared) else None

    def fitting(self, entry: str) -> set[Key]:
        """Return the keys of those that fit a server."""
        return {(entry, at) for at in self._fitting}


def declare(config: Config, declarations: Declarations = Declarations()) -> set[Key]:  # noqa: B008 - it is immutable
    """Fill in each server's `capacity`, `zone` and `count`, and each pool's `demand`, from comments and settings.

    To be called once, before the checks. A malformed comment becomes a hit (E15), a demand of which nobody can say
    which pool it reaches a place that was not checked. Return which declarations match something.
    """
    if config.world is not None:
        config.world.complete = declarations.complete
    beside = dict(_comments(config))
    matched = _machines(config, beside, declarations)
    if declarations.demands:
        config.settle()  # what a target does not pass on is no demand on its pool
        matched |= _demand(config, declarations.demands)
    if config.open is not None or not config.dialect or any(hit.code in _UNREAD for hit in config.hits):
        matched.add(UNSURE)
    return matched


def _machines(config: Config, beside: Mapping[tuple[int, int], Setting[float]], declarations: Declarations) -> set[Key]:
    if not (beside or declarations.capacities or declarations.zones or declarations.hosts):
        return set()
    matched: set[Key] = set()
    limits, zones = _Matcher(declarations.capacities), _Matcher(declarations.zones)
    for pool in config.pools:
        for server in pool.servers:
            limit, zone = limits.first(pool, server), zones.first(pool, server)
            if server.capacity is None and limit is not None:
                server.capacity = Setting(limit.limit)
            if beside:
                server.capacity = beside.get((id(server.span.source), server.span.line), server.capacity)
            if server.zone is None and zone is not None:
                server.zone = Setting(zone.name)
            host = (server.address.host or "").lower()
            if server.address.kind == "name" and host in declarations.hosts:
                matched.add(("hosts", host))
                if one_server_each(pool, config.dialect):
                    server.addresses = declarations.hosts[host]
                    server.count *= server.addresses
    return matched | limits.fitting("capacity") | zones.fitting("zone")


def _demand(config: Config, demands: Sequence[Demand]) -> set[Key]:
    from lbcheck.traffic import flow

    known = flow.pool_demands(config, demands)
    for pool in config.pools:
        if id(pool) in known:
            pool.options = {**pool.options, "demand": Setting(known[id(pool)])}
    matched: set[Key] = set()
    for frontend in config.frontends:
        undealt = flow.undealt(frontend, demands)
        if undealt is not None:
            config.unmodelled.append(NotChecked(frontend.span, undealt))
        for at, demand in enumerate(demands):
            if flow.names(frontend, demand):
                matched.add(("frontend", at))
                if demand.route is None or any(fnmatchcase(route.label, demand.route) for route in frontend.routes):
                    matched.add(("demand", at))
    return matched


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

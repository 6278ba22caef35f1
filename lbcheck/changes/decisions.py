"""Whether two configs, of whatever dialects, send every request to the same place.

Routes are not compared as they are written: one balancer has a rule where another has two, in another order of
precedence. Instead both configs are asked about one request of each kind that either of them tells apart.
For host names and for paths that are compared as a whole or by how they begin, a few requests are all kinds there are:
which tests hold for a path depends only on the longest of the written paths with which it begins, on whether it is
that path, and on whether a slash comes next. With anything else (regular expressions, headers, …) nothing is known.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.model import Condition

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from lbcheck.model import Config, Frontend, Listener, Route

#: So many questions are asked at most; beyond them nothing is known.
_BUDGET = 1_000_000
#: Stands for whatever nobody wrote: no config holds it.
OTHER = "\ue000"
#: Options of nginx's `listen` that make a server block also serve the names that no block has.
DEFAULT = frozenset({"default_server", "default"})
_PATH_TESTS = frozenset({"exact", "prefix", "path_prefix"})
#: Where requests arrive: protocol, transport, whether TLS, host and port.
Door = tuple[str, str, bool, str, int]


class UndecidedError(Exception):
    """Where requests go depends on more than their host and path, or is not known."""


class Difference(NamedTuple):
    """A request that goes elsewhere, with what `Decisions.of` says of it in both configs."""

    door: Door
    host: str
    path: str
    before: Hashable
    after: Hashable


class _Entry(NamedTuple):
    """One alternative of a route: the host names and the path tests that must hold, and where it leads."""

    conditions: tuple[Condition, ...]
    leads_to: Hashable


class _Way(NamedTuple):
    """A frontend: the names it answers for (none: all), and what it tries, in the order in which the first wins."""

    hosts: frozenset[str]
    entries: Sequence[_Entry]


def same_decisions(old: Config, new: Config, same: Mapping[int, Hashable]) -> bool | None:
    """Say whether every request goes to the same pool in both configs; None where that is not known.

    `same` gives for the id of a pool what is the same of its counterpart.
    """
    try:
        return not any(True for _ in differences(old, new, same))
    except UndecidedError:
        return None


def differences(old: Config, new: Config, same: Mapping[int, Hashable]) -> Iterator[Difference]:
    """Yield one request of each kind that goes elsewhere now. Raises UndecidedError where that is not known."""
    before, after = Decisions(old, same), Decisions(new, same)
    hosts = [*sorted(before.hosts | after.hosts), OTHER]
    paths = sorted(_kinds(before.paths | after.paths))
    doors = sorted(before.doors.keys() | after.doors.keys())
    if len(doors) * len(hosts) * len(paths) * max(before.size, after.size, 1) > _BUDGET:
        raise UndecidedError
    for door, host, path in product(doors, hosts, paths):
        was, now = before.of(door, host, path), after.of(door, host, path)
        if was != now:
            yield Difference(door, host, path, was, now)


def _kinds(written: Iterable[str]) -> set[str]:
    """Return paths of every kind that tests against the written ones tell apart."""
    beginnings = {"/", *(path for path in written if path.startswith("/"))}
    return {path + more for path in beginnings for more in ("", OTHER, f"/{OTHER}")}


class Decisions:
    """What one config does with a request, and which hosts and paths it mentions.

    `same` as in `same_decisions`. Raises UndecidedError, as `of` does.
    """

    __slots__ = ("_dialect", "_same", "doors", "hosts", "paths")

    def __init__(self, config: Config, same: Mapping[int, Hashable]) -> None:
        self._dialect = config.dialect
        self._same = same
        self.hosts: set[str] = set()
        self.paths: set[str] = set()
        self.doors: dict[Door, list[_Way]] = defaultdict(list)
        for frontend in config.frontends:
            self._add(frontend)

    @property
    def size(self) -> int:
        """How many alternatives there are."""
        return sum(len(way.entries) for ways in self.doors.values() for way in ways)

    def _add(self, frontend: Frontend) -> None:
        if frontend.branch:
            raise UndecidedError
        way = _Way(frozenset(map(_plain_host, frontend.hosts)), list(self._entries(frontend)))
        self.hosts |= way.hosts
        if not frontend.listeners:
            raise UndecidedError
        for listener in frontend.listeners:
            ways = self.doors[_door(frontend, listener)]
            if "no connections" in frontend.options:
                continue
            if self._dialect == "nginx":
                _put(ways, way, default=not ways or not DEFAULT.isdisjoint(listener.options))
            else:
                ways.append(way)

    def _entries(self, frontend: Frontend) -> Iterator[_Entry]:
        """Yield what a frontend tries, in the order in which the first that matches wins."""
        routes = as_run(frontend.routes, self._dialect)
        found = [
            _Entry(alternative, self._leads_to(route)) for route in routes for alternative in map(tuple, route.match)
        ]
        for entry in found:
            for condition in entry.conditions:
                self._note(condition)
        if frontend.order == "first":
            yield from found
            return
        if frontend.order == "nginx":
            found += _redirects(routes)
        yield from sorted(found, key=_precedence)

    def _note(self, condition: Condition) -> None:
        if condition.field == "host" and condition.op == "exact":
            self.hosts |= {_plain_host(value) for value in condition.values}
        elif condition.field == "path" and condition.op in _PATH_TESTS and not condition.ignore_case:
            self.paths |= condition.values | {value.rstrip("/") for value in condition.values}
        else:
            raise UndecidedError

    def _leads_to(self, route: Route) -> Hashable:
        """Return the pools of a route with their shares; None where the proxy answers by itself, or no pool does."""
        if route.outcome == "answer" or (route.outcome == "pools" and not route.targets):
            return None
        if route.outcome != "pools" or not route.targets:
            raise UndecidedError
        found = set()
        for target in route.targets:
            share = 1.0 if len(route.targets) == 1 and target.share is None else target.share
            if target.pool is None or share is None or target.unserved is not None:
                raise UndecidedError
            found.add((self._same.get(id(target.pool), id(target.pool)), share))
        return frozenset(found)

    def of(self, door: Door, host: str, path: str) -> Hashable:
        """Return where a request goes, as pairs of a pool's `same` and its share; None where it reaches no pool."""
        ways = self.doors.get(door, [])
        found = [way for way in ways if host in way.hosts] or [way for way in ways if not way.hosts]
        if len(found) > 1 and self._dialect != "nginx":
            raise UndecidedError
        entries = found[0].entries if found else ()
        return next((one.leads_to for one in entries if all(_holds(each, host, path) for each in one.conditions)), None)


def as_run(routes: Sequence[Route], dialect: str) -> Sequence[Route]:
    """Return routes as they are run: HAProxy's rules that answer all come before those that choose a backend."""
    return sorted(routes, key=lambda route: route.outcome != "answer") if dialect == "haproxy" else routes


def _put(ways: list[_Way], way: _Way, *, default: bool) -> None:
    """Add a server block of nginx: the first, or the one that says so, also serves the names that no block has."""
    if default:
        ways[:] = [way._replace(hosts=frozenset()), *(one for one in ways if one.hosts)]
    if way.hosts:
        ways.append(way)


def _door(frontend: Frontend, listener: Listener) -> Door:
    where = listener.address
    if not where.known or where.host is None or where.port is None or listener.port_end is not None:
        raise UndecidedError
    return (frontend.protocol, listener.transport, listener.tls, where.host.lower(), where.port)


def _plain_host(name: str) -> str:
    """Return a host name in lower case. Raises UndecidedError where it is a pattern."""
    if "*" in name or name.startswith(("~", ".")) or "$" in name:
        raise UndecidedError
    return name.lower()


def _holds(condition: Condition, host: str, path: str) -> bool:
    if condition.field == "host":
        found = host in {value.lower() for value in condition.values}
    elif condition.op == "exact":
        found = path in condition.values
    elif condition.op == "prefix":
        found = path.startswith(tuple(condition.values))
    else:
        found = any(f"{path}/".startswith(value.rstrip("/") + "/") for value in condition.values)
    return found != condition.negated


def _redirects(routes: Sequence[Route]) -> list[_Entry]:
    """Return what nginx answers by itself: /api where a proxied location /api/ is, and none for /api.

    Source: auto_redirect in ngx_http_core_find_static_location().
    """
    values = {
        value[:-1]
        for route in routes
        for alternative in route.match
        for one in alternative
        if "pass" in route.options and one.op == "prefix"
        for value in one.values
        if len(value) > 1 and value.endswith("/")
    }
    written = {value for route in routes for alternative in route.match for one in alternative for value in one.values}
    return [_Entry((Condition("path", "exact", [value]),), None) for value in sorted(values - written)]


def _precedence(entry: _Entry) -> tuple[bool, bool, int]:
    """Order as nginx's locations and Gateway API's matches win: a named host, the whole path, the longest beginning.

    Sources: ngx_http_core_find_static_location(); HTTPRouteRule.matches of the Gateway API.
    """
    paths = [one for one in entry.conditions if one.field == "path"]
    if len(paths) > 1 or any(one.negated or len(one.values) != 1 for one in paths):
        raise UndecidedError
    exact = any(one.op == "exact" for one in paths)
    length = max((_length(value, one.op) for one in paths for value in one.values), default=0)
    return (not any(one.field == "host" for one in entry.conditions), not exact, -length)


def _length(value: str, op: str) -> int:
    """Return how long a beginning is; a last slash does not count where whole path elements are compared."""
    return len(value.rstrip("/") if op == "path_prefix" else value)

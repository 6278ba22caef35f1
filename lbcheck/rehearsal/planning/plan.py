"""From a config to a script: which stubs stand for its servers, and which requests reach each of its pools."""

from __future__ import annotations

import ipaddress
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.planning.cycles import ordered, whole_cycle
from lbcheck.rehearsal.planning.healthy import healthy
from lbcheck.rehearsal.planning.identities import identities, verified
from lbcheck.rehearsal.planning.keys import keyed, varied
from lbcheck.rehearsal.planning.reaching import drawing, leading_to, passed_on, plainly, shared, starved
from lbcheck.rehearsal.planning.splits import Split
from lbcheck.rehearsal.play.script import Load, Stub
from lbcheck.rehearsal.play.stubs import ANSWERED_CHECKS
from lbcheck.rehearsal.preparing.samples import samples
from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.rehearsal.proxies.varying import SOURCE
from lbcheck.traffic.algorithms import shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lbcheck.model import Address, Config, Frontend, Listener, Pool, Route, Server

#: Names that do not exist get addresses of the range for benchmarks (RFC 2544).
_FIRST_NAME = (198 << 24) + (18 << 16) + 1
#: Requests for a pool whose algorithm keeps a strict order, one that hashes, one that draws.
_ORDERED, _HASHED, _DRAWN = 240, 500, 3000
_MOST = 20_000
#: So much more is asked where a pool is drawn out of several, for it may be drawn less often than it should.
_MARGIN = 1.2
#: Requests with several under way at once.
_TOGETHER = 240
_STARVED = "routes before those that lead to it take every request"
_STUB_PROTOCOLS = frozenset({"http", "tcp"})


class Target(NamedTuple):
    """One pool of the rehearsal: the stub that stands for each of its servers, and the loads that may reach it.

    `reason` says why it is not rehearsed; then there are no loads. `checks` are the stubs on the servers' own machines
    that answer their health checks at another port, by the server's place. `verified`: the proxy looks at their
    certificates. `altered` is where the config may change what it hashes. `called` is what the proxy calls each server
    that is down, `split` the pools among which its route draws, where it is one of several. `plain`: what its routes
    ask of requests is plain words, so that those of its loads surely meet it.
    """

    pool: Pool
    stubs: tuple[int | None, ...]
    loads: tuple[int, ...]
    reason: str | None = None
    checks: Mapping[int, int] = {}
    verified: bool = False
    altered: str | None = None
    called: tuple[str, ...] = ()
    split: Split | None = None
    plain: bool = False

    @property
    def doubled(self) -> bool:
        """Whether one stub stands for several of its servers: then nobody can tell whose an answer is."""
        known = [stub for stub in self.stubs if stub is not None]
        return len(set(known)) < len(known)

    def down(self, names: Iterable[str], lost: Iterable[int] = ()) -> list[str]:
        """Return which of its servers, but for those `lost`, are among those that the proxy calls down."""
        taken = set(names)
        gone = set(lost)
        return [
            server.name
            for place, (server, called) in enumerate(zip(self.pool.servers, self.called, strict=False))
            if place not in gone and called in taken
        ]

    def places(self) -> dict[int, int]:
        """Return each stub's place in the pool's servers."""
        return {stub: place for place, stub in reversed(list(enumerate(self.stubs))) if stub is not None}


class Plan:
    """Stubs, loads, names and what is planned for each pool."""

    def __init__(self) -> None:
        self.stubs: list[Stub] = []
        self.loads: list[Load] = []
        self.targets: list[Target] = []
        self.names: dict[str, str] = {}
        #: What servers may have to be called in their certificates, besides these names and the stubs' addresses.
        self.certified: set[str] = set()
        self.ready: set[tuple[str, int]] = set()
        #: Addresses to which some speak TLS and some do not: one stub cannot do both.
        self.clashes: set[str] = set()
        #: What frontends listen at, by id, of which the config does not say so.
        self.listeners: dict[int, list[Listener]] = {}
        self._numbers: dict[tuple[str, int, str], int] = {}

    def listening(self, frontend: Frontend) -> Sequence[Listener]:
        """Return what a frontend listens at in the sandbox."""
        return self.listeners.get(id(frontend), frontend.listeners)

    def address_of(self, host: str) -> str:
        """Return the address that a host name has in the sandbox."""
        if host.lower() == "localhost":
            return "127.0.0.1"
        number = _FIRST_NAME + len(self.names)
        fresh = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
        return self.names.setdefault(host.lower(), fresh)

    def stub(self, stub: Stub) -> int:
        """Return the number of the stub at this address; one is added where there is none."""
        key = (stub.host, stub.port, stub.path)
        if key not in self._numbers:
            self._numbers[key] = len(self.stubs)
            self.stubs.append(stub)
        number = self._numbers[key]
        known = self.stubs[number]
        if known.tls != stub.tls:
            self.clashes.add(stub.address)
        if (known.status, known.text) == (200, ""):
            self.stubs[number] = known._replace(status=stub.status, text=stub.text)
        return number

    def certifiable(self) -> Iterator[str]:
        """Yield the names that somebody may want to see in a certificate."""
        yield from ("localhost", "127.0.0.1", "rehearsal.test", *self.names, *sorted(self.certified))
        yield from (stub.host for stub in self.stubs if stub.host)
        for load in self.loads:
            yield from (value for name, value in load.headers if name == "Host")

    def hosts(self) -> str:
        """Return the sandbox's /etc/hosts."""
        lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        return "\n".join([*lines, *(f"{address} {name}" for name, address in self.names.items())]) + "\n"


def plan(
    config: Config, requests: int | None = None, seconds: float = 10.0, seed: int = 1, made: Plan | None = None
) -> Plan:
    """Plan a rehearsal of normal operation. `requests` for each pool; None is as many as its algorithm needs.

    It is added to what was `made` for another config that shares its sandbox.
    """
    made = made or Plan()
    for frontend in config.frontends:
        for listener in made.listening(frontend):
            place = _listening(made, listener)
            if place is not None and listener.transport == "tcp":
                made.ready.add((place[2] or place[0], place[1]))
    for pool in config.pools:
        made.targets.append(_target(made, config, pool, requests, seconds, seed))
    return made


def _target(made: Plan, config: Config, pool: Pool, requests: int | None, seconds: float, seed: int) -> Target:
    leading = list(leading_to(config, pool))
    proxy = adapter(config.dialect)
    reason = proxy.unfit(pool, leading) or pool.open or _unfit(pool)
    tls = any("tls" in route.options or passed_on(frontend) for frontend, route in leading)
    stubs = tuple(None if reason else _server(made, server, tls=tls) for server in pool.servers)
    if not reason and any(stub is None for stub in stubs):
        reason = (
            "not all of its servers have an address that is known here, and that the proxy itself does not listen at"
        )
    if not reason and any(made.stubs[stub].address in made.clashes for stub in stubs if stub is not None):
        reason = "another pool speaks TLS, or does not, to one of its servers"
    split = None
    if not leading and not reason:
        drawn = [pair for pair in drawing(config, pool) if proxy.draws(config, pair[1])]
        leading = [pair for pair in drawn if not starved(*pair)]
        reason = _STARVED if drawn and not leading else None
        split = _split(made, pool, leading[0][1]) if leading else None
        if leading and not split:
            reason = "not all servers of the pools beside it have an address that is known"
    if reason:
        return Target(pool, stubs, (), reason)
    routes = [route for _, route in leading]
    made.certified.update(identities(pool, routes))
    expect = tuple(stub for stub in stubs if stub is not None) if split is None else split.stubs
    called = tuple(
        proxy.called(pool, server, made.stubs[stub].address)
        for server, stub in zip(pool.servers, stubs, strict=True)
        if stub is not None
    )
    checks = {place: stub for place, one in enumerate(pool.servers) if (stub := _check_stub(made, one)) is not None}
    loads = []
    for frontend, route in leading[: 4 if split is None else 1]:
        for load in _loads(made, config, frontend, route, pool, requests, seconds, seed):
            loads.append(len(made.loads))
            made.loads.append(
                load._replace(
                    expect=expect, requests=_drawn(load.requests, split), together=_drawn(load.together, split)
                )
            )
    reason = None if loads else "no request is known that reaches it"
    altered = next(proxy.altered(config, pool, {frontend.name for frontend, _ in leading}), None)
    place = None if altered is None else f"{altered.path}:{altered.line}"
    return Target(
        pool, stubs, tuple(loads), reason, checks, verified(pool, routes), place, called, split, plainly(routes)
    )


def _unfit(pool: Pool) -> str | None:
    if pool.protocol not in _STUB_PROTOCOLS:
        return f"the stubs do not speak {pool.protocol}"
    kinds = {server.check.kind for server in pool.servers if server.check is not None and server.probed}
    unspoken = kinds - ANSWERED_CHECKS
    if unspoken:
        return f"the stubs do not answer {min(unspoken)} checks"
    return None


def _server(made: Plan, server: Server, *, tls: bool) -> int | None:
    if server.count != 1:
        return None
    tls = tls or (server.tls is not None and server.tls.value)
    where = _place(made, server.address)
    if where is None or where[:2] in made.ready:
        return None  # nobody stands for the proxy's own listener
    check = server.check
    elsewhere = check is None or check.port is not None or check.address is not None
    return made.stub(Stub(*where, tls, *(() if elsewhere or check is None else healthy(check))))


def _check_stub(made: Plan, server: Server) -> int | None:
    """Return the stub that answers a server's checks where they go to another port; it is added."""
    check, home = server.check, _place(made, server.address)
    if check is None or home is None or home[2] or (check.port is None and check.address is None):
        return None
    host = home[0] if check.address is None else check.address.value
    port = home[1] if check.port is None else check.port.value
    if not _is_address(host) or not port:
        return None
    number = made.stub(Stub(host, port, "", check.kind == "tls", *healthy(check)))
    return number if host == home[0] else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _place(made: Plan, address: Address) -> tuple[str, int, str] | None:
    if address.kind == "unix":
        return _socket(address)
    if not address.known or not address.port or not address.host:
        return None
    host = made.address_of(address.host) if address.kind == "name" else address.host.strip("[]")
    return (host, address.port, "")


def _socket(address: Address) -> tuple[str, int, str] | None:
    """Return where a unix socket is among the files; None for one that is not (`abns@`)."""
    path = address.host or ""
    return ("", 0, path) if path.startswith("/") else None


def _listening(made: Plan, listener: Listener) -> tuple[str, int, str] | None:
    """Return where a client finds the listener."""
    address = listener.address
    if address.kind == "unix":
        return _socket(address)
    if address.kind == "opaque" or not address.port:
        return None
    host = (address.host or "").strip("[]")
    if address.kind == "name" and host:
        host = made.address_of(host)
    if host in {"", "*", "0.0.0.0"}:  # noqa: S104 - what the config binds
        host = "127.0.0.1"
    return ("::1" if host == "::" else host, address.port, "")


def _split(made: Plan, pool: Pool, route: Route) -> Split | None:
    """Return the pools among which a route draws, this one first; None where one has a server without a stub."""
    shares_of: dict[int, float] = {id(pool): 0.0}
    pools = {id(pool): pool}
    for one in route.targets:
        if one.pool is not None and one.share:
            pools[id(one.pool)] = one.pool
            shares_of[id(one.pool)] = shares_of.get(id(one.pool), 0.0) + one.share
    parts = []
    for key, share in shares_of.items():
        stubs = [_server(made, server, tls=False) for server in pools[key].servers]
        if pools[key].open is not None or any(stub is None for stub in stubs):
            return None
        parts.append((tuple(stub for stub in stubs if stub is not None), share))
    return Split(tuple(parts))


def _loads(
    made: Plan,
    config: Config,
    frontend: Frontend,
    route: Route,
    pool: Pool,
    requests: int | None,
    seconds: float,
    seed: int,
) -> Iterator[Load]:
    plain = frontend.protocol == "tcp"
    several = shared(route) and not adapter(config.dialect).draws(config, route)
    for listener in made.listening(frontend)[:2]:
        place = _listening(made, listener)
        if place is None or listener.transport != "tcp":
            continue
        asked = samples(frontend, route.match)[:3]
        if several:
            asked += [one for sample in asked for one in adapter(config.dialect).mapped(config, pool.name, sample)]
        for sample in asked:
            vary = "" if sample.source else varied(pool, config.dialect, sample, plain=plain)
            if (several and vary) or (sample.source and (":" in sample.source) != (":" in place[0])):
                continue  # what varies may lead elsewhere
            load = Load(
                pool.name,
                *place,
                tls=listener.tls or passed_on(frontend),
                proxy_protocol="accept-proxy" in listener.options or "proxy_protocol" in listener.options,
                protocol="tcp" if plain else "http",
                method=sample.method,
                path=sample.path,
                headers=sample.headers,
                together=_TOGETHER if ordered(pool, config.dialect) else 0,
                vary=vary,
                requests=min(requests or _enough(pool, config.dialect), _MOST),
                seconds=seconds,
                seed=seed,
                source=sample.source,
                sni=sample.sni,
                shared=several,
            )
            if not (vary or sample.source or several or keyed(pool)):  # clients of many addresses reach no limit of one
                yield load._replace(vary=SOURCE)
            yield load


def _enough(pool: Pool, dialect: str) -> int:
    """Return how many requests show the distribution: whole cycles where there is an order."""
    if ordered(pool, dialect):
        cycle = whole_cycle(shares(pool, dialect).servers or ())
        further = cycle if pool.algorithm.name in adapter(dialect).reshuffled else 0  # before one begins
        return rounded_up(_ORDERED, cycle) + further
    return _DRAWN if pool.algorithm.name.startswith("random") else _HASHED


def _drawn(requests: int, split: Split | None) -> int:
    """Return how many requests a route needs for so many to come to the pool."""
    return requests if split is None else min(_MOST, ceil(requests / split.parts[0][1] * _MARGIN))


def rounded_up(least: int, cycle: int) -> int:
    """Return a number of requests that is whole cycles, two at least."""
    return cycle * max(2, -(-least // cycle))

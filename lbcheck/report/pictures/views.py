"""Pools as pictures show them: worst first, with the words that stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.rows import OVERLOADED, Row, fair_shares, folded, nobody, row
from lbcheck.report.pictures.words import named, percent, plain, sentence, times, told
from lbcheck.traffic.outcome import HOT, IDLE, STARVED, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.traffic.outcome import FrontendTraffic, PoolTraffic, ServerTraffic, Traffic

#: How bad it stands about a pool, from 0.
FINE, IN_DOUBT, UNEVEN, BROKEN = range(4)
#: Shares that differ by less are the same.
_ROUNDING = 1e-9


class PoolView:
    """One pool of a run.

    `at` is its place in `Traffic.pools`, `trouble` one of the numbers above. `reason` says why shares are not known;
    then nothing may be drawn that looks like shares. `asked`: somebody named a server of it that is lost. `orphan`: no
    route leads to it; `unreached`: those that do surely get, or give it, nothing.
    """

    __slots__ = ("asked", "at", "orphan", "pool", "reason", "trouble", "unreached")

    def __init__(
        self, at: int, pool: PoolTraffic, *, orphan: bool = False, unreached: bool = False, asked: bool = False
    ) -> None:
        self.asked = asked
        self.at = at
        self.pool = pool
        self.orphan = orphan
        self.unreached = unreached
        self.reason = unknown_because(pool)
        self.trouble = self._trouble()

    def _trouble(self) -> int:
        if self.answers:
            return FINE
        if self.reason is not None:
            return IN_DOUBT
        if (self.pool.unserved or 0.0) > 0 or self.full or any(_overloaded(self.pool)):
            return BROKEN
        standings = {server.standing for server in self.pool.servers}
        if HOT in standings or STARVED in standings:
            return UNEVEN
        return IN_DOUBT if self.notes else FINE

    @property
    def aside(self) -> str:
        """Why nothing comes to it, in words; "" where something does, or may."""
        return "no route leads here" if self.orphan else "no request gets here" if self.unreached else ""

    @property
    def dead(self) -> str:
        """Why no server is behind it where its servers do not show it; "" where they do, or some are."""
        return told(self.pool.unserved_reason or "")

    @property
    def full(self) -> str:
        """What happens to requests that find all servers full at the stated concurrency; "" where none does."""
        lost = lost_when_busy(self.pool)
        return f"busy, {percent(lost)} of requests find no server" if lost else ""

    @property
    def notes(self) -> list[str]:
        """What its shares suppose; nothing where they are not known anyway."""
        return [] if self.reason is not None else [told(note) for note in self.pool.notes]

    @property
    def misplaced(self) -> float:
        """The part of its requests that would have to move for every server to have its fair share."""
        return _misplaced(self.pool.servers, fair_shares(self.pool.servers))

    @property
    def rank(self) -> tuple[bool, int, int, float, str, int]:
        """What to sort by to have those first that somebody asks about, then the worst."""
        used = 0 if self.aside else 1
        misplaced = self.misplaced if self.trouble > IN_DOUBT else 0.0
        return (not self.asked, -self.trouble * used, -used, -misplaced, self.pool.name, self.at)

    @property
    def answers(self) -> bool:
        """Whether the proxy answers these requests itself: having no server is then no defect."""
        return self.pool.pool.answers and bool(self.pool.unserved)

    @property
    def name(self) -> str:
        """The pool's name."""
        return plain(self.pool.name)

    @property
    def size(self) -> str:
        """How many servers it has, those that a line makes counted one by one."""
        return counted(sum(server.alike for server in self.pool.servers), "server")

    @property
    def estimated(self) -> bool:
        """Whether its shares are simulated or estimated."""
        pool = self.pool
        return pool.reason is None and not pool.exact and (pool.seed is not None or pool.stderr is not None)

    @property
    def method(self) -> str:
        """How it chooses, and how sure the shares are."""
        pool = self.pool
        words = plain(pool.algorithm.replace("_", " "))
        if self.estimated:
            error = "" if pool.stderr is None else f" ± {percent(pool.stderr)}"
            words += f", {'estimated' if pool.seed is None else 'simulated'}{error}"
        return words

    def rows(self, limit: int, *, alike: bool = False) -> list[Row]:
        """Return its lines, in the config's order where they are not folded."""
        servers = self.pool.servers
        pairs = zip(servers, fair_shares(servers), strict=True)
        lines = folded([row(server, fair) for server, fair in pairs], limit, alike=alike)
        if self.pool.unserved:
            lines.insert(0, nobody(self.pool.unserved, answered=self.answers))
        return lines


def unknown_because(pool: PoolTraffic) -> str | None:
    """Return why a pool's shares are not known; None where they are."""
    if pool.reason is not None:
        return told(pool.reason)
    if pool.unserved is None or None in [server.share for server in pool.servers]:
        return "shares not known"
    return None


def leads_nowhere(frontend: FrontendTraffic) -> int:
    """Return how many of a frontend's routes lead to a pool that does not exist."""
    return sum(any(target.missing for target in route.targets) for route in frontend.routes)


def serves_nobody(frontend: FrontendTraffic) -> int:
    """Return how many of a frontend's routes give no request to any pool although some may come."""
    return sum(
        route.outcome == "pools" and route.share != 0 and route.unserved >= 1 - _ROUNDING for route in frontend.routes
    )


def unsettled(frontend: FrontendTraffic) -> int:
    """Return of how many of a frontend's routes nobody knows to which pools requests go, or how many to each."""
    return sum(
        route.share != 0 and (route.outcome == "unknown" or any(target.share is None for target in route.targets))
        for route in frontend.routes
        if route.outcome != "answer"
    )


def all_lead_on(traffic: Traffic) -> bool:
    """Say whether it is known of every route that its requests reach pools, and every pool of a route gets some."""
    astray = any(map(leads_nowhere, traffic.frontends)) or _routes_in_doubt(traffic)
    return not astray and not unreached(traffic.frontends)


def _routes_in_doubt(traffic: Traffic) -> list[str]:
    """Return in words how many routes serve nobody, and of how many it is not known."""
    nobody, unknown = (sum(map(count, traffic.frontends)) for count in (serves_nobody, unsettled))
    words = [f"no pool takes the requests of {counted(nobody, 'route')}"] if nobody else []
    return words + ([f"where the requests of {counted(unknown, 'route')} go is not known"] if unknown else [])


def unreached(frontends: Iterable[FrontendTraffic]) -> set[int]:
    """Return the places of the pools to which routes lead that surely get no request, or send none there.

    None of a config in which nobody knows where some route leads.
    """
    gets: dict[int, bool] = {}
    found = list(frontends)
    open_ended = {one.config for one in found if any(route.outcome == "unknown" for route in one.routes)}
    for frontend in found:
        for route in frontend.routes:
            for target in route.targets:
                if target.at is not None:
                    nothing = 0.0 in (route.share, target.share) and frontend.config not in open_ended
                    gets[target.at] = gets.get(target.at, False) or not nothing
    return {at for at, some in gets.items() if not some}


def lost_when_busy(pool: PoolTraffic) -> float:
    """Return the part of the requests that is served at low load and finds no server at the stated concurrency."""
    lost = (pool.busy_unserved or 0.0) - (pool.unserved or 0.0)
    return lost if lost > _ROUNDING else 0.0


def _misplaced(servers: Sequence[ServerTraffic], fair: Sequence[float | None]) -> float:
    pairs = [
        (server.share, part)
        for server, part in zip(servers, fair, strict=True)
        if server.share is not None and part is not None
    ]
    return sum(abs(share - part) for share, part in pairs) / 2


def tally(pools: Sequence[PoolTraffic]) -> dict[str, int]:
    """Return how many servers look how."""
    numbers = dict.fromkeys((OVERLOADED, HOT, STARVED, UNKNOWN, IDLE), 0)
    for pool in pools:
        for server in pool.servers:
            numbers[server.standing] = numbers.get(server.standing, 0) + server.alike
        for server in _overloaded(pool):
            numbers[server.standing] -= server.alike
            numbers[OVERLOADED] += server.alike
    return numbers


def _overloaded(pool: PoolTraffic) -> list[ServerTraffic]:
    """Return the servers that get more than they were declared to take; only declared demand makes any."""
    return [server for server in pool.servers if server.load is not None and server.overloaded]


def summary(traffic: Traffic) -> str:
    """Return in one line what there is to see: "2 servers get too much, 3 servers starve; 8 pools"."""
    pools = traffic.pools
    numbers = tally(pools)
    parts = []
    astray = sum(map(leads_nowhere, traffic.frontends))
    if astray:
        parts.append(f"{counted(astray, 'route')} {'leads' if astray == 1 else 'lead'} to no pool")
    parts += _routes_in_doubt(traffic)
    idle = 0 if any(map(serves_nobody, traffic.frontends)) else len(unreached(traffic.frontends))
    if idle:
        parts.append(f"{counted(idle, 'pool')} {'gets' if idle == 1 else 'get'} no requests")
    if numbers[OVERLOADED]:
        parts.append(f"{counted(numbers[OVERLOADED], 'server')} overloaded")
    if numbers[HOT]:
        parts.append(f"{counted(numbers[HOT], 'server')} {'gets' if numbers[HOT] == 1 else 'get'} too much")
    if numbers[STARVED]:
        parts.append(f"{counted(numbers[STARVED], 'server')} {'starves' if numbers[STARVED] == 1 else 'starve'}")
    dead = sum(1 for pool in pools if (pool.unserved or lost_when_busy(pool)) and not pool.pool.answers)
    if dead:
        parts.append(f"{counted(dead, 'pool')} {'leaves' if dead == 1 else 'leave'} requests unserved")
    unknown = sum(1 for pool in pools if unknown_because(pool) is not None)
    if unknown:
        parts.append(f"shares of {counted(unknown, 'pool')} not known")
    unsure = sum(1 for pool in pools if pool.notes and unknown_because(pool) is None)
    if unsure:
        parts.append(f"{counted(unsure, 'pool')} {'has' if unsure == 1 else 'have'} a line that is not understood")
    if not parts:
        parts += _evenness(pools)
    return sentence("; ".join([*([", ".join(parts)] if parts else []), counted(len(pools), "pool")]))


def one_each(traffic: Traffic, room: int) -> str:
    """Return which host names count as one server each since nobody said how many addresses they have; "" for none."""
    names = dict.fromkeys(plain(one.name) for pool in traffic.pools for one in pool.servers if one.unresolved)
    if not names:
        return ""
    words = "counts as one server" if len(names) == 1 else "count as one server each"
    return f"{named(list(names), room)} {words}: [hosts] in the settings says how many addresses a name has"


def _evenness(pools: Sequence[PoolTraffic]) -> list[str]:
    """Return how far servers are from their fair shares where none is far enough to be marked."""
    ratios = [
        server.share / part
        for pool in pools
        for server, part in zip(pool.servers, fair_shares(pool.servers), strict=True)
        if server.share is not None and part
    ]
    if not ratios:
        return []
    least, most = times(min(ratios)), times(max(ratios))
    if least == most == times(1.0):
        return ["every server gets its fair share"]
    return [f"servers get {least.removesuffix(' ×')}–{most} a fair share"]

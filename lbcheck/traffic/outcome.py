"""What a traffic run says: the share of each frontend's routes, of each pool's servers, and what a loss does to them.

Shares are fractions. A pool's servers and its `unserved` sum to 1 wherever they are known; None is "not known", never
"none", and the pool's `reason` says why. Loads and capacities have the unit in which they were declared, usually
requests a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.model import Pool
    from lbcheck.results import Note, Unmatched

#: How a server fares beside the others of its pool.
HOT = "hot"
STARVED = "starved"
FAIR = "fair"
IDLE = "idle"
UNKNOWN = "unknown"


class ServerTraffic(NamedTuple):
    """One server as the config names it (`alike` > 1: a line that stands for so many).

    `share` holds at low load, `busy_share` with the scenario's requests in flight. `load` is what it gets of the
    declared demand, `capacity` what it was declared to take. `standing` is HOT, STARVED, FAIR, IDLE (a backup or
    disabled server that gets nothing on purpose) or UNKNOWN. `unresolved`: the proxy makes a server of each address of
    its host name, and nobody said how many there are, so it counts as one.
    """

    name: str
    address: str
    role: str
    weight: int
    enabled: bool
    alike: int
    zone: str | None
    line: int
    share: float | None
    busy_share: float | None = None
    load: float | None = None
    capacity: float | None = None
    standing: str = UNKNOWN
    unresolved: bool = False

    @property
    def overloaded(self) -> bool:
        """Whether its part of the declared demand is more than it was declared to take."""
        return self.load is not None and self.capacity is not None and self.load > self.capacity * self.alike


class Survivor(NamedTuple):
    """A server's part of its pool's requests after a loss was noticed. The lost ones have 0.0.

    `capacity` is that of all servers left that the line stands for.
    """

    name: str
    address: str
    share: float | None
    load: float | None = None
    capacity: float | None = None


class Loss(NamedTuple):
    """What losing `names` does to their pool: one server (and `alike` - 1 others that would be the same), or a zone.

    `lost` is how people name it. `detection_s` is the longest time in seconds until the proxy takes the lost server
    out, None where it never notices or nobody knows; `detection` says in words how, or why not. `failed_share` is the
    part of the pool's requests that fail until then; `delay_s` how long a request waits that meets the lost server and
    is saved by another. `servers` are the shares after that time, all of the pool in order; where they cannot be known
    they are None with a `reason`. Where the proxy `never` notices, they are the shares that last, and `unserved` is
    what fails for good. `backups`: backup servers take over. `failed_requests`: where failed requests alone take the
    lost server out, and at once, so many fail until then, one after the other (of each worker process, if they share no
    memory), however many there are; None where a part of all does. `again_s` is the time after which one request tries
    a server again that was taken out so. `places` are those of the lost ones in the pool.
    """

    lost: str
    names: tuple[str, ...]
    alike: int
    kind: str
    detection_s: float | None
    detection: str
    failed_share: float | None
    delay_s: float | None
    unserved: float
    servers: tuple[Survivor, ...]
    backups: bool = False
    exact: bool = True
    stderr: float | None = None
    reason: str | None = None
    failed_requests: int | None = None
    again_s: float | None = None
    never: bool = False
    places: tuple[int, ...] = ()


class PoolTraffic:
    """A pool's shares. `demand` is the declared peak that reaches it, None where nobody declared one.

    `exact` False: simulated (with `seed` and `stderr`), estimated (`stderr` alone), or computed although a line of it
    was not understood. `notes` say what the shares suppose. `reason` says why shares are None. `busy_reason` the same
    for busy shares, `busy_unserved` what no server takes then. `unserved_reason` says why nobody is behind the pool,
    where its own servers do not show it. Losses are computed when somebody asks: there are as
    many as servers, and few readers want them all.
    """

    __slots__ = (
        "_compute",
        "_losses",
        "algorithm",
        "busy_reason",
        "busy_unserved",
        "config",
        "demand",
        "dialect",
        "exact",
        "line",
        "name",
        "notes",
        "open",
        "path",
        "pool",
        "protocol",
        "reason",
        "scope",
        "seed",
        "servers",
        "stderr",
        "unserved",
        "unserved_reason",
    )

    def __init__(
        self,
        pool: Pool,
        *,
        path: str,
        line: int,
        config: str,
        dialect: str,
        servers: tuple[ServerTraffic, ...],
        unserved: float | None,
        exact: bool = True,
        seed: int | None = None,
        stderr: float | None = None,
        reason: str | None = None,
        busy_reason: str | None = None,
        busy_unserved: float | None = None,
        demand: float | None = None,
        notes: Sequence[str] = (),
        unserved_reason: str | None = None,
        losses: Callable[[], Sequence[Loss]] = list,
    ) -> None:
        self.pool = pool
        self.path = path
        self.line = line
        self.config = config
        self.dialect = dialect
        self.name = pool.name
        self.scope = pool.scope
        self.protocol = pool.protocol
        self.algorithm = pool.algorithm.name
        self.open = pool.open is not None and pool.deserted is None
        self.servers = servers
        self.unserved = unserved
        self.exact = exact
        self.seed = seed
        self.stderr = stderr
        self.reason = reason
        self.busy_reason = busy_reason
        self.busy_unserved = busy_unserved
        self.demand = demand
        self.notes = notes
        self.unserved_reason = unserved_reason
        self._compute = losses
        self._losses: Sequence[Loss] | None = None

    @property
    def losses(self) -> Sequence[Loss]:
        """Every loss of the scenario, computed once."""
        if self._losses is None:
            self._losses = self._compute()
        return self._losses

    def __repr__(self) -> str:
        return f"PoolTraffic({self.name!r})"


class TargetTraffic(NamedTuple):
    """A pool that a route sends to, with the part of the route's requests that it gets.

    `at` is the pool's place in `Traffic.pools`; None where no pool of that name is known, or none gets anything through
    this target, with the `reason`. `unserved` is the part of what it gets that nobody serves: 1.0 where it is certain
    that it comes to no pool, None where that part is not known. A `reason` beside a pool says why it may not get there.
    """

    pool: str
    at: int | None
    share: float | None
    unserved: float | None = None
    reason: str | None = None

    @property
    def missing(self) -> bool:
        """Whether it is certain that what it gets comes to no pool."""
        return self.at is None and self.unserved == 1.0

    @property
    def doubtful(self) -> bool:
        """Whether nobody knows if its pool gets anything through it."""
        return self.at is not None and self.reason is not None


class RouteTraffic(NamedTuple):
    """One route: what it matches as people name it, and its part of the frontend's requests (None: not known).

    `outcome` is the model's: "pools", "answer" (the proxy answers itself) or "unknown", with the `reason`.
    `unserved` is the part of the route's requests that no target takes.
    """

    match: str
    line: int
    share: float | None
    outcome: str
    targets: tuple[TargetTraffic, ...]
    unserved: float = 0.0
    reason: str | None = None


class FrontendTraffic(NamedTuple):
    """Where requests arrive.

    `unserved` is the part that nobody serves: no route takes it, or no pool, or in the pool no server. None where the
    routes' shares, or what becomes of requests behind them, are not known.
    """

    path: str
    line: int
    config: str
    dialect: str
    name: str
    listeners: tuple[str, ...]
    hosts: tuple[str, ...]
    routes: tuple[RouteTraffic, ...]
    unserved: float | None
    demand: float | None = None


class Traffic:
    """A whole run: every frontend and pool of every config, and what was not understood.

    `in_flight` is the scenario's, None where busy shares were not asked for. `chosen`: the losses are those of
    servers and zones that somebody named, not each server's in turn. `unmatched` are the entries of the settings that
    no config had a use for.
    """

    __slots__ = ("chosen", "configs", "frontends", "in_flight", "not_checked", "pools", "unmatched")

    def __init__(
        self,
        frontends: Sequence[FrontendTraffic] = (),
        pools: Sequence[PoolTraffic] = (),
        not_checked: Sequence[Note] = (),
        configs: int = 0,
        in_flight: int | None = None,
        *,
        chosen: bool = False,
    ) -> None:
        self.chosen = chosen
        self.frontends = list(frontends)
        self.pools = list(pools)
        self.not_checked = list(not_checked)
        self.configs = configs
        self.in_flight = in_flight
        self.unmatched: list[Unmatched] = []

    def add(self, other: Traffic) -> None:
        """Take in another config's part; its targets' places move behind the pools that are here already."""
        shift = len(self.pools)
        self.frontends += [_shifted(frontend, shift) for frontend in other.frontends] if shift else other.frontends
        self.pools += other.pools
        self.not_checked += other.not_checked
        self.configs += other.configs


def loses(pool: str, name: str, address: str, wanted: str) -> bool:
    """Say whether `wanted` (a server's name, its address or "pool/server") means this server."""
    return wanted in (name, address, f"{pool}/{name}", f"{pool}/{address}")


def loses_zone(zone: str | None, wanted: str) -> bool:
    """Say whether a server's zone is the wanted one."""
    return zone is not None and zone == wanted


def _shifted(frontend: FrontendTraffic, by: int) -> FrontendTraffic:
    routes = tuple(
        route._replace(
            targets=tuple(
                target if target.at is None else target._replace(at=target.at + by) for target in route.targets
            )
        )
        for route in frontend.routes
    )
    return frontend._replace(routes=routes)

"""One pool after a loss: who gets what, what fails until then, how long the others' requests wait."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from lbcheck.redaction import without
from lbcheck.traffic.algorithms import Shares, balancer
from lbcheck.traffic.detection import Neighbours, Notice, Rescue, notice, rescue
from lbcheck.traffic.outcome import Loss, Survivor
from lbcheck.traffic.scenario import HANGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.model import Pool, Route, Server, Setting
    from lbcheck.traffic.scenario import Scenario

#: `Survivor._make` without its detour through Python: a pool of n servers has n x n survivors.
_survivor: Callable[[Iterable[Any]], Survivor] = partial(tuple.__new__, Survivor)


class Aftermath:
    """What all losses of one pool have in common. `normal` are its shares without a loss."""

    __slots__ = (
        "_addresses",
        "_backups",
        "_balancer",
        "_capacities",
        "_demand",
        "_notice_for",
        "_noticed",
        "_places",
        "_pool",
        "_rescue",
        "_taking",
        "kind",
        "names",
        "normal",
    )

    def __init__(
        self,
        pool: Pool,
        dialect: str,
        scenario: Scenario,
        routes: Sequence[Route],
        neighbours: Neighbours | None,
        demand: float | None,
    ) -> None:
        servers = pool.servers
        around = neighbours or Neighbours([pool])
        self.kind = scenario.kind
        self.names = [without(server.name, []) for server in servers]
        self._addresses = [without(server.address.text, []) for server in servers]
        self._capacities = [_capacity(server, server.count) for server in servers]
        self._demand = demand
        self._pool = pool
        self._places = list(accumulate((server.count for server in servers), initial=0))
        self._backups = [at for at, server in enumerate(servers) if server.backup]
        self._balancer = balancer(pool, dialect, scenario.exact_points)
        self.normal = self._balancer if isinstance(self._balancer, Shares) else self._balancer.shares()
        self._rescue = rescue(pool, self.kind, dialect, routes)
        self._notice_for: Callable[[Server], Notice] = lambda server: notice(
            pool, server, scenario.kind, dialect, routes, around
        )
        self._taking = sum(server.count for server in servers if _takes(server))
        self._noticed: dict[tuple[object, ...], Notice] = {}

    @property
    def interchangeable(self) -> bool:
        """Whether alike servers are the same to the algorithm, as far as it is known."""
        return isinstance(self._balancer, Shares) or self.normal.servers is None or self._balancer.interchangeable

    def likeness(self, at: int) -> tuple[object, ...]:
        """Return what two servers must have in common to be alike."""
        server = self._pool.servers[at]
        limits = (_value(server.max_conns), _value(server.capacity))
        return (server.weight.value, server.role, *limits, self._notice(server))

    def busiest_survivor(self, at: int) -> tuple[float, float]:
        """Return how bad the loss of a line's first server is: what nobody serves, and the most that one has to."""
        after = self._shares({at: 1})
        return (after.unserved, max(after.servers or (0.0,)))

    def loss(self, lost: str, counts: Mapping[int, int], alike: int = 1) -> Loss:
        """Return the loss of so many servers of the lines at these places of the pool, together."""
        servers = self._pool.servers
        notices = [self._notice(servers[at]) for at in counts]
        noticed = max(notices, key=lambda one: (one.never, one.seconds is None, one.seconds or 0.0))
        failed = self._failed_share(counts)
        how = f"{noticed.how}; {self._rescue.how}"
        if failed and self._rescue.others:
            how += ", unless that is lost too (estimated)"
        after = self._for_good(counts, failed) if noticed.never else self._shares(counts)
        return Loss(
            lost,
            tuple(self.names[at] for at in counts),
            alike,
            self.kind,
            noticed.seconds,
            how,
            failed,
            _delay(self._rescue, sum(counts.values())),
            after.unserved,
            self._survivors(after, counts),
            self._backups_come_in(after),
            after.exact and after.servers is not None and self._pool.unsure is None,
            after.stderr,
            after.reason,
            failed_requests=self._failed_requests(counts, notices) if failed else None,
            again_s=min((one.again for one in notices if one.again is not None), default=None),
            never=noticed.never,
            places=tuple(counts),
        )

    def _failed_requests(self, counts: Mapping[int, int], notices: Sequence[Notice]) -> int | None:
        """Return how many requests fail until the lost servers are out, where their failures take them out at once.

        Of one that hangs nobody knows until the first connection has timed out. Where no server is left, all fail.
        """
        fails = [one.fails for one in notices if one.fails is not None]
        if self.kind == HANGS or len(fails) < len(notices) or not self._others_left(counts):
            return None
        return sum(number * count for number, count in zip(fails, counts.values(), strict=True))

    def _others_left(self, counts: Mapping[int, int]) -> bool:
        servers = self._pool.servers
        return self._taking > sum(count for at, count in counts.items() if _takes(servers[at]))

    def _notice(self, server: Server) -> Notice:
        key = _noticed_by(server)
        found = self._noticed.get(key)
        if found is None:
            found = self._noticed[key] = self._notice_for(server)
        return found

    def _shares(self, counts: Mapping[int, int]) -> Shares:
        if isinstance(self._balancer, Shares):
            return self._balancer
        return self._balancer.shares({self._places[at] + one for at, count in counts.items() for one in range(count)})

    def _failed_share(self, counts: Mapping[int, int]) -> float | None:
        """Return which part of the requests fails until the proxy notices."""
        shares, servers = self.normal.servers, self._pool.servers
        if shares is None:
            return 0.0 if self._rescue.others and sum(counts.values()) == 1 else None
        parts = [shares[at] / servers[at].count for at, count in counts.items() for _ in range(count)]
        return _failed(parts, self._rescue, others_left=self._others_left(counts))

    def _for_good(self, counts: Mapping[int, int], failed: float | None) -> Shares:
        """Return the shares where nobody ever notices.

        What the lost one gets fails, and the others' shares stay. Where it is tried on the others instead, they get
        what they would get without the lost one.
        """
        normal = self.normal
        if normal.servers is None or failed == 0:
            return self._shares(counts)
        left = list(normal.servers)
        for at, count in counts.items():
            left[at] *= 1 - count / self._pool.servers[at].count
        met = sum(normal.servers) - sum(left)
        if failed is None or failed < met * (1 - 1e-9):
            return Shares(None, reason=f"nobody takes it out, and not all is known of its requests: {self._rescue.how}")
        return Shares(left, unserved=normal.unserved + met, exact=normal.exact, stderr=normal.stderr)

    def _survivors(self, after: Shares, counts: Mapping[int, int]) -> tuple[Survivor, ...]:
        count = len(self.names)
        shares: Sequence[float | None] = [None] * count if after.servers is None else after.servers
        loads: Sequence[float | None] = [None] * count
        if self._demand is not None and after.servers is not None:
            demand = self._demand
            loads = [share * demand for share in after.servers]
        capacities = self._capacities
        for at, gone in counts.items():
            if capacities[at] is not None:
                server = self._pool.servers[at]
                capacities = [*capacities[:at], _capacity(server, server.count - gone), *capacities[at + 1 :]]
        columns = zip(self.names, self._addresses, shares, loads, capacities, strict=True)
        return tuple(map(_survivor, columns))

    def _backups_come_in(self, after: Shares) -> bool:
        if after.servers is None or self.normal.servers is None:
            return False
        return any(after.servers[at] > self.normal.servers[at] for at in self._backups)


def _failed(parts: Sequence[float], saving: Rescue, *, others_left: bool) -> float | None:
    """Return how many requests fail of those that meet one of several lost servers, which get these parts of all.

    A request that goes on may meet another lost one. Its next server is then taken to be one of the others by their
    parts: true of random choice, and of turns that many requests take at once.
    """
    met = sum(parts)
    others = saving.others
    if not met or others == 0 or not others_left:
        return met
    if others is None:
        return None
    if len(parts) == 1 or (not saving.repeats and others >= len(parts)):
        return 0.0
    if not saving.repeats and others > 1:
        return None
    fails = [1.0] * len(parts)
    for _ in range(int(others)):
        total = sum(part * fail for part, fail in zip(parts, fails, strict=True))
        fails = [
            (total - part * fail) / (1 - part) if part < 1 else 1.0 for part, fail in zip(parts, fails, strict=True)
        ]
    return sum(part * fail for part, fail in zip(parts, fails, strict=True))


def _delay(saving: Rescue, lost: int) -> float | None:
    """Return how long a request waits at most that meets lost servers before the one that saves it."""
    if not saving.others or saving.delay is None or saving.again is None:
        return None
    further = saving.others - 1 if saving.repeats else min(saving.others, lost) - 1
    return saving.delay + (saving.again * further if lost > 1 else 0.0)


def _takes(server: Server) -> bool:
    return server.enabled and server.weight.value > 0


def _value(setting: Setting[Any] | None) -> Any:
    return None if setting is None else setting.value


def _capacity(server: Server, count: int) -> float | None:
    return None if server.capacity is None else server.capacity.value * count


#: Options of a HAProxy server that decide how it is noticed.
_OPTIONS = ("agent-check", "observe", "error-limit", "on-error")


def _noticed_by(server: Server) -> tuple[object, ...]:
    """Return all that decides how a proxy notices a server's loss."""
    check, options = server.check, server.options
    key: tuple[object, ...] = (
        _value(server.checked),
        server.passive,
        _value(server.tracks),
        _value(server.max_fails),
        _value(server.fail_timeout),
    )
    if options:
        key += tuple(_value(options.get(name)) for name in _OPTIONS)
    if check is None:
        return key
    moved = (server.address.host, server.address.port) if check.port or check.address or check.options else ()
    return (
        *key,
        check.kind,
        _value(check.interval),
        _value(check.fast_interval),
        _value(check.timeout),
        _value(check.fall),
        _value(check.port),
        _value(check.address),
        _value(check.expect),
        id(check.options) if check.options else 0,
        moved,
    )

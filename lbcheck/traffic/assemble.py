"""One config under a scenario: shares of every route, pool and server, put together for the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import one_server_each
from lbcheck.redaction import without
from lbcheck.traffic import flow
from lbcheck.traffic.algorithms import Shares, shares
from lbcheck.traffic.arrival import arriving
from lbcheck.traffic.outcome import PoolTraffic, ServerTraffic, Traffic
from lbcheck.traffic.standing import stand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Config, Pool, Route, Server
    from lbcheck.traffic.detection import Neighbours
    from lbcheck.traffic.outcome import Loss
    from lbcheck.traffic.scenario import Scenario

#: Said of every pool of a config that the proxy would refuse.
BROKEN = "the config has errors, so the proxy would not load it"


def traffic(config: Config, scenario: Scenario, *, broken: bool = False) -> Traffic:
    """Return where the config's requests go. `broken`: its errors make every share unknown."""
    config.settle()
    demands = flow.pool_demands(config, scenario.demands)
    losing = _Losing(config, scenario)
    pools = [_pool(pool, config, scenario, demands.get(id(pool)), losing, broken=broken) for pool in config.pools]
    return Traffic(
        arriving(config, pools, scenario), pools, configs=int(not config.unread), in_flight=scenario.in_flight
    )


class _Losing:
    """What the losses of all pools of a config have in common; looked for when somebody asks for a loss."""

    __slots__ = ("_config", "_neighbours", "_routes", "_scenario")

    def __init__(self, config: Config, scenario: Scenario) -> None:
        self._config = config
        self._scenario = scenario
        self._neighbours: Neighbours | None = None
        self._routes: dict[int, list[Route]] = {}

    def of(self, pool: Pool, demand: float | None) -> Sequence[Loss]:
        """Return the losses of one pool."""
        from lbcheck.traffic.detection import Neighbours
        from lbcheck.traffic.losses import losses

        if self._neighbours is None:
            self._neighbours = Neighbours(self._config.pools)
            self._routes = _routes_by_pool(self._config)
        routes = self._routes.get(id(pool), ())
        return losses(pool, self._config.dialect, self._scenario, routes, neighbours=self._neighbours, demand=demand)


def _routes_by_pool(config: Config) -> dict[int, list[Route]]:
    found: dict[int, list[Route]] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is not None:
                    found.setdefault(id(target.pool), []).append(route)
    return found


def _pool(
    pool: Pool,
    config: Config,
    scenario: Scenario,
    demand: float | None,
    losing: _Losing,
    *,
    broken: bool,
) -> PoolTraffic:
    dialect = config.dialect
    quiet = Shares(None, reason=BROKEN) if broken else shares(pool, dialect, scenario.exact_points)
    busy = None if broken else _busy(pool, dialect, scenario)
    servers = _servers(pool, quiet, busy, demand, names=one_server_each(pool, dialect))
    span = pool.span
    return PoolTraffic(
        pool,
        path=span.path,
        line=span.line,
        config=config.path,
        dialect=dialect,
        servers=stand(servers, pool.algorithm.name),
        unserved=None if quiet.servers is None else quiet.unserved,
        exact=quiet.exact and quiet.servers is not None and pool.unsure is None,
        seed=quiet.seed if busy is None or busy.seed is None else busy.seed,
        stderr=quiet.stderr,
        reason=quiet.reason,
        busy_reason=None if busy is None else busy.reason,
        busy_unserved=None if busy is None or busy.servers is None else busy.unserved,
        demand=demand,
        notes=_notes(pool),
        unserved_reason=None if broken or pool.deserted is None else without(pool.deserted, []),
        losses=list if broken else lambda: losing.of(pool, demand),
    )


def _notes(pool: Pool) -> list[str]:
    """Return what a pool's shares suppose."""
    if pool.unsure is None:
        return []
    return [f"{without(pool.unsure, [])} is not understood: what is said of this pool holds if it does not matter"]


def _busy(pool: Pool, dialect: str, scenario: Scenario) -> Shares | None:
    """Return the shares with the scenario's requests in flight, None where nobody asks for them."""
    if scenario.in_flight is None:
        return None
    from lbcheck.traffic.busy import busy_shares

    return busy_shares(pool, dialect, scenario.in_flight, scenario.seed, scenario.exact_points)


def _servers(
    pool: Pool, quiet: Shares, busy: Shares | None, demand: float | None, *, names: bool
) -> list[ServerTraffic]:
    unknown: list[float | None] = [None] * len(pool.servers)
    few = unknown if quiet.servers is None else quiet.servers
    many = unknown if busy is None or busy.servers is None else busy.servers
    return [
        _server(pool, server, share, busy_share, demand, names=names)
        for server, share, busy_share in zip(pool.servers, few, many, strict=True)
    ]


def _server(
    pool: Pool, server: Server, share: float | None, busy_share: float | None, demand: float | None, *, names: bool
) -> ServerTraffic:
    return ServerTraffic(
        without(server.name, []),
        without(server.address.text, []),
        server.role,
        server.weight.value,
        server.enabled and "disabled" not in pool.options,
        server.count,
        server.zone.value if server.zone is not None else None,
        server.span.line,
        share,
        busy_share,
        None if demand is None or share is None else demand * share,
        server.capacity.value if server.capacity is not None else None,
        unresolved=names and server.address.kind == "name" and server.addresses is None,
    )

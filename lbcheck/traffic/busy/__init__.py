"""Shares of a pool's requests when many of them are in flight at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares, balancer
from lbcheck.traffic.busy.limits import UnknownError

if TYPE_CHECKING:
    from lbcheck.model import Pool

#: More requests in flight in one pool are not looked at.
MAX_IN_FLIGHT = 100_000


def busy_shares(pool: Pool, dialect: str, in_flight: int, seed: int, exact_points: int | None = None) -> Shares:
    """Return each server's share of the pool's requests with `in_flight` of them in flight all the time.

    What is supposed is a closed loop: as one request ends the next one arrives, and service times are exponential and
    alike for all servers. So the shares are those of the balancer's choice, not of fast and slow servers. All requests
    come to one process with one state, and keys that are hashed are many, none of them hot. Requests that find all
    servers full wait where the proxy has a queue, never too long for its timeouts, and are unserved where it has none.

    A choice that does not look at load keeps its shares at low load (`algorithms.shares`) unless a server's limit is
    reached. Other shares are exact where servers are alike or all of them are full, and where requests never change
    places (`levels.settled`); elsewhere they come from a simulation of at most 10,000 requests with that `seed`.
    What cannot be known is None with a reason: an open pool's shares, and those past limits that are not known.
    """
    if in_flight > MAX_IN_FLIGHT:
        return Shares(None, reason=f"more than {MAX_IN_FLIGHT:,} requests in flight are not simulated")
    found = balancer(pool, dialect, exact_points)
    if isinstance(found, Shares):
        return found
    if in_flight < 1:
        return found.shares()
    try:
        return _busy(found, in_flight, seed)
    except UnknownError as error:
        return Shares(None, reason=str(error))


def _busy(found: object, in_flight: int, seed: int) -> Shares:
    from lbcheck.traffic.algorithms import envoy, haproxy, native, nginx, traefik

    if isinstance(found, nginx.Upstream):
        from lbcheck.traffic.busy.nginx import busy as of_nginx

        return of_nginx(found, in_flight, seed)
    if isinstance(found, haproxy.Backend):
        from lbcheck.traffic.busy.haproxy import busy as of_haproxy

        return of_haproxy(found, in_flight, seed)
    if isinstance(found, native.Balancer):
        from lbcheck.traffic.busy.native import busy as of_native

        return of_native(found, in_flight, seed)
    if isinstance(found, envoy.Cluster):
        from lbcheck.traffic.busy.envoy import busy as of_envoy

        return of_envoy(found, in_flight)
    if isinstance(found, traefik.Balancer):
        # wrr and hrw do not look at load; p2c does, and so all get the same, idle or not. No server has a limit.
        return found.shares()
    return Shares(None, reason="what its balancer does under load is not emulated")

"""Shares of the servers that serve, and the few statistics that the weight rules need."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Config, Pool, Server
    from lbcheck.traffic.algorithms import Shares

N = TypeVar("N", int, float)

#: Rounding of sums of doubles must not turn exactly four times into more than four times.
ABOVE = 1 + 1e-9


def times(ratio: float) -> str:
    """Write a ratio with two or three digits: "2.5", "0.14", "12", "123"."""
    return f"{ratio:.3g}" if ratio >= 10 else f"{ratio:.2g}"


def lower_median(values: Sequence[N]) -> N:
    """Return the middle value, of two middle ones the smaller: always one of the values themselves."""
    return sorted(values)[(len(values) - 1) // 2]


def choices(config: Config) -> list[tuple[Pool, list[Server]]]:
    """Return the pools whose members are all known and that choose among at least two, with the servers that serve."""
    found = ((pool, pool.serving) for pool in config.pools if not pool.open and len(pool.servers) > 1)
    return [(pool, members) for pool, members in found if len(members) > 1]


def equal_weights(servers: Sequence[Server]) -> bool:
    """Say whether all of the servers (at least one) have the same weight."""
    first = servers[0].weight.value
    return all(server.weight.value == first for server in servers)


def serving_shares(pool: Pool, shares: Shares) -> list[tuple[Server, float]]:
    """Return the serving servers with their shares of the pool's requests; empty where shares are not known.

    A line that stands for several servers is given the share of one of them.
    """
    if shares.servers is None:
        return []
    return [
        (server, share / max(server.count, 1))
        for server, share in zip(pool.servers, shares.servers, strict=True)
        if server.serving
    ]

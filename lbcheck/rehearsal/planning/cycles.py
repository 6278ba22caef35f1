"""Whether a pool's servers take turns, and after how many requests each has had its part."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.table import adapter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lbcheck.model import Pool

#: Shares are rounded doubles of ratios of weights; no sum of weights that anybody writes is larger.
_LARGEST_CYCLE = 1_000_000


def ordered(pool: Pool, dialect: str, lost: Collection[int] = ()) -> bool:
    """Say whether the pool's servers, but for the `lost` ones, are taken in an order, not by a key nor by chance."""
    return adapter(dialect).ordered(pool, lost)


def by_load(pool: Pool, dialect: str) -> bool:
    """Say whether who serves a request depends on what else is under way: by the algorithm, or by a limit."""
    return limited(pool) or adapter(dialect).by_load(pool) or pool.algorithm.balance_factor is not None


def limited(pool: Pool) -> bool:
    """Say whether a server of the pool takes only so many requests at once."""
    return any(server.max_conns is not None and server.max_conns.value > 0 for server in pool.servers)


def whole_cycle(parts: Sequence[float]) -> int:
    """Return after how many requests an order has given each server exactly its part."""
    return lcm(*(Fraction(part).limit_denominator(_LARGEST_CYCLE).denominator for part in parts)) if parts else 1

"""What a traffic run supposes: how busy the pools are, what is lost, and what people declared about their machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How a lost server behaves: it refuses connections at once, lets them hang, or answers every request with a 500.
REFUSES = "refuses"
HANGS = "hangs"
ERRORS = "errors"
KINDS = (REFUSES, HANGS, ERRORS)

#: The seed of every simulation, unless another one is asked for: the same run gives the same numbers.
SEED = 1


class Capacity(NamedTuple):
    """How many requests a second (or connections; the unit of `Demand.peak`) each server that matches can take.

    `match` is a shell pattern for the server's name or address, or for "pool/server".
    """

    match: str
    limit: float


class Zone(NamedTuple):
    """The zone (rack, data centre, region) in which each server lies that matches; `match` as in `Capacity`."""

    match: str
    name: str


class Demand(NamedTuple):
    """The highest rate of requests that a frontend gets, or one of its routes. Both are shell patterns."""

    frontend: str
    peak: float
    route: str | None = None


class Scenario(NamedTuple):
    """What to suppose. The defaults are normal operation at low load, with each server lost in turn.

    `in_flight` is how many requests each pool has in flight for `busy_share`, None for no such column. `lose` are
    names of servers, or "pool/server", that are lost instead of each in turn; `lose_zones` whole zones. `kind` is
    how a lost server behaves. `exact_points` is the largest consistent-hash ring that is walked arc by arc
    (`algorithms.shares`).
    """

    in_flight: int | None = None
    lose: tuple[str, ...] = ()
    lose_zones: tuple[str, ...] = ()
    kind: str = REFUSES
    demands: Sequence[Demand] = ()
    exact_points: int | None = None
    seed: int = SEED

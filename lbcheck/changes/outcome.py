"""What a diff says: pool by pool which servers gain and lose, and which findings come and go.

Shares are fractions of the pool's requests, None on the side on which the server does not exist or is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.results import Finding
    from lbcheck.traffic.outcome import PoolTraffic, Traffic

ADDED = "added"
REMOVED = "removed"
CHANGED = "changed"
UNCHANGED = "unchanged"


class ServerChange(NamedTuple):
    """One server on both sides, paired by address (by name where the address is new). `renamed_from`: its old name."""

    name: str
    address: str
    before: float | None
    after: float | None
    status: str
    renamed_from: str | None = None


class PoolChange(NamedTuple):
    """One pool on both sides.

    `moved` is the total-variation distance of its shares, `unserved` included: half the sum of the absolute
    differences; None with a `reason` where a side cannot be computed. `keys_moved` is the share of hashed keys that
    change their server, None where the pool does not hash on both sides or it is not known. `before` and `after` are
    the pool's traffic; None on the side on which it does not exist.
    """

    name: str
    renamed_from: str | None
    path: str
    config: str
    dialect: str
    protocol: str
    status: str
    moved: float | None
    servers: tuple[ServerChange, ...]
    keys_moved: float | None = None
    reason: str | None = None
    before: PoolTraffic | None = None
    after: PoolTraffic | None = None


class Changes:
    """A whole diff. `moved` weighs the pools by declared demand or known routes; None where neither is known."""

    __slots__ = ("after", "before", "fixed", "introduced", "moved", "pools", "unchanged")

    def __init__(
        self,
        before: Traffic,
        after: Traffic,
        pools: Sequence[PoolChange],
        moved: float | None,
        introduced: Sequence[Finding] = (),
        fixed: Sequence[Finding] = (),
        unchanged: int = 0,
    ) -> None:
        self.before = before
        self.after = after
        self.pools = list(pools)
        self.moved = moved
        self.introduced = list(introduced)
        self.fixed = list(fixed)
        self.unchanged = unchanged

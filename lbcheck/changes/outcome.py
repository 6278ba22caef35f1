"""What a diff says: pool by pool which servers gain and lose, and which findings come and go.

Shares are fractions of the pool's requests, None on the side on which the server does not exist or is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Config, Server
    from lbcheck.results import Finding, Unmatched
    from lbcheck.traffic.outcome import PoolTraffic, Traffic

ADDED = "added"
REMOVED = "removed"
CHANGED = "changed"
UNCHANGED = "unchanged"


class Version(NamedTuple):
    """One config of one side: as it was read, and where its requests go.

    `path` is where it lies below what was compared, so that both sides' paths are alike. `unseen` says why not all
    of it is known (errors, unread files, a template), None where it is.
    """

    config: Config
    traffic: Traffic
    path: str
    unseen: str | None = None


class ServerPair(NamedTuple):
    """One server on both sides, with its place in each pool's list; None where it does not exist."""

    before: Server | None
    after: Server | None
    old: int | None
    new: int | None

    @property
    def elsewhere(self) -> bool:
        """Whether its name now stands for another address."""
        if self.before is None or self.after is None:
            return False
        old, new = self.before.address, self.after.address
        return old.key != new.key if old.known and new.known else old.text != new.text

    def distance(self, before: float, after: float) -> float:
        """Return how much of a share comes or goes: both of them where the name stands for another machine now.

        Where an entry stands for several machines (pods, the addresses of a name), those of the lesser number stay.
        """
        if self.elsewhere:
            return before + after
        if self.before is None or self.after is None or self.before.count == self.after.count:
            return abs(before - after)
        old, new = max(1, self.before.count), max(1, self.after.count)
        stay = min(old, new)
        return stay * abs(before / old - after / new) + (old - stay) * before / old + (new - stay) * after / new


class ServerChange(NamedTuple):
    """One server on both sides, paired by address (by name where the address is new).

    `renamed_from` is its old name, `address_before` its old address, where they are others.
    """

    name: str
    address: str
    before: float | None
    after: float | None
    status: str
    renamed_from: str | None = None
    address_before: str | None = None


class PoolChange(NamedTuple):
    """One pool on both sides.

    `moved` is the total-variation distance of its shares, `unserved` included: half the sum of the absolute
    differences over all machines, which are told apart by address: a name that keeps its share at another address moves
    all of it. None where the pool is on one side only, and with a `reason` where a side cannot be computed.
    `keys_moved` is the share of hashed keys that change their machine (a key that keeps its place on a ring goes to
    another one too where the name's address is new), None where the pool does not hash on both sides,
    and with a `keys_reason` where it is not known; `keys_exact` False: a sample, or an expectation. `before` and
    `after` are the pool's traffic; None on the side on which it does not exist, or is not seen. `pairs` are the
    servers as the model has them, in the order of `servers`.
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
    keys_exact: bool = True
    keys_reason: str | None = None
    pairs: tuple[ServerPair, ...] = ()

    @property
    def elsewhere(self) -> int:
        """How many of its servers keep their name, but at another address."""
        return sum(pair.elsewhere for pair in self.pairs)


class ConfigChange(NamedTuple):
    """One config on both sides, None where it does not exist, with its pools: what the checks of a change look at."""

    before: Version | None
    after: Version | None
    pools: Sequence[PoolChange]


class NotUnderstood(NamedTuple):
    """A change that leaves the model as it is, and is not known to be harmless: nobody knows what it does to requests.

    `path` and `line` are in the new version, in the old one where it is gone. `name` is the field, directive or
    keyword, `field` the names that lead to it. `before` and `after` are what is written, shortened and without secrets;
    None on the side that lacks it. `moved`: it stands in another order.
    """

    path: str
    line: int
    config: str
    name: str
    field: tuple[str, ...]
    before: str | None
    after: str | None
    moved: bool = False

    @property
    def said(self) -> str:
        """What changed, in words: "require_tls: ALL is new"."""
        if self.moved:
            return f"{self.name}: {self.after} stands in another order"
        if self.before is None:
            return f"{self.name}: {self.after} is new" if self.after else f"{self.name} is new"
        if self.after is None:
            return f"{self.name}: {self.before} is gone" if self.before else f"{self.name} is gone"
        return f"{self.name}: {self.before or 'nothing'} → {self.after or 'nothing'}"


class Changes:
    """A whole diff. `moved` weighs the pools by declared demand or known routes; None where neither is known.

    `rerouted` says which requests go elsewhere, or which routes are others; what of that moves, no pool's own changes
    tell. Empty where every request is known to be decided alike.
    `unmatched` are the entries of the settings that no config of either version had a use for.
    `not_understood` are changes of which nobody knows what they do: where there are some, `moved` is only what is
    understood.
    """

    __slots__ = (
        "after",
        "before",
        "fixed",
        "introduced",
        "moved",
        "not_understood",
        "pools",
        "rerouted",
        "unchanged",
        "unmatched",
    )

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
        self.rerouted: list[str] = []
        self.unmatched: list[Unmatched] = []
        self.not_understood: list[NotUnderstood] = []

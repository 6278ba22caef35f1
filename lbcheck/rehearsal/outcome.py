"""What a rehearsal found: for each pool and server the share that was counted beside the one that was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lbcheck.rehearsal.prepared import Rewrite

#: How a pool was judged: whole cycles to the request, each hashed pick, or by chance.
CYCLES, PICKS, CHANCE = "whole cycles", "pick by pick", "chi-square"


class MeasuredServer(NamedTuple):
    """One server: how many requests it `served`, and what part that is. `predicted` is None where it is not known."""

    name: str
    address: str
    served: int
    measured: float
    predicted: float | None


class MeasuredPool(NamedTuple):
    """One pool. `passed` is None where nothing was held against the prediction, with the `reason`.

    `failed` counts requests that no server answered, `p_value` is the probability of counts at least as far from the
    prediction, where chance decides; `wrong_picks` how many hashed requests went elsewhere.
    """

    name: str
    path: str
    line: int
    algorithm: str
    judged: str | None
    passed: bool | None
    reason: str | None
    requests: int
    failed: int
    servers: tuple[MeasuredServer, ...]
    p_value: float | None = None
    wrong_picks: int | None = None
    losses: tuple[MeasuredLoss, ...] = ()


class MeasuredLoss(NamedTuple):
    """The loss of one server: what was predicted, what was seen. Times in seconds.

    `last_attempt_s` is when the last request met the lost server (by failing or by waiting).
    """

    lost: str
    kind: str
    detection_s: float | None
    failed_share: float | None
    requests: int
    failed: int
    last_failure_s: float | None
    recovered_s: float | None
    servers: tuple[MeasuredServer, ...]
    passed: bool | None
    reason: str | None


class Message(NamedTuple):
    """A line of the native check, with its place in the user's own file."""

    path: str | None
    line: int | None
    text: str


class Rehearsed(NamedTuple):
    """One config. `native` are its own checker's messages; `error` says why it was not rehearsed to the end."""

    config: str
    dialect: str
    accepted: bool = False
    native: tuple[Message, ...] = ()
    pools: tuple[MeasuredPool, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    made_up: tuple[str, ...] = ()
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the proxy took the config and no pool differs from its prediction."""
        return self.accepted and self.error is None and all(pool.passed is not False for pool in self.pools)

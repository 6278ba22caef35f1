"""What a rehearsal found: for each pool and server the share that was counted beside the one that was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.traffic.outcome import Traffic

#: How shares were judged: whole cycles to the request, or to a tolerance; each hashed pick; by chance.
CYCLES, TOLERATED, PICKS, CHANCE = "whole cycles", "within the tolerance", "pick by pick", "chi-square"

#: What is predicted of a loss (`Aspect.what`).
DETECTION, FAILED, SHARES = "detection", "failed requests", "shares"


class Rewrite(NamedTuple):
    """A change of the config's text: everything else stays byte for byte. `before` "": it is said besides it."""

    path: str
    line: int
    before: str
    after: str
    reason: str


class MeasuredServer(NamedTuple):
    """One server: how many requests it `served`, and what part that is. `predicted` is None where it is not known.

    `p_value` is the probability of a count at least as far from the prediction, if each request were a draw.
    """

    name: str
    address: str
    served: int
    measured: float
    predicted: float | None
    p_value: float | None = None


class Concurrent(NamedTuple):
    """The same with several requests under way at once: how many points of share a server is off at most.

    `passed` None: shares may differ then, for this `reason`.
    """

    in_flight: int
    requests: int
    off_points: float
    tolerance: float
    passed: bool | None
    reason: str | None = None


class MeasuredPool(NamedTuple):
    """One pool. `passed` is None where nothing was held against the prediction, with the `reason`.

    `failed` counts requests that no server answered, `p_value` is the probability of counts at least as far from the
    prediction, where chance decides; `wrong_picks` how many hashed requests went elsewhere. `left_out` says which
    requests are not counted, and why: the proxy itself, or another pool, answered them.
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
    concurrent: Concurrent | None = None
    left_out: str | None = None


class Aspect(NamedTuple):
    """One thing that was predicted of a loss: "detection", "failed requests" or "shares".

    `passed` None: it was measured, but cannot be held against the prediction, for this `reason`. `judged` says how
    shares were.
    """

    what: str
    passed: bool | None
    reason: str | None = None
    judged: str | None = None
    p_value: float | None = None


class MeasuredLoss(NamedTuple):
    """The loss of one server: what was seen beside what was predicted. Times are seconds since the loss.

    `lost` and `kind` as in `traffic.outcome.Loss`. `requests` are those under way until the server came back, `failed`
    the ones of them that no server answered well, the last of which was sent at `last_failure_s`. `detection_s` is when
    the proxy stopped sending to it (None: it did not, or nobody could see), `recovery_s` how long after its return it
    got its first request. `failed_share` is that until the detection; `predicted_failed_requests`: it is so many
    requests that fail until then, not a part of them. `servers` are those that served after it;
    `backups`: backups among them.
    """

    lost: str
    kind: str
    alike: int
    aspects: tuple[Aspect, ...] = ()
    requests: int = 0
    failed: int = 0
    failed_share: float | None = None
    predicted_failed_share: float | None = None
    predicted_failed_requests: int | None = None
    detection_s: float | None = None
    predicted_detection_s: float | None = None
    last_failure_s: float | None = None
    recovery_s: float | None = None
    backups: bool = False
    servers: tuple[MeasuredServer, ...] = ()
    reason: str | None = None

    @property
    def passed(self) -> bool | None:
        """Whether nothing differs from the prediction; None where nothing could be held against it."""
        return all_passed(aspect.passed for aspect in self.aspects)

    @property
    def whole(self) -> bool:
        """Whether everything that is predicted was judged."""
        return bool(self.aspects) and all(aspect.passed is not None for aspect in self.aspects)


def pool_parts(pool: MeasuredPool) -> list[bool | None]:
    """Return all that was judged of a pool."""
    concurrent = [] if pool.concurrent is None else [pool.concurrent.passed]
    return [pool.passed, *concurrent, *(loss.passed for loss in pool.losses)]


def all_passed(parts: Iterable[bool | None]) -> bool | None:
    """Return False where a part failed, else True where one passed, else None."""
    known = [part for part in parts if part is not None]
    return all(known) if known else None


class MeasuredReload(NamedTuple):
    """A graceful reload from the config at `old`: of so many `requests`, those that got no answer are `lost`.

    `errors` are answers that say that no server was there, `seconds` is how long the old processes lived on, None
    where they never ended. `pools` are the shares afterwards, against the new config.
    """

    old: str
    passed: bool | None
    reason: str | None = None
    requests: int = 0
    lost: int = 0
    errors: int = 0
    seconds: float | None = None
    pools: tuple[MeasuredPool, ...] = ()


class Message(NamedTuple):
    """A line of the native check, with its place in the user's own file, where it has one."""

    path: str | None
    line: int | None
    text: str
    column: int | None = None


class Rehearsed(NamedTuple):
    """One config. `native` are its own checker's messages; `error` says why it was not rehearsed to the end.

    `traffic` is the whole prediction. `rewritten`: it was not run as it is, but written anew for loopback and a private
    folder, for this reason; then shares are held against the prediction for the rewritten config, and neither losses
    nor reloads are rehearsed. `broken`: lbcheck itself failed, for whatever reason in a sandbox that stood.
    """

    config: str
    dialect: str
    accepted: bool = False
    native: tuple[Message, ...] = ()
    pools: tuple[MeasuredPool, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    made_up: tuple[str, ...] = ()
    error: str | None = None
    reload: MeasuredReload | None = None
    traffic: Traffic | None = None
    rewritten: str | None = None
    broken: bool = False

    @property
    def passed(self) -> bool:
        """Whether the proxy took the config, nothing differs from its prediction, and no reload lost a request."""
        return self.accepted and self.error is None and not self.broken and not self.differs

    @property
    def parts(self) -> list[bool | None]:
        """All that was judged of it: pools, their losses, the reload and the pools after it."""
        reload = self.reload
        pools = [*self.pools, *(reload.pools if reload is not None else ())]
        parts = [part for pool in pools for part in pool_parts(pool)]
        return parts if reload is None else [*parts, reload.passed]

    @property
    def differs(self) -> bool:
        """Whether something is against the config: its proxy refuses it, or it is not as predicted."""
        return False in self.parts or (not self.accepted and self.error is None)

    @property
    def judged(self) -> bool:
        """Whether anything at all was held against its prediction."""
        return any(part is not None for part in self.parts)


def unplayed(rehearsed: Iterable[Rehearsed], *, named: bool = False) -> bool:
    """Say whether something that was asked for could not be played; `named`: losses were, by a server's name."""
    found = list(rehearsed)
    losses = [loss for one in found for pool in one.pools for loss in pool.losses]
    if named and (not losses or any(loss.reason is not None or not loss.requests for loss in losses)):
        return True
    return any(one.error is not None or (one.reload is not None and one.reload.passed is None) for one in found)


def held(rehearsed: Iterable[Rehearsed]) -> bool:
    """Say whether anything was held against its prediction, or there are no pools of which anything is predicted."""
    found = list(rehearsed)
    return any(one.judged for one in found) or not any(one.pools for one in found)

"""One rehearsal: let the proxy check the config, run it under load, lose servers, reload, and judge what is seen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.rehearsal import reload
from lbcheck.rehearsal.judging import loss_verdict
from lbcheck.rehearsal.judging.verdict import measured
from lbcheck.rehearsal.outcome import MeasuredReload, Rehearsed
from lbcheck.rehearsal.planning.losing import trials
from lbcheck.rehearsal.planning.plan import Plan
from lbcheck.rehearsal.planning.staging import staged
from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.play.script import SLOW
from lbcheck.rehearsal.preparing import native
from lbcheck.rehearsal.preparing.certificate import Certificate
from lbcheck.rehearsal.progress import Step, Watch
from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.traffic import assemble
from lbcheck.traffic.algorithms import MAX_RING_POINTS
from lbcheck.traffic.scenario import REFUSES, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.model import Config
    from lbcheck.rehearsal.outcome import MeasuredPool
    from lbcheck.rehearsal.planning.losing import Trial
    from lbcheck.rehearsal.planning.plan import Target
    from lbcheck.rehearsal.planning.wishes import Wishes
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Script


def rehearse(
    config: Config, wishes: Wishes, tell: Callable[[Step], None] = lambda _: None, old: Config | None = None
) -> Rehearsed:
    """Rehearse one config, and the reload from an `old` one to it. `tell` hears how far it has come.

    Raises staging.NoBinaryError and sandbox.UnusableError.
    """
    made = Plan()
    pem = Certificate(made.certifiable)
    stage = staged(config, wishes, made, pem)
    rehearsed = Rehearsed(config.path, config.dialect, rewrites=tuple(stage.prepared.rewrites), error=stage.refused)
    if stage.refused:
        return rehearsed
    tell(Step(config.path, "checking"))
    checked = native.checked(stage.script, made, pem)
    rehearsed = rehearsed._replace(
        accepted=checked.accepted,
        native=adapter(config.dialect).messages(checked.output, stage.prepared),
        made_up=checked.made_up,
        error=checked.error,
        broken=checked.broken,
    )
    if not checked.accepted or wishes.only_native:
        return rehearsed
    turn = None if old is None else _Turn(old, config, wishes)
    played, output = _played(config, wishes, made, checked.script, rehearsed, tell, turn)
    if stage.script.check:
        return played
    return played._replace(native=adapter(config.dialect).messages(output, stage.prepared))


def _played(
    config: Config,
    wishes: Wishes,
    made: Plan,
    script: Script,
    rehearsed: Rehearsed,
    tell: Callable[[Step], None],
    turn: _Turn | None,
) -> tuple[Rehearsed, str]:
    """Play normal operation, losses and reload side by side, and judge them; return what the proxy said, too."""
    scenario = Scenario(
        lose=wishes.lose, kind=REFUSES if wishes.kind == SLOW else wishes.kind, exact_points=MAX_RING_POINTS
    )
    traffic = assemble.traffic(config, scenario)
    losses = trials(config, made, traffic, wishes.kind, wishes.patience) if wishes.losses else []
    alone = adapter(config.dialect).alone
    plays = [
        script._replace(loss=trial.play, run=alone(script.run, trial.target.pool))
        for trial in losses
        if trial.play is not None
    ]
    scripts = [script, *plays, *(turn.scripts if turn is not None else ())]
    events = sandbox.together(scripts, _side_by_side(), Watch(config.path, made, len(plays), tell))
    pools = _judged(config, made.targets, made, events[0], wishes)
    pools = _with_losses(config, made, pools, losses, events[1 : 1 + len(plays)], wishes)
    found = rehearsed._replace(
        error=_unfinished(events),
        broken=any(map(native.crashed, events)),
        pools=tuple(pools),
        traffic=traffic,
        reload=None if turn is None else turn.judged(events[1 + len(plays) :]),
    )
    return found, "".join(event.get("output", "") for event in events[0])


def _unfinished(events: Sequence[Sequence[Event]]) -> str | None:
    """Return why it was not rehearsed to the end: normal operation, or any other part where lbcheck is to blame."""
    normal, *others = events
    why = map(native.unusable, [normal, *filter(native.crashed, others)])
    early = not any(event["event"] == "done" for event in events[0])
    return next(filter(None, why), "the rehearsal ended early" if early else None)


def _judged(
    config: Config, targets: Iterable[Target], made: Plan, events: Sequence[Event], wishes: Wishes
) -> list[MeasuredPool]:
    return [measured(target, config.dialect, made.loads, events, wishes.tolerance) for target in targets]


def _with_losses(
    config: Config,
    made: Plan,
    pools: list[MeasuredPool],
    losses: Sequence[Trial],
    events: Sequence[Sequence[Event]],
    wishes: Wishes,
) -> list[MeasuredPool]:
    seen = iter(events)
    for trial in losses:
        happened = next(seen) if trial.play is not None else ()
        loss = loss_verdict.judged(trial, config.dialect, happened, made.loads, wishes.tolerance)
        at = made.targets.index(trial.target)
        if pools[at].passed is None:
            told = trial.play is not None and bool(trial.play.down)
            loss = loss_verdict.excused(loss, f"nor is what all servers get: {pools[at].reason}", told=told)
        pools[at] = pools[at]._replace(losses=(*pools[at].losses, loss))
    return pools


class _Turn:
    """The reload from an old config to a new one: both lie at the same place of a sandbox, one after the other."""

    def __init__(self, old: Config, new: Config, wishes: Wishes) -> None:
        self._old, self._new, self._wishes = old, new, wishes
        self._made = Plan()
        pem = Certificate(self._made.certifiable)
        before, after = (staged(config, wishes, self._made, pem, reload.HOME) for config in (old, new))
        self._targets = after.targets
        found = before.refused or reload.turnover(new.dialect, before, after, self._made, pem)
        self.scripts: Sequence[Script] = () if isinstance(found, str) else (found,)
        self._reason = found if isinstance(found, str) else None

    def judged(self, events: Sequence[Sequence[Event]]) -> MeasuredReload:
        if not events:
            return MeasuredReload(self._old.path, None, self._reason)
        pools = _judged(self._new, self._targets, self._made, events[0], self._wishes)
        return reload.judged(self._old, events[0], pools)


def _side_by_side() -> int:
    """Return how many sandboxes may run at once: mostly they wait."""
    return 4 * (os.cpu_count() or 1)

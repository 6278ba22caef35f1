"""One rehearsal: make the config ready, let the proxy check it, run it under load, and judge the counts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.rehearsal import certificate, haproxy, losing, loss_verdict, native, nginx, sandbox
from lbcheck.rehearsal.messages import messages
from lbcheck.rehearsal.outcome import MeasuredPool, Rehearsed
from lbcheck.rehearsal.plan import plan
from lbcheck.rehearsal.script import SLOW, Script
from lbcheck.rehearsal.verdict import Counted, judge
from lbcheck.traffic import assemble
from lbcheck.traffic.algorithms import MAX_RING_POINTS as _POINTS
from lbcheck.traffic.scenario import REFUSES, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.model import Config
    from lbcheck.rehearsal.plan import Plan
    from lbcheck.rehearsal.prepared import Prepared

_PREPARE = {"nginx": nginx.prepare, "haproxy": haproxy.prepare}


class Wishes(NamedTuple):
    """What the user wants of a rehearsal.

    `losses`: servers are lost, each in turn or those that `lose` names, in this `kind` of way, and none is waited for
    longer than `patience` seconds. `tolerance` is in points of share.
    """

    binary: str | None = None
    trusted: bool = False
    only_native: bool = False
    requests: int | None = None
    seconds: float = 10.0
    seed: int = 1
    losses: bool = True
    lose: tuple[str, ...] = ()
    kind: str = REFUSES
    tolerance: float = 1.0
    patience: float = 120.0


class NoBinaryError(Exception):
    """The proxy is not installed; the text is one line with the command that installs it."""


def rehearse(config: Config, wishes: Wishes, progress: Callable[[str], None] = lambda _: None) -> Rehearsed:
    """Rehearse one config. Raises NoBinaryError and sandbox.UnusableError."""
    prepared = _PREPARE[config.dialect](config, _binary(config.dialect, wishes), trusted=wishes.trusted)
    rehearsed = Rehearsed(config.path, config.dialect, rewrites=tuple(prepared.rewrites))
    if prepared.refused:
        reason = f"it loads or runs code ({prepared.refused[0]}); --trust-config lets it"
        return rehearsed._replace(error=reason)
    made = plan(config, wishes.requests, wishes.seconds, wishes.seed)
    pem = certificate.Certificate(made)
    if any(stub.tls for stub in made.stubs):
        prepared.files[certificate.PLACE] = pem()
    progress("checking")
    checked = native.checked(_script(prepared, made), made, pem)
    rehearsed = rehearsed._replace(
        accepted=checked.accepted,
        native=messages(checked.output, prepared.places),
        made_up=checked.made_up,
        error=checked.error,
    )
    if not checked.accepted or wishes.only_native:
        return rehearsed
    traffic = assemble.traffic(config, Scenario(lose=wishes.lose, kind=_predicted(wishes.kind), exact_points=_POINTS))
    trials = losing.trials(config, made, traffic, wishes.kind, wishes.patience) if wishes.losses else []
    played = [trial for trial in trials if trial.play is not None]
    scripts = [checked.script, *(checked.script._replace(loss=trial.play) for trial in played)]
    events, *outages = sandbox.together(scripts, _side_by_side(), lambda _, event: progress(event["event"]))
    error = native.unusable(events)
    if error is None and not any(event["event"] == "done" for event in events):
        error = "the rehearsal ended early"
    pools = _pools(config, made, events)
    found = iter(outages)
    for trial in trials:
        seen = next(found) if trial.play is not None else []
        loss = loss_verdict.judged(trial, config.dialect, seen, made.loads, wishes.tolerance)
        at = made.targets.index(trial.target)
        pools[at] = pools[at]._replace(losses=(*pools[at].losses, loss))
    return rehearsed._replace(error=error, pools=tuple(pools))


def _predicted(kind: str) -> str:
    """Return the kind of loss whose prediction names the servers to be lost."""
    return REFUSES if kind == SLOW else kind


def _side_by_side() -> int:
    """Return how many sandboxes may run at once: mostly they wait."""
    return 4 * (os.cpu_count() or 1)


def _binary(dialect: str, wishes: Wishes) -> str:
    path = shutil.which(wishes.binary or dialect, path=None if wishes.binary else _search_path())
    if path is None:
        raise NoBinaryError(f"{wishes.binary or dialect} is not installed: apt-get install {dialect}")
    return path


def _search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


def _script(prepared: Prepared, made: Plan) -> Script:
    return Script(
        prepared.check,
        prepared.run,
        files=dict(prepared.files),
        folders=tuple(sorted(prepared.folders)),
        stubs=tuple(made.stubs),
        loads=tuple(made.loads),
        ready=tuple(sorted(made.ready)),
        certificate=certificate.PLACE,
    )


def _pools(config: Config, made: Plan, events: list[dict[str, Any]]) -> list[MeasuredPool]:
    answers = {event["number"]: event for event in events if event["event"] == "load"}
    found = []
    for target in made.targets:
        counted = None
        for number in target.loads:
            event = answers.get(number)
            if event is not None and event["stubs"] and event["stubs"][0] in made.loads[number].expect:
                counted = Counted(made.loads[number], target, event["stubs"], event["statuses"])
        found.append(judge(target, config.dialect, counted))
    return found

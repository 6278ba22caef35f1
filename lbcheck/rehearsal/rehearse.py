"""One rehearsal: make the config ready, let the proxy check it, run it under load, and judge the counts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.rehearsal import certificate, haproxy, native, nginx, sandbox
from lbcheck.rehearsal.messages import messages
from lbcheck.rehearsal.outcome import MeasuredPool, Rehearsed
from lbcheck.rehearsal.plan import plan
from lbcheck.rehearsal.script import Script
from lbcheck.rehearsal.verdict import Counted, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.model import Config
    from lbcheck.rehearsal.plan import Plan
    from lbcheck.rehearsal.prepared import Prepared

_PREPARE = {"nginx": nginx.prepare, "haproxy": haproxy.prepare}


class Wishes(NamedTuple):
    """What the user wants of a rehearsal."""

    binary: str | None = None
    trusted: bool = False
    only_native: bool = False
    requests: int | None = None
    seconds: float = 10.0
    seed: int = 1


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
    (events,) = sandbox.together([checked.script], 1, lambda _, event: progress(event["event"]))
    error = native.unusable(events)
    if error is None and not any(event["event"] == "done" for event in events):
        error = "the rehearsal ended early"
    return rehearsed._replace(error=error, pools=_pools(config, made, events))


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


def _pools(config: Config, made: Plan, events: list[dict[str, Any]]) -> tuple[MeasuredPool, ...]:
    answers = {event["number"]: event for event in events if event["event"] == "load"}
    found = []
    for target in made.targets:
        counted = None
        for number in target.loads:
            event = answers.get(number)
            if event is not None and event["stubs"] and event["stubs"][0] in made.loads[number].expect:
                counted = Counted(made.loads[number], target.stubs, event["stubs"], event["statuses"])
        found.append(judge(target, config.dialect, counted))
    return tuple(found)

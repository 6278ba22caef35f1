"""A graceful reload from one config to another, planned and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck import wording
from lbcheck.rehearsal.judging import answered
from lbcheck.rehearsal.outcome import MeasuredReload
from lbcheck.rehearsal.play.load import NOBODY
from lbcheck.rehearsal.play.script import Reload
from lbcheck.rehearsal.preparing import native
from lbcheck.rehearsal.preparing.certificate import PLACE
from lbcheck.rehearsal.proxies.table import adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.model import Config
    from lbcheck.rehearsal.outcome import MeasuredPool
    from lbcheck.rehearsal.planning.plan import Plan
    from lbcheck.rehearsal.planning.staging import Staged
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Script

#: Where both configs lie: at the same place, as they do on the machine that reloads.
HOME = "/etc/lbcheck-reload"


def turnover(dialect: str, old: Staged, new: Staged, made: Plan, certificate: Callable[[], str]) -> Script | str:
    """Return the script of the reload; why there is none where the proxy refuses a side."""
    told = adapter(dialect).turn(old.script.run)
    if isinstance(told, str):
        return told
    run, signal = told
    if made.clashes:
        return f"{min(made.clashes)} is spoken to in TLS by one of them only"
    checked = [native.checked(side.script, made, certificate) for side in (old, new)]
    for word, one in zip(("old", "new"), checked, strict=True):
        if not one.accepted:
            said = one.error or next(iter(one.output.strip().splitlines()[-1:]), "it says nothing")
            return f"the proxy does not take the {word} config: {said}"
    before, after = (native.furnished(one.script, made) for one in checked)
    stubs, loads = new.script.stubs, new.script.loads
    files = {**before.files, PLACE: certificate()} if any(stub.tls for stub in stubs) else before.files
    reload = Reload(
        old.loads,
        new.loads,
        after.files,
        tuple(sorted(before.files.keys() - after.files.keys())),
        signal,
        new.script.ready,
    )
    return before._replace(
        check=(),
        run=run,
        files=files,
        folders=tuple(dict.fromkeys([*before.folders, *after.folders])),
        keep=tuple(dict.fromkeys([*before.keep, *after.keep])),
        environment=(*after.environment, *before.environment),
        stubs=stubs,
        loads=loads,
        reload=reload,
    )


def judged(old: Config, events: Sequence[Event], pools: Sequence[MeasuredPool]) -> MeasuredReload:
    """Return what the reload came to; `pools` are the shares afterwards."""
    event = next((event for event in events if event["event"] == "reload"), None)
    if event is None or not event["pools"]:
        why = "no request of the old config reaches a server" if event is not None else "the rehearsal ended early"
        return MeasuredReload(old.path, None, native.unusable(events) or why)
    answers = event["answers"]
    dialect = old.dialect
    early = sum(at < 0 and answered.failed(dialect, stub, status, lost=True) for stub, status, at, _ in answers)
    if early:
        return MeasuredReload(old.path, None, f"{wording.counted(early, 'request')} failed before it, too")
    lost = sum(stub == NOBODY for stub, *_ in answers)
    errors = sum(
        stub != NOBODY and kept and answered.failed(dialect, stub, status, lost=True)
        for stub, status, _, kept in answers
    )
    reason: str | None = None
    if event["seconds"] is None:
        reason = "the old processes went on: " + next(reversed(event["output"].strip().splitlines()), "no message")
    elif lost or errors:
        reason = f"{lost + errors} of {len(answers)} requests were lost"
    return MeasuredReload(old.path, reason is None, reason, len(answers), lost, errors, event["seconds"], tuple(pools))

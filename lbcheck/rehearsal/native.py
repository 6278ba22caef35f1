"""The proxy's own check in the sandbox: what it misses of the server is made up until it has no more to ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.rehearsal import sandbox
from lbcheck.rehearsal.missing import missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.rehearsal.missing import Missing
    from lbcheck.rehearsal.plan import Plan
    from lbcheck.rehearsal.script import Script

    Event = dict[str, Any]

#: How often the check is asked again with what it missed made up. nginx names one thing at a time.
_ROUNDS = 60


class Played(NamedTuple):
    """The script as it was played last, with all that was made up, what happened, and what the check said.

    `status` is the check's exit code, None where it never ran.
    """

    script: Script
    events: list[Event]
    status: int | None
    output: str
    made_up: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether the proxy takes the config."""
        return self.status == 0


def played(script: Script, made: Plan, certificate: Callable[[], str], watch: Callable[[Event], None]) -> Played:
    """Play a script; where its check misses something that lives on the server, make it up and play again.

    `watch` sees every event as it comes. Raises sandbox.UnusableError.
    """
    made_up: list[str] = []
    for _ in range(_ROUNDS):
        events = []
        for event in sandbox.play(furnished(script, made)):
            watch(event)
            events.append(event)
        checked: Event = next((event for event in events if event["event"] == "checked"), {})
        result = Played(script, events, checked.get("status"), checked.get("output", ""), tuple(made_up))
        if not result.status:
            break
        wanted = missing(result.output, certificate, {*made_up, *script.files})
        script = _completed(script, made, wanted, made_up)
        if len(made_up) == len(result.made_up):
            break
    return result


def furnished(script: Script, made: Plan) -> Script:
    """Return the script with the files in which names are looked up: they know the plan's names, and nobody else."""
    names = {"/etc/hosts": made.hosts(), "/etc/resolv.conf": "", "/etc/nsswitch.conf": "hosts: files\n"}
    return script._replace(files={**script.files, **names})


def _completed(script: Script, made: Plan, wanted: Missing, made_up: list[str]) -> Script:
    """Return the script with what is wanted and was not there yet; its names are added to `made_up`."""
    hosts = sorted({host.lower() for host in wanted.hosts} - {"localhost", *made.names})
    for host in hosts:
        made.address_of(host)
    files = {path: text for path, text in wanted.files.items() if path not in script.files}
    folders = sorted(wanted.folders.difference(script.folders))
    made_up += [*hosts, *files, *folders]
    return script._replace(files={**script.files, **files}, folders=(*script.folders, *folders))

"""The proxy's own check in the sandbox: what it misses of the server is made up until it has no more to ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.preparing.missing import missing, unmakeable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.rehearsal.planning.plan import Plan
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Script
    from lbcheck.rehearsal.preparing.missing import Missing

#: How often the check is asked again with what it missed made up. nginx names one thing at a time.
_ROUNDS = 60


class Checked(NamedTuple):
    """The script with all that was made up, and what the check said of it last.

    `accepted`: the proxy takes the config. `error`: why it could not even be asked, or not without what lives on the
    server. `broken`: lbcheck is to blame.
    """

    script: Script
    accepted: bool
    output: str
    made_up: tuple[str, ...]
    error: str | None = None
    broken: bool = False


def checked(script: Script, made: Plan, certificate: Callable[[], str]) -> Checked:
    """Let the proxy check its config; where it misses something that lives on the server, make it up and ask again.

    The script that comes back plays without a check of its own. Raises sandbox.UnusableError.
    """
    made_up: list[str] = []
    if not script.check:
        return Checked(furnished(script, made), True, "", ())
    for _ in range(_ROUNDS):
        events = list(sandbox.play(furnished(script, made)._replace(only_check=True)))
        said: Event = next((event for event in events if event["event"] == "checked"), {})
        ready = furnished(script, made)._replace(check=())
        result = Checked(
            ready,
            said.get("status") == 0,
            said.get("output", ""),
            tuple(made_up),
            unusable(events),
            crashed(events),
        )
        if result.accepted or result.error:
            break
        wanted = missing(result.output, certificate, {*made_up, *script.files, *script.run}, script.keep)
        script = _completed(script, made, wanted, made_up)
        if len(made_up) == len(result.made_up):
            break
    if result.accepted or result.error:
        return result
    return result._replace(error=unmakeable(result.output, result.made_up))


def unusable(events: Sequence[Event]) -> str | None:
    """Return why a sandbox could not play its script, with what the proxy said; None where it could."""
    event = next((event for event in events if event["event"] in {"unusable", "crashed"}), None)
    if event is None:
        return None
    if event["event"] == "crashed":
        return f"lbcheck's own sandbox broke: {event['reason']}"
    said = event.get("output", "").strip().splitlines()
    cause = next((line for line in said if "[ALERT]" in line or "[emerg]" in line), said[-1] if said else "")
    return f"{event['reason']}: {cause}" if cause else str(event["reason"])


def crashed(events: Iterable[Event]) -> bool:
    """Say whether the sandbox itself broke, for which the config is not to blame."""
    return any(event["event"] == "crashed" for event in events)


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

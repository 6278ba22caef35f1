"""A rehearsal without namespaces: of the config written anew, in a private folder, with all addresses on loopback."""

from __future__ import annotations

import ipaddress
from contextlib import closing
from typing import TYPE_CHECKING

from lbcheck.rehearsal.judging.verdict import measured
from lbcheck.rehearsal.outcome import MeasuredReload, Rehearsed
from lbcheck.rehearsal.planning import staging
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.rehearsal.play import lodging
from lbcheck.rehearsal.play.sandbox import UnusableError
from lbcheck.rehearsal.play.script import Script
from lbcheck.rehearsal.preparing import native
from lbcheck.rehearsal.preparing.certificate import Certificate
from lbcheck.rehearsal.preparing.messages import messages
from lbcheck.rehearsal.preparing.prepared import Prepared
from lbcheck.rehearsal.preparing.rewriting import Places, Rewriting, unread
from lbcheck.rehearsal.progress import Step, Watch
from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.traffic import assemble
from lbcheck.traffic.algorithms import MAX_RING_POINTS
from lbcheck.traffic.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.model import Config
    from lbcheck.rehearsal.outcome import MeasuredPool, Message
    from lbcheck.rehearsal.planning.plan import Plan
    from lbcheck.rehearsal.planning.wishes import Wishes
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.proxies.seam import Writer

    #: Reads the text of a config of this dialect, as if it lay at this path.
    Read = Callable[[str, str, str], Config]


def rehearse(
    config: Config,
    wishes: Wishes,
    read: Read,
    why: str,
    tell: Callable[[Step], None] = lambda _: None,
    old: Config | None = None,
) -> Rehearsed:
    """Rehearse normal operation of one config as it can be done without namespaces, which are missed for this reason.

    Raises staging.NoBinaryError and sandbox.UnusableError.
    """
    binary = staging.binary(config.dialect, wishes)
    found = Rehearsed(config.path, config.dialect, rewritten=why)
    writer = adapter(config.dialect).writer
    if writer is None:
        return found._replace(error=f"{why}; without namespaces {config.dialect} is not rehearsed")
    if old is not None:
        found = found._replace(reload=MeasuredReload(old.path, None, "reloads need namespaces"))
    with lodging.opened() as room, closing(Places()) as places:
        made = _rewritten(config, writer, room.folder, places)
        found = found._replace(rewrites=tuple(made.rewrites))
        if made.refused:
            return found._replace(error=f"{why}; it cannot be rewritten safely ({made.refused[0]})")
        again = read(config.dialect, made.path, made.text)
        planned = plan(again, wishes.requests, wishes.seconds, wishes.seed)
        planned.loads[:] = [load._replace(loopback=True, source="") for load in planned.loads]
        if (foreign := _foreign(planned, places)) is not None:
            return found._replace(error=f"{why}; it cannot be rewritten safely ({foreign} would be used)")
        tell(Step(config.path, "checking"))
        play = _script(made, planned, writer.commands(binary, made), wishes)
        places.close()
        events = _seen(room.play(play), Watch(config.path, planned, 0, tell))
    said = next((event for event in events if event["event"] == "checked"), {})
    error = native.unusable(events)
    found = found._replace(
        accepted=said.get("status") == 0, native=_messages(made, said.get("output", "")), error=error
    )
    if not found.accepted or wishes.only_native:
        return found
    if error is None and not any(event["event"] == "done" for event in events):
        error = "the rehearsal ended early"
    pools = [measured(target, again.dialect, planned.loads, events, wishes.tolerance) for target in planned.targets]
    traffic = assemble.traffic(again, Scenario(exact_points=MAX_RING_POINTS))
    return found._replace(error=error, pools=tuple(_named(config, made, pools)), traffic=traffic)


def _seen(events: Iterable[Event], watch: Callable[[int, Event], None]) -> list[Event]:
    """Return all events, each shown as it comes."""
    found = []
    for event in events:
        found.append(event)
        watch(0, event)
    return found


def _rewritten(config: Config, writer: Writer, home: str, places: Places) -> Rewriting:
    """Write a config anew. Raises UnusableError where this machine has no more places for its servers."""
    made = Rewriting(home, f"{config.dialect}.conf", places)
    if (why := unread([hit.code for hit in config.hits]) or config.open) is not None:
        made.refused.append(f"{config.path}: {why}")
        return made
    try:
        writer.rewrite(config, made)
    except OSError as error:
        raise UnusableError(f"no place on loopback for {config.path}: {error.strerror}") from None
    if places.own():
        made.refused.append(f"{config.path}: one of its servers is its own listener")
    return made


def _foreign(planned: Plan, places: Places) -> str | None:
    """Return an address of the plan that is none of those that were given out: nothing else is listened or sent to."""
    used = [(one.host, one.port, one.path) for one in planned.stubs]
    used += [(one.host, one.port, one.socket) for one in planned.loads]
    used += [(host, port, "") for host, port in planned.ready]
    for host, port, path in used:
        if path or not places.known(host, port) or not ipaddress.ip_address(host).is_loopback:
            return path or f"{host}:{port}"
    return None


def _script(
    made: Rewriting, planned: Plan, commands: tuple[tuple[str, ...], tuple[str, ...]], wishes: Wishes
) -> Script:
    return Script(
        *commands,
        files={made.path: made.text, made.pem: Certificate(planned.certifiable)()},
        stubs=tuple(planned.stubs),
        loads=tuple(planned.loads),
        ready=tuple(sorted(planned.ready)),
        certificate=made.pem,
        only_check=wishes.only_native,
        home=made.home,
    )


def _messages(made: Rewriting, output: str) -> tuple[Message, ...]:
    prepared = Prepared()
    prepared.statements = made.statements
    prepared.places = {statement.place(0).path: statement.place(0).path for statement in made.statements}
    return messages(made.told(output), prepared)


def _named(config: Config, made: Rewriting, pools: Sequence[MeasuredPool]) -> Sequence[MeasuredPool]:
    """Return the pools at their places in the user's config, by the names that they have there."""
    found = []
    for number, pool in enumerate(pools):
        path, line = made.line(pool.line) or (config.path, 1)
        found.append(pool._replace(path=path, line=line))
        if len(pools) == len(config.pools) and len(pool.servers) == len(config.pools[number].servers):
            own = config.pools[number]
            servers = [one._replace(name=mine.name) for one, mine in zip(pool.servers, own.servers, strict=True)]
            found[-1] = found[-1]._replace(name=own.name, servers=tuple(servers))
    return found

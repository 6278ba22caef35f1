"""Why no request has reached a pool: what came back in place of its servers' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.play.load import NOBODY, PROXY
from lbcheck.rehearsal.play.stubs import NAME_HEADER
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.rehearsal.planning.plan import Target
    from lbcheck.rehearsal.play.sandbox import Event
    from lbcheck.rehearsal.play.script import Load

_NOBODY_CAME = "no request reached it"
#: What nginx answers to a client without the certificate that it wants; HAProxy ends the handshake.
_BAD_REQUEST = 400
_REDIRECT = 3
#: What a proxy answers where it knows no route, and its servers are not asked.
_NO_ROUTE = {"traefik": 404}
_WITHOUT = ", as to a client without a certificate"


def unreached(target: Target, loads: Sequence[Load], events: Sequence[Event]) -> str:
    """Return why a pool that has loads was not reached by any of those that were played."""
    played = [event for event in events if event["event"] == "load" and event["number"] in target.loads]
    down = {name: None for event in played for name in target.down(event["down"])}
    if down:
        return f"{_NOBODY_CAME}: the proxy took {listed(list(down))} for down: its checks fail here"
    if any(event["reached"] for event in played):
        return "its route leads to other pools too, as requests have it"
    why = next(_told(target, loads, played), None)
    return _NOBODY_CAME if why is None else f"{_NOBODY_CAME}: {why}"


def unrouted(target: Target, dialect: str, events: Sequence[Event]) -> bool:
    """Say whether the proxy has no route for requests that surely meet those of a pool: it never took them in.

    Traefik answers 404 where it has dropped a router, or did not build its service; that it knows its routers shows
    where other pools are reached.
    """
    played = [event for event in events if event["event"] == "load"]
    own = [event for event in played if event["number"] in target.loads and event["stubs"]]
    known = any(event["reached"] for event in played if event["number"] not in target.loads)
    answers = {(event["stubs"][0], event["statuses"][0]) for event in own}
    return target.plain and known and answers == {(PROXY, _NO_ROUTE.get(dialect))}


def _told(target: Target, loads: Sequence[Load], played: Sequence[Event]) -> Iterator[str]:
    """Yield what tells why, what tells most first."""
    first = [(loads[event["number"]], event["stubs"][0], event["statuses"][0]) for event in played if event["stubs"]]
    if not first:
        return
    statuses = sorted({status for _, stub, status in first if stub == PROXY})
    own = [status for status in statuses if status // 100 != _REDIRECT]
    if own:
        wants = any(load.tls and stub == PROXY and status == _BAD_REQUEST for load, stub, status in first)
        fails = "; it verifies certificates that lie elsewhere" if target.verified and max(own) >= 500 else ""
        fails = f", or takes away the header {NAME_HEADER.decode()}" if own == [200] else fails
        yield _itself(own) + (_WITHOUT if wants else fails)
    if any(stub >= 0 for _, stub, _ in first):
        yield "servers of another pool answer"
    if any(stub == NOBODY for _, stub, _ in first):
        encrypted = any(load.tls and stub == NOBODY for load, stub, _ in first)
        yield f"the connection ends without an answer{_WITHOUT if encrypted else ''}"
    yield _itself(statuses)


def _itself(statuses: Sequence[int]) -> str:
    return f"the proxy itself answers with {listed(list(map(str, statuses)))}"

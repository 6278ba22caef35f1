"""HAProxy: checks take servers out, `retries` and `option redispatch` decide about requests (src/check.c, backend.c).

As 2.6.12 does it, and 2.7 and newer by their source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, Rescue, failing, never, unknown
from lbcheck.traffic.detection.checks import after_checks, unseen
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES
from lbcheck.wording import duration

if TYPE_CHECKING:
    from lbcheck.model import HealthCheck, Pool, Server
    from lbcheck.traffic.detection import Neighbours

_HASHES = frozenset({"source", "uri", "url_param", "hdr", "hash", "rdp-cookie"})
#: Before it tries the same server again, HAProxy waits so long, or `timeout connect` where that is shorter.
_PAUSE = 1.0
#: Servers that follow each other are followed so far.
_FOLLOWED = 10
#: `error-limit` where none is written.
_ERROR_LIMIT = 10


def notice(pool: Pool, server: Server, kind: str, neighbours: Neighbours) -> Notice:
    """Return when the checks of a server, or of the one that it follows, take it out."""
    if _persists(pool):
        return never("`option persist` keeps sending it the clients that have its cookie")
    home, checked = pool, server
    for _ in range(_FOLLOWED):
        if checked.tracks is None:
            break
        found = neighbours.server(checked.tracks.value, home)
        if found is None:
            return Notice(None, f"it follows {checked.tracks.value}, which is not known")
        home, checked = found
    if checked.check is not None and (checked.checked is None or checked.checked.value):
        where = _followed_elsewhere(server, checked, kind)
        if where is not None:
            return Notice(None, f"it follows a server at {where}, which may answer all the same")
        noticed = _by_check(home, checked, checked.check, kind)
        return noticed if checked is server else noticed._replace(how=f"{noticed.how} (of the server that it follows)")
    if "agent-check" in checked.options:
        return Notice(None, "only its agent can take it out, and what that says is not known")
    return never("it is not checked, so it stays in")


def _followed_elsewhere(server: Server, checked: Server, kind: str) -> str | None:
    """Return where the followed server is that need not be lost with this one: a machine that is off has no ports."""
    own, followed = server.address, checked.address
    lost_with_it = own.host == followed.host and (own.port == followed.port or kind == HANGS)
    return None if lost_with_it else followed.text


def _persists(pool: Pool) -> bool:
    cookie = pool.persistence is not None and pool.persistence.kind == "cookie"
    redispatch = pool.retry.redispatch if pool.retry is not None else None
    return cookie and "persist" in pool.options and redispatch is not None and not redispatch.value


def _by_check(pool: Pool, server: Server, check: HealthCheck, kind: str) -> Notice:
    found = unseen(server, check, kind, _observed(server))
    if found is not None:
        return found
    spread = pool.options.get("spread-checks")
    return after_checks(
        check, _connect_timeout(pool, check) if kind == HANGS else 0.0, spread.value / 100 if spread is not None else 0
    )


def _connect_timeout(pool: Pool, check: HealthCheck) -> float:
    """Return how long a check waits for a connection (src/tcpcheck.c tcpcheck_eval_connect()).

    An interval; `timeout connect` where that is shorter and `timeout check` is set. Unknown intervals count as 0.
    """
    interval = check.interval.value if check.interval is not None else 0.0
    connect = pool.timeouts.get("connect")
    return interval if connect is None or check.timeout is None else min(interval, connect.value)


def _observed(server: Server) -> str:
    """Return what `observe layer7` does about errors that the check does not see; each good check starts it anew."""
    observe = server.options.get("observe")
    if observe is None or observe.value != "layer7":
        return ""
    limit = server.options.get("error-limit")
    reaction = server.options.get("on-error")
    number = limit.value if limit is not None else _ERROR_LIMIT
    if reaction is not None and reaction.value in ("mark-down", "sudden-death"):
        return f", but {number} errors in a row between two checks take it out (`observe layer7`)"
    fall = server.check.fall.value if server.check is not None and server.check.fall is not None else 1
    if reaction is not None and reaction.value == "fastinter":
        return ""
    return f", but {number * fall} errors in a row between two checks take it out (`observe layer7`)"


def rescue(pool: Pool, kind: str) -> Rescue:
    """Return whether `retries`, `retry-on` and `option redispatch` bring a request to another server."""
    retry = pool.retry
    if retry is None or retry.attempts is None or retry.redispatch is None or retry.conditions is None:
        return unknown("how often HAProxy tries again is not known")
    retries = retry.attempts.value
    why = _not_retried(pool, kind, retries, retry.conditions.value)
    if why is None and not retry.redispatch.value:
        why = "without `option redispatch` they are tried on it alone"
    if why is None and _others(pool) < 1:
        why = "there is no other server"
    hashed = pool.algorithm.name in _HASHES
    if why is None and hashed and not pool.algorithm.consistent:
        why = "a map-based hash leads them back to it, with `option redispatch` too"
    if why is None and pool.algorithm.name == "sticky":
        why = "`balance sticky` leads them back to it"
    if why is not None:
        return failing(why)
    first = _first_redispatch(pool, retries, hashed=hashed)
    if first is None:
        return failing("`option redispatch` comes after the last of their retries")
    return _elsewhere_after(pool, kind, first, 1 if hashed else 1 + retries - first)


def _not_retried(pool: Pool, kind: str, retries: int, conditions: frozenset[str]) -> str | None:
    if retries < 1:
        return "`retries 0` allows no second try"
    if kind == ERRORS and (pool.protocol != "http" or not conditions & {"500", "all-retryable-errors"}):
        return "HAProxy hands the errors on (`retry-on 500` would not)"
    if kind != ERRORS and not conditions & {"conn-failure", "all-retryable-errors"}:
        return "`retry-on` does not name conn-failure"
    return None


def _others(pool: Pool) -> int:
    """Return how many other servers a redispatch may choose: never backups, while HAProxy takes a primary for up."""
    usable = [server for server in pool.servers if server.enabled and server.weight.value > 0]
    primaries = sum(server.count for server in usable if not server.backup)
    if primaries:
        return primaries - 1
    return sum(server.count for server in usable) - 1 if "allbackups" in pool.options else 0


def _first_redispatch(pool: Pool, retries: int, *, hashed: bool) -> int | None:
    """Return at which retry another server is chosen first (include/haproxy/stream.h stream_choose_redispatch()).

    At once where neither a hash nor a cookie nor a stick table binds the request. Else at every Nth one for `option
    redispatch N`, counted from the last one where N is negative; -1 is the default.
    """
    if not hashed and pool.persistence is None and sum(server.count for server in pool.servers if server.serving) > 1:
        return 1
    written = pool.options.get("redispatch")
    step = _whole(written.value) if written is not None else -1
    if step < 0:
        step = retries + 1 + step
    return next((number for number in range(1, retries + 1) if step > 0 and number % step == 0), None)


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return -1  # the option alone


def _elsewhere_after(pool: Pool, kind: str, tries: int, others: int) -> Rescue:
    """Return the rescue of requests that are tried on the lost server so many times before.

    A refused request pauses before each further try on the same server, a hanging one has waited already.
    """
    connect = pool.timeouts.get("connect")
    delay: float | None = 0.0
    again: float | None = 0.0
    if kind == REFUSES:
        delay = (tries - 1) * (_PAUSE if connect is None else min(_PAUSE, connect.value))
    elif kind == HANGS:
        delay = None if connect is None else tries * connect.value
        again = None if connect is None else connect.value
    how = "its requests go on to another server"
    if delay is None:
        how += ", after a time that is not known: no `timeout connect` is set"
    elif delay:
        how += f" after {duration(delay)}"
    if tries > 1:
        how += f"{' and' if delay else ' after'} {tries} tries on it"
    return Rescue(others, delay, again, how, repeats=True)

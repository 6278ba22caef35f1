"""Probes that a listener of the same config answers by itself, with a status that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.loops import addresses_of, heard, listening
from lbcheck.findings import INFO, Hit, Related
from lbcheck.traffic.detection.checks import fails_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Condition, Config, Frontend, HealthCheck, Listener, Pool, Route, Server

    Entry = tuple[Frontend, Listener]

#: What passes where nothing is expected (HAProxy manual, `option httpchk`; health_check.proto).
_PASSES = {"haproxy": "200-399", "envoy": "200"}
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
    "path_prefix": lambda text, value: f"{text}/".startswith(f"{value.rstrip('/')}/"),
}


def hc_redirect_or_status(config: Config, _context: Context) -> Iterator[Hit]:
    """H09: a probe that this config answers itself, with a redirect or a status that the check takes for a failure.

    A redirect that passes says nothing about the application behind it: info.
    """
    if config.open is not None or config.dialect not in _PASSES or not any(map(_answers, config.frontends)):
        return
    places = heard(config)
    own = addresses_of(places)
    for pool in config.pools:
        for server in pool.enabled:
            entries = [one for one in listening(server, places, own) if _understood(server, one)]
            check = server.check if entries else None
            if check is None or check.kind != "http" or _elsewhere(server, check):
                continue
            route = _answer(pool, check, entries)
            hit = None if route is None else _judged(config.dialect, pool, server, check, route)
            if hit is not None:
                yield hit
                break


def _answers(frontend: Frontend) -> bool:
    """Say whether a frontend answers some requests by itself, with a status that is known."""
    return any(route.outcome == "answer" and "status" in route.options for route in frontend.routes)


def _elsewhere(server: Server, check: HealthCheck) -> bool:
    """Say whether the probe goes to another place than the requests, or says what was not understood."""
    port = None if check.port is None else check.port.value
    return (
        check.address is not None
        or port not in (None, server.address.port)
        or any(name in check.options for name in ("opaque", "no-request", "connect"))
    )


def _understood(server: Server, entry: Entry) -> bool:
    """Say whether the listener takes what the server is sent."""
    _, listener = entry
    if "accept-proxy" in listener.options:
        return False
    return listener.tls == (server.tls is not None and server.tls.value)


def _answer(pool: Pool, check: HealthCheck, entries: Sequence[Entry]) -> Route | None:
    """Return the route that answers the probe by itself; None where another one may take it."""
    host = pool.name if check.host is None else check.host.value
    frontend = _frontend([frontend for frontend, _ in entries], host)
    if frontend is None or check.path is None:
        return None
    method = "GET" if check.method is None else check.method.value
    facts = {"path": check.path.value.partition("?")[0], "method": method}
    if check.host is not None:
        facts["host"] = host
    for route in frontend.routes:
        matches = _matches(route, facts)
        if matches is not False:
            return route if matches and route.outcome == "answer" and "status" in route.options else None
    return None


def _frontend(frontends: Sequence[Frontend], host: str) -> Frontend | None:
    """Return the only one that answers for a host name; None where patterns may choose another."""
    if any(frontend.order != "first" or frontend.protocol != "http" for frontend in frontends):
        return None
    named = [one for one in frontends if host in one.hosts]
    if not named and any("*" in name for one in frontends for name in one.hosts):
        return None
    found = named or [one for one in frontends if not one.hosts]
    return found[0] if len(found) == 1 else None


def _matches(route: Route, facts: dict[str, str]) -> bool | None:
    """Say whether a route takes a request of which these facts are known; None where that is not enough."""
    verdicts = [_all(_holds(condition, facts) for condition in alternative) for alternative in route.match]
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _all(verdicts: Iterator[bool | None]) -> bool | None:
    found = list(verdicts)
    if False in found:
        return False
    return None if None in found else True


def _holds(condition: Condition, facts: dict[str, str]) -> bool | None:
    text, compare = facts.get(condition.field), _COMPARE.get(condition.op)
    if text is None or compare is None:
        return None
    values = condition.values
    if condition.ignore_case:
        text, values = text.lower(), frozenset(value.lower() for value in values)
    return any(compare(text, value) for value in values) != condition.negated


def _judged(dialect: str, pool: Pool, server: Server, check: HealthCheck, route: Route) -> Hit | None:
    status = route.options["status"]
    expected = "status " + _PASSES[dialect] if check.expect is None else check.expect.value
    fails = fails_on(status.value, expected)
    if fails is None or (not fails and not 300 <= status.value < 400):
        return None
    args = {
        "pool": pool.name,
        "path": "/" if check.path is None else check.path.value,
        "status": status.value,
        "effect": "the check takes that for a failure, and every server that answers so is out"
        if fails
        else "that passes, whatever the application behind it does",
    }
    place = (check.path and check.path.span) or check.span or pool.span
    related = [Related(route.span, "what answers")]
    return Hit(
        "H09", place, args, severity=None if fails else INFO, related=related, pool=pool.name, server=server.name
    )

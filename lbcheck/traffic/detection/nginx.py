"""nginx: failed requests take servers out, `*_next_upstream` decides about requests.

src/http/ngx_http_upstream.c ngx_http_upstream_next() and _test_next(), ngx_http_upstream_round_robin.c
ngx_http_upstream_free_round_robin_peer(); the stream module does as much for connections.
"""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, Rescue, failing, never, unknown
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool, Route, Server

_ALONE = "there is no other server"
#: Which word of `*_next_upstream` speaks of each kind of loss.
_WORDS = {REFUSES: "error", HANGS: "timeout", ERRORS: "http_500"}


def notice(pool: Pool, server: Server, kind: str, routes: Sequence[Route]) -> Notice:
    """Return when `max_fails` failed requests within `fail_timeout` take a server out, for as long again.

    Then a single request tries it, and if that fails it is out again: its failures are forgotten only once it answers
    (ngx_http_upstream_free_round_robin_peer()). Each worker process counts for itself, unless the pool has a `zone`.
    """
    fails, timeout = server.max_fails, server.fail_timeout
    if fails is None or timeout is None:
        return Notice(None, "after how many failures nginx takes it out is not known")
    stays = _stays(pool, fails.value, timeout.value, kind, routes)
    if stays is not None:
        return stays
    waits = [route.timeouts.get("connect") for route in routes] if kind == HANGS else []
    if kind == HANGS and (not waits or None in waits):
        return Notice(None, "how long nginx waits for a connection is not known")
    failed = counted(fails.value, "failed request")
    return Notice(
        timeout.value + max((wait.value for wait in waits if wait is not None), default=0.0),
        f"out for {duration(timeout.value)} after {failed} within that time, then tried again by one request",
        fails=fails.value,
        again=timeout.value,
    )


def _stays(pool: Pool, fails: int, timeout: float, kind: str, routes: Sequence[Route]) -> Notice | None:
    """Return the notice of a server that stays in; None where its failures count."""
    if sum(one.count for one in pool.servers) == 1:
        return never("nginx never takes the only server out")
    if fails == 0 or timeout == 0:
        return never(f"`{'fail_timeout=0' if fails else 'max_fails=0'}`: its failures do not count, so it stays in")
    return _uncounted(pool, routes) if kind == ERRORS else None


def _uncounted(pool: Pool, routes: Sequence[Route]) -> Notice | None:
    """Return the notice of a server whose answers with an error do not count as failures; None where they do."""
    if pool.scope == "stream":
        return never("nginx does not look into a stream, so it stays in")
    if not routes:
        return Notice(None, "whether errors count as failures is not known: no route leads here")
    if _alone(pool) or all(_through(pool, route, ERRORS).others == 0 for route in routes):
        words = f"`http_500` in `{_family(routes[0])}_next_upstream`"
        return never(f"errors count as failures only with {words}, so it stays in")
    return None


def rescue(pool: Pool, kind: str, routes: Sequence[Route]) -> Rescue:
    """Return what becomes of requests in the worst of the routes that lead to the pool."""
    if _alone(pool):
        return failing(_ALONE)
    if not routes:
        return unknown("no route leads here")
    found = [(_through(pool, route, kind), route) for route in routes]
    if any(one.others is None for one, _ in found):
        return next(one for one, _ in found if one.others is None)
    worst, route = min(found, key=lambda pair: _worth(pair[0]))
    if any(_worth(one) != _worth(worst) for one, _ in found):
        return worst._replace(how=f"{worst.how} (at worst, by the route in line {route.span.line})")
    return worst


def _alone(pool: Pool) -> bool:
    return sum(server.count for server in pool.servers if server.enabled) < 2


def _worth(one: Rescue) -> tuple[float, float]:
    """Return what makes one rescue better than another: more servers, then less waiting."""
    return (inf if one.others is None else one.others, -(one.delay or 0.0))


def _through(pool: Pool, route: Route, kind: str) -> Rescue:
    retry = route.retry
    if retry is None or retry.conditions is None or retry.attempts is None:
        return unknown("what nginx does next is not known")
    words, tries = retry.conditions.value, retry.attempts.value
    why = _no_second_try(pool, route, kind, words, tries)
    if why is not None:
        return failing(why)
    if kind == ERRORS and "non_idempotent" not in words:
        return Rescue(
            None, 0.0, 0.0, "its requests go on to the next server, but POST, LOCK and PATCH fail: no `non_idempotent`"
        )
    others = tries - 1 if tries else inf
    if kind != HANGS:
        return Rescue(others, 0.0, 0.0, "its requests go on to the next server")
    connect, limit = route.timeouts.get("connect"), route.timeouts.get("next_upstream")
    if connect is None:
        return Rescue(others, None, None, "its requests go on to the next server, after a time that is not known")
    if limit is not None and connect.value:
        others = min(others, ceil(limit.value / connect.value) - 1)
    how = f"its requests go on to the next server after {duration(connect.value)}"
    return Rescue(others, connect.value, connect.value, how)


def _no_second_try(pool: Pool, route: Route, kind: str, words: frozenset[str], tries: int) -> str | None:
    family = _family(route)
    once = kind == ERRORS and family == "grpc" and "non_idempotent" not in words
    reasons = (
        (kind == ERRORS and pool.scope == "stream", "nginx does not look into a stream"),
        ("off" in words, f"`{family}_next_upstream off`"),
        (_WORDS[kind] not in words, f"`{family}_next_upstream` does not name {_WORDS[kind]}"),
        (tries == 1, f"`{family}_next_upstream_tries 1`"),
        (once, "every call is a POST, and `grpc_next_upstream` does not name non_idempotent"),
    )
    why = next((why for so, why in reasons if so), None)
    connect, limit = route.timeouts.get("connect"), route.timeouts.get("next_upstream")
    if why is None and kind == HANGS and connect is not None and limit is not None and connect.value >= limit.value:
        why = f"`{family}_next_upstream_timeout` ends before `{family}_connect_timeout` ({duration(connect.value)})"
    return why


def _family(route: Route) -> str:
    """Return by which *_pass the route leads to the pool: "proxy", "grpc", "fastcgi", …."""
    family = route.options.get("pass")
    return str(family.value) if family is not None else "proxy"

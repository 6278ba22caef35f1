"""Tries: more of them than the time allows, than servers bear, or than a request may be repeated.

For proxies of Envoy's kind: a route says how often and on which words, and has one time for all tries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related
from lbcheck.wording import duration, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Route
    from lbcheck.text import Span

#: Words of retry_on for what a server may have worked on already.
_WORKED_ON = frozenset({"5xx", "gateway-error", "reset", "retriable-4xx", "retriable-status-codes"})
#: Words of retry_on that speak of answers or of time, not of connecting alone.
_SLOW = frozenset({"5xx", "gateway-error", "reset"})
#: How a dialect writes the words, and the time of one try.
_FIELDS = {"kubernetes": ("retryOn", "perTryTimeout")}
_ENVOYS = ("retry_on", "per_try_timeout")
#: Methods that do it twice when they are sent twice (RFC 9110, 9.2.2).
_UNSAFE = frozenset({"POST", "PATCH"})


def _retried(config: Config) -> Iterator[tuple[Frontend, Route, int, frozenset[str], Span]]:
    """Yield the routes that try again: how often in all, when, and where that is written."""
    told = set()
    for frontend in config.frontends:
        for route in frontend.routes:
            retry = route.retry
            if retry is None or retry.attempts is None or retry.conditions is None or not retry.attempts.value:
                continue
            place = retry.conditions.span or route.span
            if (route.span, place) not in told:
                told.add((route.span, place))
                yield frontend, route, retry.attempts.value + 1, retry.conditions.value, place


def timeout_inversion(config: Config, _context: Context) -> Iterator[Hit]:
    """T02: the tries take longer together than the route has time."""
    told = set()
    for frontend, route, tries, _, _ in _retried(config):
        timeout, each = route.timeouts.get("server"), route.timeouts.get("per_try")
        if timeout is None or each is None or timeout.value <= 0 or tries * each.value <= timeout.value * (1 + 1e-9):
            continue
        place = each.span or route.span
        if place in told:  # a virtual host's policy holds for all of its routes
            continue
        told.add(place)
        args = {
            "route": f"route {route.label}",
            "inner": f"{tries} tries of {duration(each.value)} may take {duration(tries * each.value)}",
            "outer": f"the route's timeout of {duration(timeout.value)}",
            "effect": f"the last ones are cut off or never begin: {int(timeout.value // each.value)} of them fit",
            "advice": f"write timeout: {tries * each.value:g}s, or fewer or shorter tries",
        }
        related = [Related(timeout.span, "the route's timeout")] if timeout.span is not None else []
        yield Hit("T02", place, args, related=related, frontend=frontend.name, route=route.label)


def retry_non_idempotent(config: Config, _context: Context) -> Iterator[Hit]:
    """T04: a request that does something is sent again although a server may have done it."""
    for frontend, route, _, words, place in _retried(config):
        methods = _methods(route)
        risky = sorted(words & _WORKED_ON)
        if methods and risky:
            field = _FIELDS.get(config.dialect, _ENVOYS)[0]
            args = {
                "route": route.label,
                "methods": listed(sorted(methods)),
                "words": ", ".join(risky),
                "advice": f"try again only what never reached a server: `{field}: connect-failure,refused-stream`",
            }
            yield Hit("T04", place, args, frontend=frontend.name, route=route.label)


def _methods(route: Route) -> set[str]:
    """Return the unsafe methods that the route asks for by name."""
    return {
        value
        for alternative in route.match
        for condition in alternative
        if condition.field == "method" and condition.op == "exact" and not condition.negated
        for value in condition.values
        if value in _UNSAFE
    }


def retry_amplification(config: Config, context: Context) -> Iterator[Hit]:
    """T05: each request becomes many just when servers are overloaded."""
    most = context.option("T05", "max_tries", 4)
    told = set()
    for frontend, route, tries, words, place in _retried(config):
        if tries > most and words & _WORKED_ON and place not in told:
            told.add(place)
            args = {"route": route.label, "tries": tries, "words": ", ".join(sorted(words & _WORKED_ON))}
            yield Hit("T05", place, args, frontend=frontend.name, route=route.label)


def retry_without_per_try_timeout(config: Config, _context: Context) -> Iterator[Hit]:
    """T07: a request that is slow to fail has used up all of its time with the first try."""
    told = set()
    field = _FIELDS.get(config.dialect, _ENVOYS)[1]
    for frontend, route, tries, words, place in _retried(config):
        timeout = route.timeouts.get("server")
        if timeout is None or timeout.value <= 0 or not words & _SLOW or place in told:
            continue
        if not {"per_try", "per_try_idle"}.isdisjoint(route.timeouts):
            continue
        told.add(place)
        args = {
            "route": route.label,
            "attempts": f"{tries} tries",
            "timeout": duration(timeout.value),
            "advice": f"set {field}, such as {round(timeout.value / tries, 3):g}s for each try",
        }
        yield Hit("T07", place, args, frontend=frontend.name, route=route.label)

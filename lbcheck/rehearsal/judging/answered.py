"""Whose word an answer is: a server's, nobody's, or the proxy's own: a limit, a rule, or its cache."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lbcheck.rehearsal.play.load import NOBODY, PROXY
from lbcheck.rehearsal.proxies.table import adapter

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a proxy says where a server has failed it.
_FAILURES = frozenset({500, 502, 504})


def failed(dialect: str, stub: int, status: int, *, lost: bool) -> bool:
    """Say whether no server has answered a request well; `lost`: a server is lost, and others may be missed for it.

    While all servers are there, HAProxy's 503 comes from a limit, or from checks that fail here, which it tells.
    """
    if stub == PROXY:
        return status in _FAILURES or (lost and status == adapter(dialect).without_server)
    return stub == NOBODY or status >= 500


def own_answers(dialect: str, answers: Iterable[tuple[int, int]], *, lost: bool) -> Counter[int]:
    """Return how often the proxy gave which status of its own accord; `answers` are stubs with statuses."""
    return Counter(status for stub, status in answers if stub == PROXY and not failed(dialect, stub, status, lost=lost))


def told(own: Counter[int], total: int) -> str:
    """Return in words what the proxy answered itself, of so many requests, and what that may come from."""
    found = [status for status, _ in own.most_common(3)]
    cause = "a cache or a rule" if found[0] < 400 else "a limit or a rule"
    if 503 in found:
        cause += ", or a server that it does not reach"
    statuses = ", ".join(map(str, found))
    return f"the proxy itself answered {own.total():,} of {total:,} requests ({statuses}): {cause}"

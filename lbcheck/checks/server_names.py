"""nginx's server names: of two blocks with one name on one listener the second never serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.destinations import destination, words
from lbcheck.checks.listeners import place
from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Config, Frontend, Listener


def contested(config: Config) -> Iterator[Hit]:
    """Yield R02 once for each server block whose names an earlier one of the same listener has.

    nginx warns ("conflicting server name … ignored"); the first one wins
    (src/http/ngx_http.c, ngx_http_server_names).
    """
    owners: dict[tuple[object, ...], Frontend] = {}
    for frontend in config.frontends:
        if frontend.scope != "http":
            continue
        lost: dict[str, tuple[Frontend, Listener]] = {}
        for listener in frontend.listeners:
            if not listener.address.known or listener.address.port is None:
                continue
            where = (*place(listener), listener.address.port)
            for host in frontend.hosts or ("",):
                owner = owners.setdefault((*where, host.lower()), frontend)
                if owner is not frontend and "$" not in host and "…" not in host:
                    lost.setdefault(host, (owner, listener))
        if lost:
            yield from _hit(frontend, lost)


def _hit(frontend: Frontend, lost: dict[str, tuple[Frontend, Listener]]) -> Iterator[Hit]:
    owner, listener = next(iter(lost.values()))
    if not _has_pools(owner) and not _has_pools(frontend):
        return
    names = listed([host or '""' for host in lost])
    args = {
        "what": f"server name {names} on {listener.address.text}",
        "verdict": f"{words(*owner.routes)} gets the requests (line {owner.span.line} comes first), "
        f"{words(*frontend.routes)} never does",
    }
    yield Hit(
        "R02",
        frontend.span,
        args,
        severity=INFO if _alike(owner, frontend) else None,
        related=[Related(owner.span, "this server block gets them")],
        frontend=frontend.name,
    )


def _has_pools(frontend: Frontend) -> bool:
    return any(route.targets for route in frontend.routes)


def _alike(one: Frontend, other: Frontend) -> bool:
    """Say whether two server blocks send the same requests to the same places."""
    return _answers(one) == _answers(other)


def _answers(frontend: Frontend) -> dict[object, object]:
    return {
        frozenset(frozenset(condition.key for condition in alternative) for alternative in route.match): destination(
            route
        )
        for route in frontend.routes
    }

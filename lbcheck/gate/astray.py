"""Routes whose requests come to no pool: as the shares show them, whatever findings are silenced."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.overall import unnamed
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.traffic.outcome import FrontendTraffic, RouteTraffic, Traffic

#: Float rounding of shares.
_ROUNDING = 1e-9


class Astray(NamedTuple):
    """A route of which a part surely comes to no pool: None where how large it is is known at run time only."""

    frontend: FrontendTraffic
    route: RouteTraffic
    part: float | None

    @property
    def words(self) -> str:
        """What comes to no pool, and why, for people."""
        part = "a part" if self.part is None else percent(self.part)
        whys = [target.reason or target.pool for target in self.route.targets if target.missing and target.share != 0]
        why = "; ".join(dict.fromkeys(whys[:_MOST])) or "no target takes them"
        return f"{part} of the requests of {_label(self)} {'comes' if self.part is None else 'come'} to no pool: {why}"


#: So many reasons are told of one route.
_MOST = 3


def astray(traffic: Traffic) -> Iterator[Astray]:
    """Yield the routes of which a part comes to no pool. Those that another one surely goes before take nothing."""
    for frontend in traffic.frontends:
        for route in frontend.routes:
            part = _part(route)
            if route.share != 0 and (part is None or part > _ROUNDING):
                yield Astray(frontend, route, part)


def lost(before: Traffic, after: Traffic) -> Iterator[str]:
    """Yield which routes of both versions send more requests nowhere than they did."""
    known = {_key(frontend, route): _part(route) for frontend in before.frontends for route in frontend.routes}
    for one in astray(after):
        was = known.get(_key(one.frontend, one.route))
        if was is not None and (one.part is None or one.part > was + _ROUNDING):
            yield f"{one.words}; before {percent(was)}"


def _key(frontend: FrontendTraffic, route: RouteTraffic) -> tuple[str, tuple[str, ...], tuple[str, ...], str]:
    return (frontend.name, frontend.listeners, frontend.hosts, unnamed(route))


def _part(route: RouteTraffic) -> float | None:
    """Return the part of a route's requests that surely comes to no pool; None where only that there is one is sure."""
    if route.outcome == "answer":
        return 0.0
    missing = [target.share for target in route.targets if target.missing]
    if route.outcome == "unknown" and not missing:
        return 0.0
    if None in missing:
        return None
    return min(1.0, route.unserved + sum(share for share in missing if share is not None))


def _label(one: Astray) -> str:
    where = one.frontend.name or listed([*one.frontend.hosts, *one.frontend.listeners])
    return f"{one.route.match} of {where}" if where else one.route.match

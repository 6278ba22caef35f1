"""Where requests arrive, which route takes how many of them, and which part nobody serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.redaction import secrets, without
from lbcheck.traffic import flow
from lbcheck.traffic.outcome import FrontendTraffic, RouteTraffic, TargetTraffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lbcheck.model import Config, Frontend, Route, Unserved, WeightedTarget
    from lbcheck.text import Span
    from lbcheck.traffic.outcome import PoolTraffic
    from lbcheck.traffic.scenario import Scenario

    #: id of a pool of the model → its place among the run's pools, and its traffic.
    Known = Mapping[int, tuple[int, PoolTraffic]]


def arriving(config: Config, pools: Sequence[PoolTraffic], scenario: Scenario) -> list[FrontendTraffic]:
    """Return the traffic of the config's frontends, whose pools' traffic is known already."""
    known = {id(one.pool): (at, one) for at, one in enumerate(pools)}
    return [_frontend(frontend, config, known, scenario) for frontend in config.frontends]


def _frontend(frontend: Frontend, config: Config, known: Known, scenario: Scenario) -> FrontendTraffic:
    parts = flow.route_shares(frontend)
    routes = tuple(_route(route, part, config, known) for route, part in zip(frontend.routes, parts, strict=True))
    return FrontendTraffic(
        frontend.span.path,
        frontend.span.line,
        config.path,
        config.dialect,
        _said(frontend.name, frontend.span),
        tuple(listener.address.text for listener in frontend.listeners),
        tuple(frontend.hosts),
        routes,
        _unserved(routes),
        flow.frontend_demand(frontend, scenario.demands),
    )


def _route(route: Route, share: float | None, config: Config, known: Known) -> RouteTraffic:
    parts, unserved = flow.target_shares(route)
    targets = tuple(
        _target(target, part, route, config, known) for target, part in zip(route.targets, parts, strict=True)
    )
    unknown = route.outcome == "unknown"
    return RouteTraffic(
        _said(route.label, route.span),
        route.span.line,
        share,
        route.outcome,
        targets,
        unserved,
        f"where {_said(route.expression or route.label, route.span)} sends requests is known only at run time"
        if unknown
        else None,
    )


def _target(target: WeightedTarget, share: float | None, route: Route, config: Config, known: Known) -> TargetTraffic:
    """Return a target with what of its requests nobody serves.

    A fixed name that no pool has leads nowhere: HAProxy does not even start. Where an expression gives the name,
    HAProxy goes on to the next rule; an open config may have the pool elsewhere. What the dialect knows of the target
    itself (`WeightedTarget.unserved`) goes before what is behind its pool.
    """
    name = without(target.name, [])
    found = None if target.pool is None else known.get(id(target.pool))
    if target.unserved is not None:
        return _doubted(name, target.unserved, share, config, found)
    if found is not None:
        at, pool = found
        return TargetTraffic(name, at, share, _lost_in(pool))
    if config.open is not None:
        return TargetTraffic(name, None, share, reason=f"no pool named {name} was seen: {config.open}")
    if route.expression is not None:
        return TargetTraffic(
            name, None, share, reason=f"no pool is named {name}, so its requests go on to the next rule"
        )
    return TargetTraffic(name, None, share, 1.0, f"no pool is named {name}")


def _doubted(
    name: str, said: Unserved, share: float | None, config: Config, found: tuple[int, PoolTraffic] | None
) -> TargetTraffic:
    """Return a target that surely, or perhaps, passes nothing on."""
    why = f"{name}: {without(said.reason, [])}"
    if said.sure:
        return TargetTraffic(name, None, share, 1.0, why)
    if found is None:
        share = None if said.redealt else share
        return TargetTraffic(name, None, share, reason=why if config.open is None else f"{why}: {config.open}")
    at, pool = found
    lost = _lost_in(pool)
    if said.redealt:
        return TargetTraffic(name, at, None, reason=why)
    return TargetTraffic(name, at, share, 1.0) if lost == 1.0 else TargetTraffic(name, at, share, reason=why)


def _lost_in(pool: PoolTraffic) -> float | None:
    return 0.0 if pool.pool.answers else pool.unserved


def _unserved(routes: Sequence[RouteTraffic]) -> float | None:
    """Return the part of a frontend's requests that nobody serves; None where some routes' shares are not known."""
    if not routes or any(route.share is None for route in routes):
        return None
    return _weighed((route.share, _lost(route)) for route in routes)


def _lost(route: RouteTraffic) -> float | None:
    """Return the part of a route's requests that no target takes, or no server behind it."""
    if route.outcome == "answer":
        return 0.0
    lost = _weighed((target.share, target.unserved) for target in route.targets)
    return None if route.outcome == "unknown" or lost is None else min(1.0, route.unserved + lost)


def _weighed(parts: Iterable[tuple[float | None, float | None]]) -> float | None:
    """Return how much is lost of parts (share, what is lost of it); None where a part that counts is not known."""
    whole = 0.0
    for share, lost in parts:
        if share == 0 or lost == 0:
            continue
        if share is None or lost is None:
            return None
        whole += share * lost
    return whole


def _said(text: str, span: Span) -> str:
    """Return a name without the secrets of the lines in which it is written."""
    lines = span.source
    return without(text, secrets(lines, span.line, lines.position(max(span.start, span.end - 1))[0]))

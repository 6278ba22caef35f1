"""Losses as lbcheck predicts them from a config's text."""

from __future__ import annotations

from checks.read import config

from lbcheck.traffic.detection import Neighbours
from lbcheck.traffic.losses import losses
from lbcheck.traffic.scenario import Scenario


def predicted(dialect, text, kind, lost=None, *, demand=None, read=None):
    """Return the losses of each pool by its name: of the server `lost`, or of each in turn."""
    made = read or config(dialect, text)
    scenario = Scenario(kind=kind, lose=(lost,) if lost else ())
    neighbours = Neighbours(made.pools)
    return {
        pool.name: losses(pool, dialect, scenario, routes_to(pool, made), neighbours=neighbours, demand=demand)
        for pool in made.pools
    }


def routes_to(pool, made):
    return [
        route
        for frontend in made.frontends
        for route in frontend.routes
        if any(target.pool is pool for target in route.targets)
    ]

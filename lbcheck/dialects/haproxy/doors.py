"""Through which frontends the connections come that a pool gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.model import Config, Frontend, Pool


class Doors:
    """The frontends of each pool. `computed` are those that may lead to any: they compute the backend's name."""

    __slots__ = ("_by_pool", "computed")

    def __init__(self, config: Config) -> None:
        self._by_pool: dict[int, list[Frontend]] = {}
        self.computed = [one for one in config.frontends if any(route.outcome == "unknown" for route in one.routes)]
        for frontend in config.frontends:
            pools = {id(target.pool) for route in frontend.routes for target in route.targets if target.pool}
            for pool in pools:
                self._by_pool.setdefault(pool, []).append(frontend)

    def of(self, pool: Pool) -> list[Frontend]:
        """Return the frontends whose routes name a pool, in order of writing."""
        return self._by_pool.get(id(pool), [])

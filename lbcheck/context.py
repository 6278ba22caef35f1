"""What a check may ask besides the config itself: target versions, thresholds, and shares computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lbcheck.model import Config, Pool
    from lbcheck.traffic.algorithms import Shares

T = TypeVar("T")


class Context:
    """Handed to every check with the config.

    `targets` maps a product ("nginx", "haproxy") to the version that will run, as a tuple; a product that is
    absent is not known. `options` maps a rule's code to the user's thresholds for it.
    """

    __slots__ = ("_facts", "_shares", "options", "targets")

    def __init__(
        self,
        targets: Mapping[str, tuple[int, ...]] | None = None,
        options: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.targets = targets or {}
        self.options = options or {}
        self._shares: dict[int, tuple[Pool, Shares]] = {}
        self._facts: dict[tuple[int, object], tuple[Config, Any]] = {}

    def before(self, product: str, version: tuple[int, ...]) -> bool | None:
        """Say whether the target runs an older version than `version`; None where the target is not known."""
        target = self.targets.get(product)
        return None if target is None else target < version

    def option(self, code: str, name: str, default: float) -> float:
        """Return the user's threshold `name` of rule `code`, or the rule's default."""
        return self.options.get(code, {}).get(name, default)

    def shares(self, pool: Pool, dialect: str) -> Shares:
        """Return the pool's shares at low load, computed once for all checks that judge them."""
        from lbcheck.traffic.algorithms import shares

        known = self._shares.get(id(pool))
        if known is None:
            known = self._shares[id(pool)] = (pool, shares(pool, dialect))
        return known[1]

    def once(self, config: Config, compute: Callable[[Config], T]) -> T:
        """Return compute(config), computed once for all checks that ask for it."""
        key = (id(config), compute)
        known = self._facts.get(key)
        if known is None:
            known = self._facts[key] = (config, compute(config))
        return cast("T", known[1])

"""Routes that draw one of several pools for each request, by weight."""

from __future__ import annotations

from typing import NamedTuple


class Split(NamedTuple):
    """The pools among which a route draws: the stubs of each, and its share; the one that is looked at first."""

    parts: tuple[tuple[tuple[int, ...], float], ...]

    @property
    def stubs(self) -> tuple[int, ...]:
        """The stubs of all of them."""
        return tuple(stub for stubs, _ in self.parts for stub in stubs)

    @property
    def mixed(self) -> bool:
        """Whether a server belongs to two of them: then nobody can tell which one was drawn."""
        return len(set(self.stubs)) < sum(len(set(stubs)) for stubs, _ in self.parts)

    def others(self) -> frozenset[int]:
        """Return the stubs of the other pools."""
        return frozenset(stub for stubs, _ in self.parts[1:] for stub in stubs)

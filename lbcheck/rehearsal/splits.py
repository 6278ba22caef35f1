"""Routes that draw one of several pools for each request, by weight: what one of them got, and whether that fits."""

from __future__ import annotations

from typing import NamedTuple

from lbcheck.rehearsal.chances import IMPOSSIBLE, chi_square_p


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

    def unlikely(self, answered: list[int]) -> str | None:
        """Return what is wrong with how often each pool was drawn, by the stubs that answered; None: nothing."""
        owner = {stub: place for place, (stubs, _) in enumerate(self.parts) for stub in stubs}
        found = [0] * len(self.parts)
        for stub in answered:
            if stub in owner:
                found[owner[stub]] += 1
        chance = chi_square_p(found, [share for _, share in self.parts])
        if chance >= IMPOSSIBLE or not sum(found):
            return None
        return f"its route sent {found[0]} of {sum(found)} requests to it, where {self.parts[0][1]:.1%} were predicted"

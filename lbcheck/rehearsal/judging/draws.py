"""Routes that draw one of several pools for each request: how often each was drawn, against its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.rehearsal.planning.splits import Split


def unlikely(split: Split, answered: Iterable[int]) -> str | None:
    """Return what is wrong with how often each pool was drawn, by the stubs that answered; None: nothing."""
    owner = {stub: place for place, (stubs, _) in enumerate(split.parts) for stub in stubs}
    found = [0] * len(split.parts)
    for stub in answered:
        if stub in owner:
            found[owner[stub]] += 1
    chance = chi_square_p(found, [share for _, share in split.parts])
    if chance >= IMPOSSIBLE or not sum(found):
        return None
    return f"its route sent {found[0]} of {sum(found)} requests to it, where {split.parts[0][1]:.1%} were predicted"

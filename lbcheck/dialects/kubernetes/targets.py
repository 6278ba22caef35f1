"""Backends of routes: which pool a reference means, and what part of the requests each gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import Setting, WeightedTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.text import Span


def target(name: str, span: Span, pool: Pool | None, weight: Setting[int] | None = None) -> WeightedTarget:
    """Return one target of a route."""
    return WeightedTarget(name, span, pool, weight)


def shared(targets: Sequence[WeightedTarget]) -> list[WeightedTarget]:
    """Fill in the targets' shares: weight / sum of weights; a lone target gets everything."""
    if len(targets) == 1 and targets[0].weight is None:
        targets[0].share = 1.0
    total = sum(one.weight.value for one in targets if one.weight is not None)
    for one in targets:
        if one.weight is not None and total:
            one.share = one.weight.value / total
    return list(targets)


def only(name: str, span: Span, pool: Pool | None) -> list[WeightedTarget]:
    """Return the one target that gets everything."""
    return [WeightedTarget(name, span, pool, share=1.0)]

"""How Envoy shares requests out among priorities and localities (load_balancer_impl.cc, upstream_impl.cc)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Hosts that a priority may lack before its requests go on: 1.4 times its healthy part counts.
OVERPROVISIONING = 140
#: Below so many percent of healthy hosts a priority panics, where nothing else is written.
PANIC = 50


class Level(NamedTuple):
    """What counts of one priority: healthy hosts, all but those that drain, and both as weights.

    The weights are for `weighted_priority_health`. `hosts` are all that it has.
    """

    healthy: int
    total: int
    healthy_weight: int
    total_weight: int
    hosts: int


class Loads(NamedTuple):
    """Percent of the requests for each priority, which sum to 100, and which priorities are in panic."""

    percents: list[int]
    panic: list[bool]


def loads(
    levels: Sequence[Level], overprovisioning: int = OVERPROVISIONING, threshold: int = PANIC, *, weighted: bool = False
) -> Loads:
    """Return how the requests spread over the priorities.

    A priority takes what its health, times the overprovisioning factor, allows, and the next one the rest. In panic a
    priority uses dead hosts too; where all are, each gets a part by its number of hosts.
    """
    health = [_health(level, overprovisioning, weighted=weighted) for level in levels]
    available = min(sum(health), 100)
    if not available and not threshold:
        return Loads([100, *[0] * (len(levels) - 1)], [False] * len(levels))
    panic = [available != 100 and _percent(level) < threshold for level in levels]
    if all(panic):
        hosts = [level.hosts for level in levels]
        return Loads(_dealt(hosts, sum(hosts)), panic)
    if not available:  # panic is off on some levels only where they have no hosts at all
        return Loads([100, *[0] * (len(levels) - 1)], panic)
    return Loads(_dealt(health, available), panic)


def _health(level: Level, overprovisioning: int, *, weighted: bool) -> int:
    good, every = (level.healthy_weight, level.total_weight) if weighted else (level.healthy, level.total)
    return min(100, overprovisioning * good // every) if every else 0


def _percent(level: Level) -> float:
    return 100 * level.healthy / level.total if level.total else 0.0


def _dealt(parts: Sequence[int], whole: int) -> list[int]:
    """Deal 100 percent out in order, each its part of the whole; what rounding leaves is the first one's."""
    left = 100
    found = []
    for part in parts:
        share = min(left, part * 100 // whole) if whole else 0
        found.append(share)
        left -= share
    first = next((at for at, part in enumerate(parts) if part), 0)
    found[first] += left
    return found


def locality_weight(weight: int, healthy: int, total: int, overprovisioning: int = OVERPROVISIONING) -> float:
    """Return the weight with which a locality takes part: reduced where more of it is dead than overprovisioned."""
    if not total:
        return 0.0
    return weight * min(1.0, overprovisioning / 100 * (healthy / total))

"""Who gets too much and who starves: what a drawing shows before anybody reads a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.outcome import FAIR, HOT, IDLE, STARVED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.traffic.outcome import ServerTraffic

#: A pool is uneven where its largest share is more than so many times its smallest: the default of rule D01.
UNEVEN = 4.0
#: In an uneven pool, so many times a fair share is too much, or too little.
TOO_MUCH, TOO_LITTLE = 1.5, 0.5
#: The algorithms that are meant to fill one server before the next.
_PACKING = frozenset({"first", "sticky"})
#: Rounding of doubles must not make four times more than four times.
_ABOVE = 1 + 1e-9


def stand(servers: Sequence[ServerTraffic], algorithm: str) -> tuple[ServerTraffic, ...]:
    """Return the servers of one pool with their `standing` filled in.

    A fair share is an equal one; where every server that takes requests has a declared capacity, a part in
    proportion to it. Then 1.5 times a fair share is already too much, as rule D01 has it.
    """
    taking = [server for server in servers if _takes(server)]
    weights = _fair_weights(taking)
    whole = sum(weight * server.alike for weight, server in zip(weights, taking, strict=True))
    ratios = {
        id(server): (server.share or 0.0) / server.alike * whole / weight
        for weight, server in zip(weights, taking, strict=True)
        if weight
    }
    uneven = _uneven(list(ratios.values()), declared=any(weight != 1.0 for weight in weights))
    return tuple(
        server._replace(standing=_standing(server, ratios.get(id(server)), algorithm, uneven=uneven))
        for server in servers
    )


def _takes(server: ServerTraffic) -> bool:
    """Say whether a server is meant to get requests: a serving primary, or a backup that has taken over."""
    return bool(server.share) or (server.role == "primary" and server.enabled and server.weight > 0)


def _fair_weights(taking: Sequence[ServerTraffic]) -> list[float]:
    capacities = [server.capacity for server in taking]
    known = [capacity for capacity in capacities if capacity]
    return known if len(known) == len(taking) else [1.0] * len(taking)


def _uneven(ratios: Sequence[float], *, declared: bool) -> bool:
    above = [ratio for ratio in ratios if ratio > 0]
    if not above:
        return False
    return max(above) > UNEVEN * min(above) * _ABOVE or (declared and max(above) > TOO_MUCH * _ABOVE)


def _standing(server: ServerTraffic, ratio: float | None, algorithm: str, *, uneven: bool) -> str:
    if server.share is None:
        return UNKNOWN
    if server.overloaded:
        return HOT
    if ratio is None:
        return IDLE
    if not server.share:
        return IDLE if algorithm in _PACKING else STARVED
    if uneven and ratio >= TOO_MUCH:
        return HOT
    return STARVED if uneven and ratio <= TOO_LITTLE else FAIR

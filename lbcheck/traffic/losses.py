"""What the loss of a server, or of a zone, does to a pool: shares of the others, requests that fail until then.

Losses that are the same are given once. Two servers are alike that have the same weight, role, limits and capacity,
and are noticed alike; nothing else matters to an algorithm that knows weights alone (`Balancer.interchangeable`).
Order, ids or arcs tell servers apart elsewhere: under `first`, a hash of a constant, nginx's `hash` and `ip_hash`,
and on a ring that is walked arc by arc. There each loss stands for itself as long as a pool has few servers; of alike
servers of a large one, the loss is given that leaves the busiest survivor; of a very large one, where looking for that
takes the square of its servers, the loss of the server that gets most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.redaction import without
from lbcheck.traffic.aftermath import Aftermath
from lbcheck.traffic.outcome import loses, loses_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.model import Pool, Route
    from lbcheck.traffic.detection import Neighbours
    from lbcheck.traffic.outcome import Loss
    from lbcheck.traffic.scenario import Scenario

#: In a pool of more servers than these, alike ones are given once even where their losses differ.
_FEW = 50
#: In a pool of more than these, the loss of the busiest of the alike ones stands for theirs.
_MANY = 200


def losses(
    pool: Pool,
    dialect: str,
    scenario: Scenario,
    routes: Sequence[Route] = (),
    *,
    neighbours: Neighbours | None = None,
    demand: float | None = None,
) -> list[Loss]:
    """Return what each loss of the scenario does to a pool: every server that serves in turn, or those it names.

    `routes` are those that lead to the pool: nginx keeps there what becomes of a failed request. `neighbours` are all
    pools of the config, for a HAProxy server may follow one of another pool. `demand` is the pool's, for the
    survivors' loads. An open pool has no losses, nor has one that is disabled, unless one of its servers is named.
    """
    wanted = list(_named(pool, scenario))
    if not wanted and (scenario.lose or scenario.lose_zones or pool.open is not None or "disabled" in pool.options):
        return []
    aftermath = Aftermath(pool, dialect, scenario, routes, neighbours, demand)
    if wanted:
        return [aftermath.loss(lost, {at: pool.servers[at].count for at in lines}) for lost, lines in wanted]
    return list(_each(pool, aftermath))


def _named(pool: Pool, scenario: Scenario) -> Iterator[tuple[str, list[int]]]:
    """Yield what the scenario loses in a pool, with the servers' places in it."""
    for wanted in scenario.lose:
        for at, server in enumerate(pool.servers):
            name, address = without(server.name, []), without(server.address.text, [])
            if loses(pool.name, name, address, wanted):
                yield name, [at]
    for wanted in scenario.lose_zones:
        zones = [None if server.zone is None else server.zone.value for server in pool.servers]
        lines = [at for at, zone in enumerate(zones) if loses_zone(zone, wanted)]
        if lines:
            yield f"zone {wanted}", lines


def _each(pool: Pool, aftermath: Aftermath) -> Iterator[Loss]:
    """Yield the loss of each server that serves, alike ones once; of a line that stands for several, of one."""
    shares = aftermath.normal.servers
    serving = [at for at, server in enumerate(pool.servers) if server.serving]
    if not serving and shares is not None:
        serving = [at for at, share in enumerate(shares) if share]
    groups: dict[tuple[object, ...], list[int]] = {}
    for at in serving:
        groups.setdefault(aftermath.likeness(at), []).append(at)
    for alike in groups.values():
        if aftermath.interchangeable or len(alike) == 1:
            yield _one(pool, aftermath, alike[0], alike)
        elif len(serving) <= _FEW:
            yield from (_one(pool, aftermath, at, [at]) for at in alike)
        elif len(serving) <= _MANY or shares is None:
            yield _one(pool, aftermath, max(alike, key=aftermath.busiest_survivor), alike)
        else:
            yield _one(pool, aftermath, max(alike, key=shares.__getitem__), alike)


def _one(pool: Pool, aftermath: Aftermath, at: int, alike: Sequence[int]) -> Loss:
    name = aftermath.names[at]
    lost = name if pool.servers[at].count == 1 else f"one server of {name}"
    return aftermath.loss(lost, {at: 1}, sum(pool.servers[one].count for one in alike))

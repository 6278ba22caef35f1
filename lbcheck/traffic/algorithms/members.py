"""Who takes part in the choice: a pool's servers as the proxy counts them, and back from there to the pool's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.model import Pool, Server


class Member:
    """One server that the proxy knows. A template line stands for several.

    `index` is its place in `Pool.servers`, `number` the id by which HAProxy orders and hashes it.
    """

    __slots__ = ("index", "number", "server", "weight")

    def __init__(self, index: int, server: Server, number: int) -> None:
        self.index = index
        self.server = server
        self.weight = server.weight.value
        self.number = number


def members(pool: Pool) -> list[Member]:
    """Return the pool's servers one by one, in order, templates written out.

    The numbers are HAProxy's: the server's `id` where one is written, else the first free one from its place on,
    which every server moves (src/cfgparse.c check_config_validity(), "assign automatic UIDs to servers").
    """
    written = {id(server): _written_number(server) for server in pool.servers if "id" in server.options}
    taken = set(written.values())
    found = []
    free = 1
    for index, server in enumerate(pool.servers):
        own = written.get(id(server), 0)
        for _ in range(server.count):
            number, own = own, 0
            if not number:
                while free in taken:
                    free += 1
                number = free
            free += 1
            found.append(Member(index, server, number))
    return found


def _written_number(server: Server) -> int:
    try:
        return int(server.options["id"].value)
    except (TypeError, ValueError):
        return 0


def spread(pool: Pool, taking: Iterable[Member], fractions: Iterable[float]) -> Shares:
    """Return the pool's shares from the fraction of each member that takes requests; the rest get 0.0."""
    servers = [0.0] * len(pool.servers)
    for member, fraction in zip(taking, fractions, strict=True):
        servers[member.index] += fraction
    return Shares(servers)


def nobody(pool: Pool) -> Shares:
    """Return the shares of a pool in which no server takes requests."""
    return Shares([0.0] * len(pool.servers), unserved=1.0)


def all_to(pool: Pool, member: Member) -> Shares:
    """Return the shares of a pool that sends everything to one server."""
    return spread(pool, [member], [1.0])


def proportional(weights: Sequence[int]) -> list[float]:
    """Return each weight's part of their sum; all 0.0 where the sum is 0."""
    total = sum(weights)
    return [weight / total for weight in weights] if total else [0.0] * len(weights)

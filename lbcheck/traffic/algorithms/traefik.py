"""Traefik's shares, by the strategy of a load balancer (pkg/server/service/loadbalancer of 3.7, and 2.11's wrr)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms import Shares
from lbcheck.traffic.algorithms.members import Member, all_to, members, nobody, proportional, spread

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.rendezvous import Clients

#: What is said where the strategy is none that Traefik has.
_UNKNOWN = "its strategy is none that Traefik has"
_LEAST_TIME = "leasttime sends each request to the server that answers fastest for its weight: known only at run time"


class Balancer:
    """A pool's servers that are in rotation.

    A weight of 0 takes a server out under every strategy but p2c, which does not read weights at all (p2c.go
    AddServer(); seen on 3.7.13). Backups are those of a failover service: they serve when no primary is up.
    """

    __slots__ = ("_clients", "known", "pool")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        weighted = pool.algorithm.name != "p2c"
        self.known = [
            (place, member)
            for place, member in enumerate(members(pool))
            if member.server.enabled and (member.weight > 0 or not weighted)
        ]
        self._clients: Clients | None = None

    @property
    def interchangeable(self) -> bool:
        """Whether nothing but weight and role tells members apart; under hrw their names do."""
        return self.pool.algorithm.name != "hrw"

    def acting(self, lost: Collection[int] = ()) -> list[Member]:
        """Return the servers that requests are shared out among: the primaries, or the backups where none serves."""
        usable = [member for place, member in self.known if place not in lost]
        return [member for member in usable if not member.server.backup] or usable

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return each server's share at low load; the members at the places `lost` are down.

        wrr is earliest deadline first, so weight / sum of weights over each whole cycle. p2c draws two servers, and the
        first wins where both are idle, so all get the same. hrw depends on the servers' names and on who the clients
        are: addresses drawn at random stand for them.
        """
        taking = self.acting(lost)
        if not taking:
            return nobody(self.pool)
        if len(taking) == 1:
            return all_to(self.pool, taking[0])
        name = self.pool.algorithm.name
        if name == "wrr":
            return spread(self.pool, taking, proportional([member.weight for member in taking]))
        if name == "p2c":
            return spread(self.pool, taking, proportional([1] * len(taking)))
        if name == "hrw":
            return self._by_client(taking)
        return Shares(None, reason=_LEAST_TIME if name == "leasttime" else _UNKNOWN)

    def _by_client(self, taking: list[Member]) -> Shares:
        from lbcheck.traffic.algorithms import rendezvous

        if any(not member.server.address.known for member in taking):
            return Shares(None, reason="hrw hashes the servers' names, and not all of them are known")
        if self._clients is None:
            known = [member for _, member in self.known]
            self._clients = rendezvous.Clients([_name(member) for member in known], [member.weight for member in known])
        at = {id(member): number for number, (_, member) in enumerate(self.known)}
        parts = self._clients.parts([at[id(member)] for member in taking])
        if parts is None:
            return Shares(None, reason=f"not computed: hrw over more than {rendezvous.MAX_SERVERS:,} servers")
        found = spread(self.pool, taking, parts)
        found.exact = False
        found.seed, found.stderr = rendezvous.SEED, self._clients.standard_error(parts)
        return found


def _name(member: Member) -> str:
    """Return what Traefik calls a server: its URL, as it is written."""
    url = member.server.options.get("url")
    return member.server.name if url is None else str(url.value)

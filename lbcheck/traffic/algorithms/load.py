"""Which requests are in flight where: what every choice by load, and every choice past full servers, looks at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: The limit of a server that takes any number of requests.
NO_LIMIT = float("inf")


class Load(ABC):
    """The servers of a pool by their places, with the requests in flight on each.

    `limits` are the most that a server takes (`NO_LIMIT`: any number); `free` are the places of those that have room,
    in order, `down` ones never among them. A rule says in `choose` which of them gets the next request.
    """

    __slots__ = ("free", "inflight", "limits", "room")

    def __init__(self, servers: int, limits: Sequence[float] | None = None, down: Collection[int] = ()) -> None:
        self.inflight = [0] * servers
        self.limits = list(limits) if limits is not None else [NO_LIMIT] * servers
        self.room = [server not in down and self.limits[server] > 0 for server in range(servers)]
        self.free = [server for server in range(servers) if self.room[server]]

    @abstractmethod
    def choose(self) -> int | None:
        """Return the server that the rule takes, None where it finds none with room."""

    def pick(self) -> int | None:
        """Return the server of the next request, which is then in flight."""
        server = self.choose()
        if server is not None:
            self.take(server)
        return server

    def take(self, server: int) -> None:
        """Note one more request on `server`."""
        self.inflight[server] += 1
        if self.inflight[server] == self.limits[server]:
            self.room[server] = False
            self.free.pop(bisect_left(self.free, server))

    def wait(self, server: int) -> None:
        """Note one more request that waits for `server`."""
        self.take(server)

    def release(self, server: int) -> None:
        """Note that a request on `server` has ended."""
        if self.inflight[server] == self.limits[server]:
            self.room[server] = True
            insort(self.free, server)
        self.inflight[server] -= 1

    def put(self, server: int, requests: int) -> None:
        """Put requests on an idle server, fewer than it takes or as many."""
        if requests:
            self.inflight[server] = requests - 1
            self.take(server)

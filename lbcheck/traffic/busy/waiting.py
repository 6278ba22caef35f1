"""What stands behind a choice: who waits where for a server to have room, and who is refused."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from lbcheck.traffic.algorithms.load import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.traffic.algorithms.load import Load

#: Where a refused request is: behind the places of the servers, in any list that has one more.
REFUSED = -1


class Balancer(Protocol):
    """A proxy's pool, for the closed loop."""

    @property
    def arrive(self) -> Callable[[], int | None]:
        """Take a request in: return the server that works on it from now on, or REFUSED; None where it waits."""

    @property
    def leave(self) -> Callable[[int], int | None]:
        """End a request on a server: return how many waiting ones begin there."""


class Passing:
    """nginx, as long as there is room: every request finds a server at once."""

    __slots__ = ("arrive", "leave")

    def __init__(self, rule: Load) -> None:
        self.arrive = rule.pick
        self.leave = rule.release


class Queueing:
    """HAProxy (src/backend.c assign_server_and_queue(), src/queue.c process_srv_queue()).

    A rule's limits say how many requests it gives to a server; of these the server works on at most `serving`, the
    rest waits for it. What finds no server waits in the backend's queue, or is refused where its key `binds` it to
    one (its queue is full: `maxqueue`). A server that ends a request takes the oldest of both queues; one without a
    limit never takes from the backend's.
    """

    __slots__ = ("_binds", "_now", "_queue", "_queues", "_rule", "_serving")

    def __init__(self, rule: Load, serving: Sequence[float], *, binds: bool) -> None:
        self._rule = rule
        self._serving = list(serving)
        self._binds = binds
        self._now = 0
        self._queue: deque[int] = deque()
        self._queues: list[deque[int]] = [deque() for _ in serving]

    def arrive(self) -> int | None:
        """Take a request in."""
        rule, queue = self._rule, self._queue
        server = None if queue and not rule.free else rule.choose()
        if server is None:
            if self._binds:
                return REFUSED
        elif rule.inflight[server] < self._serving[server]:
            rule.take(server)
            return server
        else:
            rule.wait(server)
            queue = self._queues[server]
        self._now += 1
        queue.append(self._now)
        return None

    def leave(self, server: int) -> int:
        """End a request, and begin those that waited for it."""
        rule, own, common = self._rule, self._queues[server], self._queue
        rule.release(server)
        if own:
            if common and common[0] < own[0]:
                common.popleft()
                rule.take(server)
            else:
                own.popleft()
            return 1
        begun = 0
        while common and rule.inflight[server] < self._serving[server] < NO_LIMIT:
            common.popleft()
            rule.take(server)
            begun += 1
        return begun

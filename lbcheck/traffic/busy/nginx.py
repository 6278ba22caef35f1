"""nginx's pools under load: least_conn, random two, least_time, and every method where `max_conns` is reached.

A server with `max_conns` requests is passed over as if it were down. Where all primaries are full the backups take
what is over, and where those are full too it is refused, or waits in the queue of NGINX Plus. Without `zone` each
worker counts for itself: the requests in flight are then one worker's.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

from lbcheck.traffic.algorithms import Shares, ketama, modulo, ring
from lbcheck.traffic.algorithms.leastconn import LeastConn
from lbcheck.traffic.algorithms.nginx import constant_key
from lbcheck.traffic.busy.choices import Draw, RandomTwo, Redrawn, Rehashed, RoundRobin
from lbcheck.traffic.busy.levels import settled
from lbcheck.traffic.busy.limits import limit
from lbcheck.traffic.busy.parts import Parts, even, of_amounts, simulated
from lbcheck.traffic.busy.rings import Points
from lbcheck.traffic.busy.waiting import Passing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.load import Load
    from lbcheck.traffic.algorithms.members import Member
    from lbcheck.traffic.algorithms.nginx import Upstream

#: Methods that look at load even where no server is full, and take the least loaded of all servers.
_LEAST = {"least_conn": 0, "least_time": 1}
#: An average in which the newest time counts for a twentieth spreads by so much of its mean where the times are
#: exponential: sqrt(1 / 39) (src/http/ngx_http_upstream_round_robin.h, ngx_http_upstream_response_time_avg()).
_TIME_SPREAD = 0.16
#: Lengths of the keys that stand for all others.
_KEY_LENGTHS = range(4, 40)


class Group:
    """The primaries, or the backups, with what the choice among them needs; `down` ones keep their places."""

    __slots__ = ("alike", "down", "limits", "method", "room", "upstream", "weights")

    def __init__(self, upstream: Upstream, peers: Sequence[Member], down: Collection[int], method: str) -> None:
        self.upstream = upstream
        self.weights = [peer.weight for peer in peers]
        self.down = down
        self.method = method
        self.limits = [0.0 if at in down else limit(peer.server) for at, peer in enumerate(peers)]
        self.room = sum(self.limits)
        self.alike = [
            None if at in down else kind for at, kind in enumerate(zip(self.weights, self.limits, strict=True))
        ]


def busy(upstream: Upstream, in_flight: int, seed: int) -> Shares:
    """Return an nginx pool's shares with so many requests in flight."""
    method = upstream.pool.algorithm.name
    quiet = upstream.shares()
    if quiet.servers is None and method not in _LEAST:
        return quiet
    primaries = Group(upstream, upstream.peers, upstream.down, method)
    others = [peer for _, peer in upstream.backups]
    unused = [at for at, peer in enumerate(others) if not peer.server.enabled or not peer.weight]
    backups = Group(upstream, others, frozenset(unused), method if method in _LEAST else "round_robin")
    reached = any(0 < bound < in_flight for bound in (primaries if primaries.room else backups).limits)
    if quiet.servers is not None and not reached and (in_flight == 1 or not _by_load(method)):
        return quiet
    random = Random(seed)  # noqa: S311 - a simulation, the same in every run
    members = [*upstream.peers, *others]
    if in_flight < primaries.room:
        parts = _parts(primaries, in_flight, random)
        parts.members += [0.0] * len(others)
        return parts.shares(upstream.pool, members, seed)
    return _beyond(primaries, backups, in_flight - int(primaries.room), random).shares(upstream.pool, members, seed)


def _by_load(method: str) -> bool:
    return method in _LEAST or method == "random_two"


def _beyond(primaries: Group, backups: Group, rest: int, random: Random) -> Parts:
    """Return the parts where all primaries are full, and stay so: `rest` requests are more than they take."""
    if rest < backups.room:
        found = _parts(backups, rest, random) if rest else Parts([0.0] * len(backups.limits))
        parts = of_amounts([*primaries.limits, *(rest * part for part in found.members)])
        parts.stderr, parts.simulated = found.stderr, found.simulated
        return parts
    refused = max(0, rest - int(backups.room) - _queue(primaries.upstream.pool))
    if not primaries.room and not backups.room:
        return Parts([0.0] * (len(primaries.limits) + len(backups.limits)), 1.0)
    return of_amounts([*primaries.limits, *backups.limits], refused)


def _queue(pool: Pool) -> int:
    """Return how many requests wait where all servers are full (NGINX Plus: `queue NUMBER [timeout=TIME]`).

    How long they wait is not looked at: the timeout, 60 s by default, is taken for long enough.
    """
    queue = pool.options.get("queue")
    word = str(queue.value).split(" ")[0] if queue is not None else ""
    return int(word) if word.isdecimal() else 0


def _parts(group: Group, in_flight: int, random: Random) -> Parts:
    """Return the parts within a group that is never full as a whole."""
    if group.method == "least_time":
        return _least_time(group, in_flight, random)
    if _by_load(group.method) and (found := even(group.alike)) is not None:
        return found
    rule, alike, work = _rule(group, random)
    if isinstance(rule, LeastConn) and (counts := settled(rule, in_flight)) is not None:
        return of_amounts(counts)
    return simulated(rule, Passing(rule), in_flight, alike, group.weights, random, work=work)


def _least_time(group: Group, in_flight: int, random: Random) -> Parts:
    """Return the parts under `least_time`, supposing that all response times are alike, as nobody knows them before.

    What is left of the choice is then (connections + 1) / weight. nginx sees the times as moving averages, which
    spread: the standard error says how far that moves requests among servers that are all busy.
    """
    found = even(group.alike)
    if found is not None:
        return found
    rule = LeastConn(group.weights, group.limits, group.down, ahead=1)
    counts = settled(rule, in_flight)
    if counts is not None:
        parts = of_amounts(counts)
    else:
        work = len(group.weights)
        parts = simulated(rule, Passing(rule), in_flight, group.alike, group.weights, random, work=work)
    spread = _TIME_SPREAD * max(part * (1 - part) for part in parts.members)
    parts.stderr = max(spread, parts.stderr or 0.0)
    return parts


def _rule(group: Group, random: Random) -> tuple[Load, Sequence[object], int]:
    """Return the method's rule, which servers are alike under it, and how many it looks at for a request."""
    upstream, weights, limits, down = group.upstream, group.weights, group.limits, group.down
    every = len(weights)
    if group.method == "least_conn":
        return LeastConn(weights, limits, down), group.alike, every
    if group.method == "random_two":
        return RandomTwo(Draw(weights, random), weights, limits, down), group.alike, 1
    if group.method == "random":
        return Redrawn(Draw(weights, random), weights, limits, down), group.alike, 1
    key = constant_key(upstream.pool)
    if group.method == "round_robin" or key == b"" or every < 2:
        return RoundRobin(weights, limits, down), group.alike, every
    apart = range(every)
    if group.method == "hash_consistent":
        return _points(group, key, random), apart, 1
    return Rehashed(_hashes(group.method, key, random), weights, limits, down), apart, 1


def _points(group: Group, key: bytes | None, random: Random) -> Load:
    upstream = group.upstream
    if key is None and not ring.worth_walking(upstream.points, len(group.weights), upstream.exact_points):
        chances = ketama.estimated_shares(upstream.names, upstream.weights)
        return Redrawn(Draw(chances, random), group.weights, group.limits, group.down)
    constant = None if key is None else crc32(key)

    def request() -> int:
        return int(random.random() * ring.CIRCLE) if constant is None else constant

    return Points(upstream.continuum, request, group.weights, group.limits, group.down)


def _hashes(method: str, key: bytes | None, random: Random) -> Callable[[], Iterator[int]]:
    if method == "ip_hash":
        return lambda: modulo.ip_hash_values(random.randbytes(4))
    if key is not None:
        return lambda: modulo.hash_values(key)
    return lambda: modulo.hash_values(random.randbytes(random.choice(_KEY_LENGTHS)))

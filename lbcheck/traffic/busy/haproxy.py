"""HAProxy's backends under load: leastconn, first, random, hash-balance-factor, and every algorithm past `maxconn`.

A server works on `maxconn` requests at most. What is over waits: for its own server where a key decides (up to
`maxqueue`, then it gets a 503), in the backend's queue under the other algorithms, which pass over full servers;
leastconn lets up to `maxqueue` wait for a server first. Waits are taken for shorter than `timeout queue`.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.haproxy import HASHES, constant_hash
from lbcheck.traffic.algorithms.leastconn import LeastConnTree
from lbcheck.traffic.algorithms.load import NO_LIMIT
from lbcheck.traffic.algorithms.ring import CIRCLE
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE
from lbcheck.traffic.busy.choices import Bound, Draw, LeastDrawn, Slots, Window
from lbcheck.traffic.busy.levels import settled
from lbcheck.traffic.busy.limits import UnknownError, queue_length, working_limit
from lbcheck.traffic.busy.parts import Parts, even, of_amounts, simulated, simulated_from_empty
from lbcheck.traffic.busy.rings import Bounds, drawing, walking
from lbcheck.traffic.busy.waiting import Queueing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.model import Algorithm
    from lbcheck.traffic.algorithms import Shares
    from lbcheck.traffic.algorithms.haproxy import Backend
    from lbcheck.traffic.algorithms.load import Load


#: Requests that wait for their own servers gather at the slowest one, which takes the longer the more there are.
_GATHERING = 2_000


class Loaded:
    """A backend with so many requests in flight: what its acting servers work on at most, and let wait."""

    __slots__ = ("alike", "backend", "factor", "in_flight", "queues", "quiet", "random", "serving", "weights")

    def __init__(self, backend: Backend, quiet: Shares, in_flight: int, seed: int) -> None:
        pool = backend.pool
        servers = [member.server for member in backend.acting]
        self.backend = backend
        self.quiet = quiet
        self.in_flight = in_flight
        self.random = Random(seed)  # noqa: S311 - a simulation, the same in every run
        self.weights = [member.weight for member in backend.acting]
        self.serving = [working_limit(server, pool, in_flight) for server in servers]
        self.queues = [queue_length(server) for server in servers]
        self.alike = list(zip(self.weights, self.serving, self.queues, strict=True))
        algorithm = pool.algorithm
        on_ring = algorithm.name == "random" or (algorithm.consistent and algorithm.name in HASHES)
        self.factor = _factor(algorithm) if on_ring else 0

    @property
    def reached(self) -> bool:
        """Whether any server may come to its limit."""
        return min(self.serving) < self.in_flight

    @property
    def room(self) -> float:
        """How many requests all servers work on at most."""
        return sum(self.serving)

    def draw(self) -> Draw:
        """Return draws of servers by their shares at low load."""
        acting = self.backend.acting
        places = [member.index for member in acting]
        shares = self.quiet.servers or []
        return Draw([shares[place] / places.count(place) for place in places], self.random)

    def full(self) -> Parts:
        """Return the parts where every server works on as many requests as it may, all the time."""
        return of_amounts(self.serving)


def _factor(algorithm: Algorithm) -> int:
    if "opaque hash-balance-factor" in algorithm.options:
        raise UnknownError("the hash-balance-factor is filled in elsewhere")
    return 0 if algorithm.balance_factor is None else algorithm.balance_factor.value


def busy(backend: Backend, in_flight: int, seed: int) -> Shares:
    """Return a HAProxy backend's shares with so many requests in flight."""
    quiet = backend.shares()
    if quiet.servers is None or not backend.acting or in_flight == 1:
        return quiet
    loaded = Loaded(backend, quiet, in_flight, seed)
    algorithm = backend.pool.algorithm
    by_load = algorithm.name == "leastconn" or (algorithm.name == "random" and algorithm.draws > 1)
    if not loaded.reached and not by_load and not loaded.factor:
        return quiet
    parts = _ALGORITHMS[algorithm.name](loaded)
    return quiet if parts is None else parts.shares(backend.pool, backend.acting, seed)


def _common_queue(loaded: Loaded, rule: Load) -> Parts:
    """Return the parts under a rule that passes over full servers: what is left waits for any of them."""
    balancer = Queueing(rule, loaded.serving, binds=False)
    work = len(loaded.weights)
    return simulated(
        rule,
        balancer,
        loaded.in_flight,
        loaded.alike,
        loaded.weights,
        loaded.random,
        work=work,
        serving=loaded.serving,
    )


def _roundrobin(loaded: Loaded) -> Parts:
    if loaded.in_flight >= loaded.room:
        return loaded.full()
    return _common_queue(loaded, Window(loaded.weights, loaded.serving))


def _static_rr(loaded: Loaded) -> Parts:
    if loaded.in_flight >= loaded.room:
        return loaded.full()
    return _common_queue(loaded, Slots(loaded.weights, loaded.serving))


def _first(loaded: Loaded) -> Parts:
    """Return the parts under `first`: the lowest ids are full all the time, the next one takes the rest."""
    acting = loaded.backend.acting
    left: float = loaded.in_flight
    amounts = [0.0] * len(acting)
    for at in sorted(range(len(acting)), key=lambda at: acting[at].number):
        amounts[at] = min(left, loaded.serving[at])
        left -= amounts[at]
    return of_amounts(amounts)


def _leastconn(loaded: Loaded) -> Parts:
    found = even(loaded.alike)
    if found is not None:
        return found
    limits = [serving + queue for serving, queue in zip(loaded.serving, loaded.queues, strict=True)]
    if loaded.in_flight >= sum(limits):
        return loaded.full()
    rule = LeastConnTree(loaded.weights, limits)
    waits = loaded.reached and any(loaded.queues)  # waiting requests count late, so that they may be unevenly spread
    counts = None if waits else settled(rule, loaded.in_flight)
    if counts is not None:
        return of_amounts(counts)
    return _common_queue(loaded, rule)


def _random(loaded: Loaded) -> Parts:
    """Return the parts under `random`: a server that is drawn and full is waited for in the backend's queue."""
    if loaded.in_flight > loaded.room:
        return loaded.full()
    draws = max(1, loaded.backend.pool.algorithm.draws)
    rule = LeastDrawn(_choice(loaded, None), draws, loaded.weights, loaded.serving)
    return _in_loop(loaded, rule, binds=False)


def _bound(loaded: Loaded) -> Parts | None:
    """Return the parts where a key decides about the server; None where they are those at low load.

    What finds its server full waits for it, so that each server gets its share; only a full queue turns requests away.
    """
    pool = loaded.backend.pool
    limits = [serving + (queue or NO_LIMIT) for serving, queue in zip(loaded.serving, loaded.queues, strict=True)]
    affinity = pool.options.get("hash-preserve-affinity")
    if affinity is not None and affinity.value != "always" and pool.algorithm.consistent and loaded.reached:
        raise UnknownError(f"hash-preserve-affinity {affinity.value} is not emulated")
    if not loaded.factor and min(limits) >= loaded.in_flight:
        return None
    rule = Bound(_choice(loaded, constant_hash(pool)), limits)
    if not loaded.reached:
        return _in_loop(loaded, rule, binds=True)
    if loaded.in_flight > _GATHERING:
        raise UnknownError(f"how long queues get is not simulated with more than {_GATHERING:,} requests in flight")
    balancer = Queueing(rule, loaded.serving, binds=True)
    return _with_arcs(loaded, simulated_from_empty(balancer, loaded.in_flight, _alike(loaded), loaded.random))


def _choice(loaded: Loaded, constant: int | None) -> Callable[[Load], int]:
    """Return how a server is drawn, or found for a hash: by its share at low load, within its bounds if it has any."""
    draw, random = loaded.draw(), loaded.random
    if not loaded.factor:
        return lambda _load: draw()
    bounds = Bounds(loaded.factor, [weight * WEIGHT_SCALE for weight in loaded.weights], loaded.serving)
    if not loaded.quiet.exact:
        return drawing(draw, bounds, random)

    def request() -> int:
        return int(random.random() * CIRCLE) if constant is None else constant

    return walking(loaded.backend.tree, bounds, request)


def _alike(loaded: Loaded) -> Sequence[object]:
    """Return what tells servers on a ring apart: their points, unless nobody looks at these."""
    return range(len(loaded.weights)) if loaded.quiet.exact else loaded.alike


def _in_loop(loaded: Loaded, rule: Load, *, binds: bool) -> Parts:
    parts = simulated(
        rule,
        Queueing(rule, loaded.serving, binds=binds),
        loaded.in_flight,
        _alike(loaded),
        loaded.weights,
        loaded.random,
        serving=loaded.serving,
    )
    return _with_arcs(loaded, parts)


def _with_arcs(loaded: Loaded, parts: Parts) -> Parts:
    """Return parts with the error that not looking at points makes."""
    if not loaded.quiet.exact:
        parts.stderr = max(loaded.quiet.stderr or 0.0, parts.stderr or 0.0)
    return parts


_ALGORITHMS: dict[str, Callable[[Loaded], Parts | None]] = {
    "roundrobin": _roundrobin,
    "static-rr": _static_rr,
    "first": _first,
    "leastconn": _leastconn,
    "random": _random,
    "sticky": _bound,
    **dict.fromkeys(HASHES, _bound),
}

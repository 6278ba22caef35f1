"""Envoy's shares: first a priority is chosen, then a locality, then a host, by the cluster's policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.traffic.algorithms import Shares, hashtables, priorities
from lbcheck.traffic.algorithms.members import Member, members, nobody, proportional
from lbcheck.traffic.algorithms.ring import standard_error, worth_walking

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms.ring import Ring

#: Policies under which a host's weight is its part.
_BY_WEIGHT = frozenset({"round_robin", "least_request"})
HASHES = ("ring_hash", "maglev")


class Host:
    """A host as the policies see it: `healthy` as the config says, `key` what is hashed for it (None: not known).

    One that is `draining` is left out where Envoy reckons how many of its hosts are healthy.
    """

    __slots__ = ("draining", "healthy", "key", "locality", "member", "place", "priority")

    def __init__(self, place: int, member: Member, key: str | None) -> None:
        server = member.server
        self.place = place
        self.member = member
        self.priority = server.priority.value if server.priority is not None else int(server.backup)
        locality = server.options.get("locality")
        self.locality = locality.value if locality is not None else ""
        self.healthy = server.enabled
        self.draining = "draining" in server.options
        self.key = key


class Cluster:
    """A pool's hosts by priority, and what their policy needs."""

    __slots__ = ("_exact_points", "_factor", "_points", "_threshold", "hosts", "levels", "pool", "reason")

    def __init__(self, pool: Pool, exact_points: int | None = None) -> None:
        self.pool = pool
        self._exact_points = exact_points
        by_name = bool(_value(pool.algorithm.options, "use_hostname_for_hashing", otherwise=False))
        self.hosts = [
            Host(place, member, _hash_key(member, by_name=by_name)) for place, member in enumerate(members(pool))
        ]
        count = max((host.priority for host in self.hosts), default=0) + 1
        self.levels: list[list[Host]] = [[] for _ in range(count if count <= _MAX_LEVELS else 0)]
        for host in self.hosts:
            if host.priority < len(self.levels):
                self.levels[host.priority].append(host)
        self._factor = int(_value(pool.options, "overprovisioning", otherwise=priorities.OVERPROVISIONING))
        self._threshold = min(100, round(float(_value(pool.options, "panic", otherwise=priorities.PANIC))))
        self._points = hashtables.Points(str(_value(pool.algorithm.options, "hash_function", otherwise="XX_HASH")))
        self.reason = _reason(pool, self.hosts)

    @property
    def interchangeable(self) -> bool:
        """Whether nothing but weight and priority tells hosts apart: neither a locality nor arcs."""
        weighted = self._weighted and len({host.locality for host in self.hosts}) > 1
        return self.pool.algorithm.name not in HASHES and not weighted

    @property
    def _weighted(self) -> bool:
        return bool(_value(self.pool.options, "localities", otherwise="flat") == "weighted")

    @property
    def _fails_on_panic(self) -> bool:
        """Whether in panic requests fail: only policies that may be zone-aware ask (load_balancer_impl.cc)."""
        fails = bool(_value(self.pool.algorithm.options, "fail_traffic_on_panic", otherwise=False))
        return fails and self.pool.algorithm.name not in HASHES

    def loads(self, lost: Collection[int] = ()) -> priorities.Loads:
        """Return the percents of the priorities when the hosts at these places are unhealthy."""
        levels = []
        for hosts in self.levels:
            good = [host for host in hosts if host.healthy and host.place not in lost]
            counting = [host for host in hosts if not host.draining]
            weighing, weight = (sum(host.member.weight for host in group) for group in (good, counting))
            levels.append(priorities.Level(len(good), len(counting), weighing, weight, len(hosts)))
        weighted = "weighted_priority_health" in self.pool.options
        return priorities.loads(levels, self._factor, self._threshold, weighted=weighted)

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return the pool's shares when Envoy takes the hosts at the places `lost` for unhealthy.

        In panic it sends requests to them all the same: those are unserved.
        """
        if self.reason is not None:
            return Shares(None, reason=self.reason)
        if not self.hosts:
            return nobody(self.pool)
        if not self.levels:
            return Shares(None, reason="it has a priority that Envoy does not allow")
        found = [0.0] * len(self.pool.servers)
        unserved = 0.0
        error: float | None = None
        loads = self.loads(lost)
        for percent, panic, hosts in zip(loads.percents, loads.panic, self.levels, strict=True):
            if not percent:
                continue
            using = hosts if panic else [host for host in hosts if host.healthy and host.place not in lost]
            if not using or (panic and self._fails_on_panic):
                unserved += percent / 100
                continue
            parts, off = self._parts(using, hosts, panic=panic)
            if parts is None:
                return Shares(None, reason=_NAMES)
            if not any(parts):  # the hash table is empty
                unserved += percent / 100
            error = max(error or 0.0, off * percent / 100) if off is not None else error
            for host, part in zip(using, parts, strict=True):
                if host.place in lost:
                    unserved += part * percent / 100
                else:
                    found[host.member.index] += part * percent / 100
        return Shares(found, unserved=min(1.0, unserved), exact=error is None, stderr=error)

    def _parts(
        self, using: Sequence[Host], every: Sequence[Host], *, panic: bool
    ) -> tuple[list[float] | None, float | None]:
        """Return each host's part of its priority's requests (None: not known) and the largest standard error."""
        name = self.pool.algorithm.name
        if name in HASHES:
            weights = self._normalised(using)
            return self._ring(using, weights) if name == "ring_hash" else (self._maglev(using, weights), None)
        if not self._weighted or panic:
            return self._within(using), None
        groups = _grouped(using)
        totals = _grouped([host for host in every if not host.draining])
        weights = [
            priorities.locality_weight(_locality_weight(group), len(group), len(totals[key]), self._factor)
            for key, group in groups.items()
        ]
        if not sum(weights):
            return self._within(using), None
        part_of: dict[int, float] = {}
        for weight, group in zip(weights, groups.values(), strict=True):
            for host, part in zip(group, self._within(group), strict=True):
                part_of[host.place] = part * weight / sum(weights)
        return [part_of[host.place] for host in using], None

    def _within(self, hosts: Sequence[Host]) -> list[float]:
        if self.pool.algorithm.name in _BY_WEIGHT:
            return proportional([host.member.weight for host in hosts])
        return proportional([1] * len(hosts))

    def _normalised(self, using: Sequence[Host]) -> list[float]:
        """Return the hosts' parts before the hash table is made; a locality's weight counts as it is written.

        They are 0 where no locality of the priority has a weight: Envoy then puts no host into the table
        (normalizeLocalityWeights() in thread_aware_lb_impl.cc).
        """
        if not self._weighted:
            return proportional([host.member.weight for host in using])
        groups = _grouped(using)
        every = self.levels[using[0].priority] if using else ()
        total = sum(_locality_weight(group) for group in _grouped(every).values())
        part_of = dict.fromkeys((host.place for host in using), 0.0)
        for group in groups.values():
            for host, part in zip(group, proportional([one.member.weight for one in group]), strict=True):
                part_of[host.place] = part * _locality_weight(group) / total if total else 0.0
        return [part_of[host.place] for host in using]

    def _ring(self, using: Sequence[Host], weights: Sequence[float]) -> tuple[list[float] | None, float | None]:
        taking = [(host, weight) for host, weight in zip(using, weights, strict=True) if weight > 0]
        if not taking:
            return [0.0] * len(using), None
        if len(taking) == 1:
            return [1.0 if weight > 0 else 0.0 for weight in weights], None
        parts = [weight for _, weight in taking]
        counts = self.point_counts(parts)
        keys = [host.key for host, _ in taking]
        if len(set(keys)) < len(keys) and None not in keys:
            return None, None  # hosts of one key stand on the same points
        if not worth_walking(sum(counts), len(taking), self._exact_points):
            estimated = [weight / sum(parts) if weight > 0 else 0.0 for weight in weights]
            return estimated, standard_error(estimated, sum(counts))
        if None in keys:
            return None, None
        ring = self.ring([key or "" for key in keys], parts)
        arcs = dict(zip((host.place for host, _ in taking), ring.clockwise_arcs(len(taking)), strict=True))
        return [arcs.get(host.place, 0) / hashtables.VALUES for host in using], None

    def acting(self, lost: Collection[int] = ()) -> list[tuple[Host, float]] | None:
        """Return the hosts of the one priority that takes all requests, with their parts; None where several do.

        The hosts at the places `lost` are unhealthy.
        """
        loads = self.loads(lost) if self.levels else None
        if loads is None or 100 not in loads.percents:
            return None
        level = loads.percents.index(100)
        using = [host for host in self.levels[level] if (host.healthy and host.place not in lost) or loads.panic[level]]
        return [(host, part) for host, part in zip(using, self._normalised(using), strict=True) if part > 0]

    def ring(self, keys: Sequence[str], parts: Sequence[float]) -> Ring:
        """Return the ring of hosts with these keys and parts."""
        return hashtables.ring(keys, self.point_counts(parts), self._points)

    def table(self, keys: Sequence[str], parts: Sequence[float]) -> list[int]:
        """Return Maglev's table of hosts with these keys and parts, as places in the given order."""
        size = int(_value(self.pool.algorithm.options, "table_size", otherwise=hashtables.TABLE))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        found = hashtables.table(tuple(keys[at] for at in order), tuple(parts[at] for at in order), size)
        return [order[at] for at in found]

    def point_counts(self, parts: Sequence[float]) -> list[int]:
        """Return the points of each host on the ring."""
        options = self.pool.algorithm.options
        least = int(_value(options, "minimum_ring_size", otherwise=hashtables.MINIMUM_RING))
        most = int(_value(options, "maximum_ring_size", otherwise=hashtables.MAXIMUM_RING))
        return hashtables.point_counts(parts, least, most)

    def _maglev(self, using: Sequence[Host], weights: Sequence[float]) -> list[float]:
        """Return the parts of the table's places; between hosts of one weight the order of the keys decides one."""
        size = int(_value(self.pool.algorithm.options, "table_size", otherwise=hashtables.TABLE))
        order = sorted(range(len(using)), key=lambda at: using[at].key or "")
        taking = [at for at in order if weights[at] > 0]
        found = [0.0] * len(using)
        if taking:
            counts = hashtables.table_counts([weights[at] for at in taking], size)
            for at, count in zip(taking, counts, strict=True):
                found[at] = count / size
        return found


#: More priorities than these are not looked at (Envoy allows 128).
_MAX_LEVELS = 129
_NAMES = "its ring is made of the addresses that names resolve to"


def ring_points(pool: Pool) -> int:
    """Return the points of a cluster's ring in normal operation; 0 where it has none."""
    if pool.algorithm.name != "ring_hash":
        return 0
    serving = pool.serving
    weights = [server.weight.value for server in serving for _ in range(server.count)]
    if not weights:
        return 0
    options = pool.algorithm.options
    least = int(_value(options, "minimum_ring_size", otherwise=hashtables.MINIMUM_RING))
    most = int(_value(options, "maximum_ring_size", otherwise=hashtables.MAXIMUM_RING))
    return int(hashtables.scale(proportional(weights), least, most))


def _value(options: Any, name: str, *, otherwise: Any) -> Any:
    setting = options.get(name)
    return otherwise if setting is None or setting.value is None else setting.value


def _hash_key(member: Member, *, by_name: bool) -> str | None:
    """Return what is hashed for a host: its own key, its name if names are hashed, else its address."""
    server = member.server
    own = server.options.get("hash_key")
    if own is not None:
        return str(own.value)
    address = server.address
    if by_name:
        named = server.options.get("hostname")
        return str(named.value) if named is not None else address.host if address.kind == "name" else ""
    if address.kind in ("ipv4", "ipv6"):
        return address.text
    return address.host if address.kind == "unix" else None


def _reason(pool: Pool, hosts: Sequence[Host]) -> str | None:
    """Say why the shares cannot be known; None where they can."""
    algorithm = pool.algorithm
    opaque = pool.options.get("opaque policy")
    if opaque is not None:
        return str(opaque.value)
    if algorithm.name not in {*HASHES, *_BY_WEIGHT, "random"}:
        return _OPAQUE.get(algorithm.name, f"{algorithm.name} is not emulated")
    if "subset" in algorithm.options:
        return "each route's metadata chooses a subset of its hosts"
    if _value(algorithm.options, "hash_function", otherwise="XX_HASH") == "":
        return "its hash function is not known"
    of_hosts = {name for host in hosts for name in host.member.server.options}
    return next((reason for name, reason in _UNKNOWN_HOSTS.items() if name in of_hosts), None) or next(
        (reason for name, reason in _UNKNOWN.items() if name in pool.options), None
    )


_OPAQUE = {
    "opaque": "its load-balancing policy is not known",
    "cluster_provided": "the cluster's own type chooses the host",
    "client_side_weighted_round_robin": "the hosts' own load reports decide their weights",
}
#: Options of a host that let nobody know its part.
_UNKNOWN_HOSTS = {
    "unknown status": "the health status of some of its hosts is not known",
    "degraded": "some of its hosts are degraded",
}
#: Options of a pool that let something unknown choose.
_UNKNOWN = {
    "runtime": "the upstream.healthy_panic_threshold of its runtime is not known",
    "maintenance": "its runtime lets Envoy refuse a part of its requests (upstream.maintenance_mode)",
    "zone aware": "zone-aware routing follows where this Envoy and its peers run",
    "drop_overloads": "its policy drops a part of the requests",
}


def _grouped(hosts: Sequence[Host]) -> dict[str, list[Host]]:
    found: dict[str, list[Host]] = {}
    for host in hosts:
        found.setdefault(host.locality, []).append(host)
    return found


def _locality_weight(group: Sequence[Host]) -> int:
    weights = (host.member.server.options.get("locality weight") for host in group)
    return next((int(weight.value) for weight in weights if weight is not None), 0)

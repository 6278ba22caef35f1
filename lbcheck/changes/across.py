"""What two balancers say in different words: pools of two dialects, brought to one form.

What one dialect cannot say is None here, and None is no difference: nobody changed what cannot be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.pairing import address

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from lbcheck.changes.outcome import ServerPair
    from lbcheck.model import Pool, Server

TURNS = "turns"
FEWEST = "fewest requests"
TWO_DRAWN = "the less busy of two drawn"
DRAWN = "drawn"
#: What algorithms do, where two dialects have different names for the same, or one name for different things: Envoy's
#: least_request and Traefik's p2c draw two servers, nginx's least_conn and HAProxy's leastconn look at all; HAProxy's
#: random draws two, nginx's and Envoy's one. What is not here is the dialect's alone: each one hashes in its own way.
_FAMILIES: Mapping[str, Mapping[str, str]] = {
    "nginx": {"round_robin": TURNS, "least_conn": FEWEST, "random": DRAWN, "random_two": TWO_DRAWN},
    "haproxy": {"roundrobin": TURNS, "static-rr": TURNS, "leastconn": FEWEST},
    "envoy": {"round_robin": TURNS, "least_request": TWO_DRAWN, "random": DRAWN},
    "traefik": {"wrr": TURNS, "p2c": TWO_DRAWN},
    "native": {"round_robin": TURNS, "least_connections": FEWEST, "random": DRAWN},
    "kubernetes": {"ROUND_ROBIN": TURNS, "LEAST_REQUEST": TWO_DRAWN, "RANDOM": DRAWN},
}
#: What stands for "whatever the implementation does": a Service's pods behind a Gateway or an Ingress, whose
#: controller picks the pods itself and never says in these objects how.
_NOT_SAID = frozenset({("kubernetes", "kube-proxy")})


class Member(NamedTuple):
    """A server: where it is, its weight among its pool's, whether it is a backup, and whether it is in rotation.

    `weight` is a fraction of the weights of the pool's servers of its role, for 3 and 1 are 30 and 10; None in
    Kubernetes, where pods have none.
    """

    address: Hashable
    weight: float | None
    role: str
    enabled: bool


class Group(NamedTuple):
    """A pool: how it chooses, and its servers in order of their addresses.

    `sticky` is what keeps a client on its server, "" where nothing does; None, like `family`, where it is not said.
    """

    family: str | None
    members: tuple[Member, ...]
    sticky: str | None
    open: str | None


def group(pool: Pool, dialect: str) -> Group:
    """Return a pool in the words of no dialect. Its name is not in it: each balancer has names of its own."""
    members = sorted((_member(server, pool, dialect) for server in pool.servers), key=repr)
    return Group(family(pool, dialect), tuple(members), _sticky(pool, dialect), pool.open)


def family(pool: Pool, dialect: str) -> str | None:
    """Return how a pool chooses, None where its dialect does not say it."""
    algorithm = pool.algorithm
    if (dialect, algorithm.name) in _NOT_SAID:
        return None
    if dialect == "haproxy" and algorithm.name == "random":
        return {1: DRAWN, 2: TWO_DRAWN}.get(algorithm.draws, f"the least busy of {algorithm.draws} drawn")
    return _FAMILIES.get(dialect, {}).get(algorithm.name, f"{dialect}'s {algorithm.name}")


def _sticky(pool: Pool, dialect: str) -> str | None:
    if "affinity" in pool.options:  # a Service's sessionAffinity, which kube-proxy remembers per client
        return "stick-table"
    if pool.persistence is not None:
        return pool.persistence.kind
    return None if (dialect, pool.algorithm.name) in _NOT_SAID else ""


def _member(server: Server, pool: Pool, dialect: str) -> Member:
    whole = sum(other.weight.value * other.count for other in pool.servers if other.role == server.role)
    weight = None if dialect == "kubernetes" else server.weight.value / whole if whole else 0.0
    return Member(address(server), weight, server.role, server.enabled)


def agree(one: object, other: object) -> bool:
    """Say whether two neutral forms are the same, as far as both dialects can say it."""
    if one is None or other is None:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(agree, one, other))
    return one == other


def same_group(old: Pool, old_dialect: str, new: Pool, new_dialect: str) -> bool:
    """Say whether two pools of different dialects choose alike among the same servers, all of them known."""
    if old.open is not None or new.open is not None:
        return False
    return agree(group(old, old_dialect), group(new, new_dialect))


def named(server: Server) -> bool:
    """Say whether somebody gave a server a name: in nginx, Envoy and others it is called by its address."""
    return server.name not in {server.address.text, server.address.host}


def renamed(pair: ServerPair) -> bool:
    """Say whether a server has a name in both dialects, and another one in each."""
    before, after = pair.before, pair.after
    return before is not None and after is not None and named(before) and named(after) and before.name != after.name

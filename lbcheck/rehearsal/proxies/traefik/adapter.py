"""Traefik under rehearsal, as `seam.Adapter` has it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.proxies import nodes
from lbcheck.rehearsal.proxies.seam import Adapter
from lbcheck.rehearsal.proxies.traefik.preparing import prepare
from lbcheck.rehearsal.proxies.traefik.told import messages
from lbcheck.rehearsal.proxies.varying import SOURCE
from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, rendezvous
from lbcheck.traffic.algorithms.traefik import Balancer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lbcheck.model import Config, Frontend, Pool, Route
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.preparing.samples import Sample
    from lbcheck.rehearsal.proxies.seam import Pick

#: It listens before it has read what its routers are.
_SETTLE = 8.0
#: Services that hold services are followed so far.
_MAX_DEPTH = 20


def executable(path: str) -> str:
    """Return the program at a path: it is Traefik."""
    return os.path.realpath(path)


def takes(config: Config) -> bool:
    """Say whether its routers are written in files: those of containers' labels are Docker's to tell."""
    return config.tree.project is None


def unfit(pool: Pool, leading: Sequence[tuple[Frontend, Route]]) -> str | None:
    """Return why the pool cannot be rehearsed; None where it can."""
    del leading
    if pool.open is not None:
        return f"{pool.open}: the rehearsal does not cover that"
    schemes = {str(server.options["scheme"].value) for server in pool.servers if "scheme" in server.options}
    if "h2c" in schemes:
        return "the stubs do not speak HTTP/2"
    check = pool.check
    if check is None:
        return None
    if check.kind not in {"http", "tcp"} or "send" in check.options:
        return f"the stubs do not answer {check.kind} checks"
    return "its checks speak another protocol than its servers" if "scheme" in check.options else None


def draws(config: Config, route: Route) -> bool:
    """Say whether a route's services take turns by weight; by highest random weight, the client's address decides."""
    for protocol in ("http", "tcp"):
        router = config.tree.entries.of(protocol, "routers").get(route.label)
        if router is not None and router.key.span == route.span and "service" in router.fields:
            services = config.tree.entries.of(protocol, "services")
            entry = services.get((nodes.text(router.fields["service"][1]) or "").partition("@")[0])
            return entry is not None and _all_turn(services, entry, 0)
    return False


def _all_turn(services: Any, entry: Any, depth: int) -> bool:
    """Say whether a service, and those that it holds, take turns."""
    if "highestrandomweight" in entry.fields or depth > _MAX_DEPTH:
        return False
    if "weighted" not in entry.fields:
        return True
    words = [nodes.text(one) or "" for _, one in nodes.walked([entry.fields["weighted"][1]])]
    held = [services[name] for word in words if (name := word.partition("@")[0]) in services]
    return all(_all_turn(services, one, depth + 1) for one in held)


def varied(pool: Pool, sample: Sample) -> str:
    """Return what has to differ from request to request for the pool's key to differ (`Load.vary`)."""
    del sample
    return SOURCE if pool.algorithm.name == "hrw" else ""


def ordered(pool: Pool, lost: Collection[int] = ()) -> bool:
    """Say whether servers take turns, whichever are gone."""
    del lost
    return pool.algorithm.name == "wrr"


def picker(pool: Pool, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to its server; None where the pool does not hash."""
    found = balancer(pool, "traefik", MAX_RING_POINTS)
    if pool.algorithm.name != "hrw" or not isinstance(found, Balancer):
        return None
    taking = found.acting(lost)
    names = [str(one.server.options["url"].value) for one in taking if "url" in one.server.options]
    if len(taking) < 2 or len(names) < len(taking):
        return None
    weights = [member.weight for member in taking]

    def pick(ask: Ask) -> int | None:
        return taking[rendezvous.choice(ask.source, names, weights)].index if ask.source else None

    return pick


def turn(run: Sequence[str]) -> tuple[tuple[str, ...], int] | str:
    """Return why there is no reload."""
    del run
    return "Traefik takes changed files by itself, which is not rehearsed"


ADAPTER = Adapter(
    "traefik",
    "download it from https://github.com/traefik/traefik/releases",
    prepare=prepare,
    messages=messages,
    unfit=unfit,
    varied=varied,
    ordered=ordered,
    picker=picker,
    turn=turn,
    executable=executable,
    takes=takes,
    draws=draws,
    silence=True,
    reshuffled=frozenset({"wrr"}),
    settle=_SETTLE,
)

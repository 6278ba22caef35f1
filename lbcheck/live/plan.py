"""What is to be tried of each server of a config, or why nothing can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.live import envoy, haproxy, native, nginx
from lbcheck.live.outcome import NOT_PROBED, PLANNED, ProbedPool, ProbedServer, Verdict
from lbcheck.live.target import OUT_OF_ROTATION, Connect, ImpossibleError
from lbcheck.redaction import masked, ranges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.live.here import Here
    from lbcheck.live.target import Target
    from lbcheck.model import Config, Pool, Server

    Asking = nginx.Asking | haproxy.Asking | envoy.Asking | native.Asking

_ASKING: dict[str, type[Asking]] = {
    "nginx": nginx.Asking,
    "haproxy": haproxy.Asking,
    "envoy": envoy.Asking,
    "native": native.Asking,
}


class Planned(NamedTuple):
    """One server and what to try of it; no target, where nothing can be tried, for a `reason`."""

    server: Server
    target: Target | None
    reason: str | None = None


class PlannedPool(NamedTuple):
    """One pool with what to try of its servers."""

    config: Config
    pool: Pool
    servers: tuple[Planned, ...]


def plan(config: Config, here: Here) -> list[PlannedPool]:
    """Return what is to be tried of the pools of a config."""
    kind = _ASKING.get(config.dialect)
    asking = None if kind is None else kind(config, here)
    found = []
    for pool in config.pools:
        if asking is None:
            why = f"what {config.dialect} would ask its servers is not known"
            planned = [Planned(server, None, why) for server in pool.servers]
        else:
            planned = [one for server in pool.servers for one in _planned(asking, pool, server)]
        found.append(PlannedPool(config, pool, tuple(planned)))
    return found


def _planned(asking: Asking, pool: Pool, server: Server) -> Iterator[Planned]:
    """Yield what to try. Of a server out of rotation its name still has to exist; not so in a disabled backend."""
    out = "disabled" in pool.options or not server.enabled
    try:
        targets = list(asking.targets(pool, server))
    except ImpossibleError as error:
        yield Planned(server, None, OUT_OF_ROTATION if out else str(error))
        return
    if not out:
        yield from (Planned(server, target) for target in targets)
    elif server.address.kind == "name" and targets[0].needs_name and "disabled" not in pool.options:
        yield Planned(server, targets[0]._replace(only_name=True, asked="its name alone"))
    else:
        yield Planned(server, None, OUT_OF_ROTATION)


def reported(planned: PlannedPool, verdicts: Mapping[Target, Sequence[Verdict]] | None) -> ProbedPool:
    """Return a pool with what came of its servers; without verdicts, with what would be tried."""
    pool, servers = planned.pool, []
    for one in planned.servers:
        for verdict in _verdicts(one, verdicts):
            address, asked = one.server.address.text, one.target.asked if one.target is not None else None
            servers.append(
                ProbedServer(
                    one.server.name,
                    address,
                    one.server.role,
                    one.server.span.line,
                    None if asked is None else masked(asked, ranges(asked)),
                    verdict,
                )
            )
    return ProbedPool(
        planned.config.path,
        planned.config.dialect,
        pool.name,
        pool.span.path,
        pool.span.line,
        pool.open,
        tuple(servers),
    )


def _verdicts(planned: Planned, verdicts: Mapping[Target, Sequence[Verdict]] | None) -> Sequence[Verdict]:
    target = planned.target
    if target is None:
        return [Verdict(NOT_PROBED, reason=planned.reason)]
    if verdicts is not None:
        return verdicts[target]
    if target.only_name:
        return [Verdict(NOT_PROBED, reason=f"{OUT_OF_ROTATION}; only its name would be looked up")]
    places = [step.place for step in target.steps if isinstance(step, Connect)]
    if target.traffic is not None:
        places.append(target.traffic.place)
    return [Verdict(PLANNED, connected_to=", ".join(dict.fromkeys(places)))]

"""`server-template`: as many servers as the name has addresses, if somebody looks them up and there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server
    from lbcheck.world import World

#: So much more room than there are containers is wanted, for the new ones beside the old ones of an update.
_ROOM = 1.2
#: More related places than this are not listed.
_RELATED = 10
#: What Docker Swarm puts before a service's name to mean its containers.
_TASKS = "tasks."


def count_of_template(config: Config, _context: Context) -> Iterator[Hit]:
    """P13: a template whose servers all get one address, or fewer servers than there are containers behind its name."""
    if config.open is not None:
        return  # the defaults that were not seen may name resolvers
    for pool in config.pools:
        templates = [server for server in pool.enabled if server.count > 1 and server.address.kind == "name"]
        alike = [server for server in templates if server.resolve is None and _looked_up(server)]
        if alike:
            yield _without_resolvers(pool, alike)
        for server in templates:
            if server.resolve is not None and config.world is not None:
                yield from _short(pool, server, templates, config.world)


def _looked_up(server: Server) -> bool:
    """Say whether the system's resolver gives the address; else N05 speaks, or the runtime API fills the slots."""
    written = server.options.get("init-addr")
    return written is None or "libc" in str(written.value).split(",")


def _without_resolvers(pool: Pool, alike: Sequence[Server]) -> Hit:
    server = alike[0]
    args = {
        "server": server.name,
        "pool": pool.name,
        "problem": "it has no `resolvers`",
        "effect": f"all {server.count:,} are one machine, the first address of {server.address.host} at the start",
        "advice": "add a `resolvers` section with `hold obsolete`, and `resolvers NAME init-addr last,none` here",
    }
    related = [Related(other.span, "nor has this one") for other in alike[1:_RELATED]]
    return Hit("P13", server.span, args, related=related, pool=pool.name, server=server.name)


def _short(pool: Pool, server: Server, templates: Sequence[Server], world: World) -> Iterator[Hit]:
    """Yield a finding where the templates of one name in a pool have too few slots; on the first of them."""
    host = server.address.host or ""
    same = [other for other in templates if other.address.host == host]
    found = world.named(host.removeprefix(_TASKS)) if same[0] is server else []
    workloads = [workload for service in found for workload in service.workloads or ()]
    replicas = [workload.replicas for workload in workloads if workload.replicas is not None]
    there, slots = sum(replicas), sum(other.count for other in same)
    if len(replicas) < len(workloads) or there < 2 or slots >= there * _ROOM:
        return
    missing = there - slots
    args = {
        "server": server.name,
        "pool": pool.name,
        "problem": f"{counted(slots, 'slot')} for {there:,} containers of {host}",
        "effect": f"{missing:,} of them get no request" if missing > 0 else "an update's new ones find no room",
        "advice": f"raise the number to {max(round(there * _ROOM), there + 1)} or more",
    }
    related = [Related(workload.span, f"{workload.name} is here") for workload in workloads]
    severity = None if missing > 0 else INFO
    yield Hit("P13", server.span, args, severity=severity, related=related, pool=pool.name, server=server.name)

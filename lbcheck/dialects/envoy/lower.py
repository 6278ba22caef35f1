"""From resources to a config: clusters first, then the listeners whose routes lead to them, then everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import clusters, listeners, runtime
from lbcheck.dialects.envoy.addresses import address
from lbcheck.dialects.envoy.eds import Assignments
from lbcheck.dialects.envoy.mentions import mention
from lbcheck.dialects.envoy.world import World
from lbcheck.findings import Hit, NotChecked, Related
from lbcheck.model import Admin, Requirement, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message
    from lbcheck.dialects.envoy.resources import Resources
    from lbcheck.model import Config, Pool

#: Fields of outlier_detection.proto that older versions of Envoy refuse.
_SINCE = {"always_eject_one_host": (1, 31)}


def lower(resources: Resources, config: Config) -> None:
    """Fill a config from its resources."""
    for root in resources.v2:
        reason = "the API version 2, which Envoy reads no longer since 1.18"
        config.unmodelled.append(NotChecked(root.source.span(root.start, root.start), reason))
        config.open = config.open or reason
    world = World(config)
    assignments = Assignments(resources, config)
    for cluster in resources.clusters:
        pool = clusters.pool(cluster, assignments, config)
        if pool is not None:
            _named_once(world, pool)
            world.members.setdefault(pool.name, clusters.members(cluster))
            config.pools.append(pool)
    world.route_configs = {one.word("name"): one for one in resources.route_configs}
    world.hands_over = config.open is not None or any(one.true("use_original_dst") for one in resources.listeners)
    for listener in resources.listeners:
        config.frontends += listeners.listener(listener, world)
    if not resources.listeners:
        _unattached(resources, world)
    for bootstrap in resources.bootstraps:
        _bootstrap(bootstrap, config)
    _hash_keys(config)
    _protocols(config)
    mention(resources, world)
    for cluster in resources.clusters:
        detection = cluster.message("outlier_detection")
        for name, since in _SINCE.items():
            if name in detection:
                config.requirements.append(Requirement("envoy", name, since, detection.fields[name][0].span))


def _named_once(world: World, pool: Pool) -> None:
    first = world.pools.setdefault(pool.name, pool)
    if first is pool or clusters.templated(pool.name):
        return
    args = {"problem": f"there is another cluster {pool.name}", "advice": "give each its own name"}
    related = [Related(first.span, "the first one is here")]
    world.config.hits.append(Hit("E10", pool.span, args, related=related))


def _unattached(resources: Resources, world: World) -> None:
    """Lower route configurations whose listeners are elsewhere."""
    from lbcheck.dialects.envoy.routes import frontends

    for one in resources.route_configs:
        world.config.frontends += frontends(one, [], one.word("name"), world)


def _bootstrap(bootstrap: Message, config: Config) -> None:
    admin = bootstrap.message("admin")
    located = address(admin.message("address"), listener=True)
    if located is not None:
        where, span, _ = located
        guarded = "acl" if "allow_paths" in admin else "unix" if where.kind == "unix" else ""
        config.admins.append(Admin("admin", span, where, writable=True, protected=guarded))
    # Without one /runtime_modify answers "No admin layer specified" (source/server/admin/runtime_handler.cc).
    if any("admin_layer" in layer for layer in bootstrap.message("layered_runtime").messages("layers")):
        for admin_page in config.admins:
            admin_page.runtime = True
    runtime.override(bootstrap, config)
    for pool in config.pools if "local_cluster_name" in bootstrap.message("cluster_manager") else ():
        if pool.options["localities"].value != "weighted":
            pool.options = {**pool.options, "zone aware": Setting(True)}


def _hash_keys(config: Config) -> None:
    """Give each pool that hashes the key that its routes agree on."""
    keys: dict[int, list[Setting[str] | None]] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is not None and target.pool.algorithm.consistent:
                    keys.setdefault(id(target.pool), []).append(route.options.get("hash_policy"))
    for pool in config.pools:
        found = keys.get(id(pool))
        if not found:
            continue
        names = {None if key is None else key.value for key in found}
        first = found[0]
        if len(names) == 1 and first is not None:
            pool.algorithm.key = first


def _protocols(config: Config) -> None:
    """Call a pool that only TCP proxies lead to a TCP pool."""
    used: dict[int, set[str]] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is not None:
                    used.setdefault(id(target.pool), set()).add(frontend.protocol)
    for pool in config.pools:
        if used.get(id(pool)) == {"tcp"}:
            pool.protocol = "tcp"

"""Clusters that something else than a route uses: tracers, filters, access logs, control planes, scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.envoy.resources import Resources
    from lbcheck.dialects.envoy.world import World
    from lbcheck.dialects.yaml_nodes import Node

#: What a cluster calls itself, and the parts of it that name no other cluster.
_OWN = frozenset({"name", "load_assignment", "alt_stat_name"})
#: Longer texts are scripts, in which a name is looked for.
_SCRIPT = 40
#: So many looks for a name in a script are made.
_LOOKS = 500_000


def mention(resources: Resources, world: World) -> None:
    """Note every cluster whose name stands anywhere but in itself: rather too many than too few."""
    config = world.config
    if world.routes_open or resources.others:
        config.used.add(("", "*"))
    names = set(world.pools)
    if not names:
        return
    scripts = []
    for text in _texts(resources):
        if text in names:
            config.used.add(("", text))
        elif (len(text) > _SCRIPT or "%" in text) and not text.startswith("type.googleapis.com/"):
            scripts.append(text)
    if len(scripts) * len(names) > _LOOKS:
        config.used.add(("", "*"))
        return
    config.used.update(("", name) for text in scripts for name in names if name in text)


def _texts(resources: Resources) -> Iterator[str]:
    for bootstrap in resources.bootstraps:
        for name, (_, value) in bootstrap.fields.items():
            if name != "static_resources":
                yield from _scalars(value)
    for group in (resources.listeners, resources.route_configs, resources.others):
        for message in group:
            if message.node is not None:
                yield from _scalars(message.node)
    for cluster in resources.clusters:
        for name, (_, value) in cluster.fields.items():
            if name not in _OWN:
                yield from _scalars(value)


def _scalars(node: Node) -> Iterator[str]:
    """Yield the texts of the values below a node."""
    waiting = [node]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, ScalarNode):
            yield one.text
        elif id(one) not in seen:
            seen.add(id(one))
            waiting += one.items if isinstance(one, SequenceNode) else ()
            waiting += [value for _, value in one.pairs] if isinstance(one, MappingNode) else ()

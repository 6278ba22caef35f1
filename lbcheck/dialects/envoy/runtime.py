"""The runtime of a bootstrap: values by which its layers override what clusters say (envoy.config.bootstrap.v3).

Keys are written with dots or as nested mappings, and of two layers the later one counts (SnapshotImpl and
walkProtoValue() in runtime_impl.cc). `upstream.weight_enabled`, which old Envoys had, is in no Envoy of today: weights
count with it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import scalars
from lbcheck.dialects.envoy.message import TEMPLATE, Message, entries, first_line
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode
from lbcheck.findings import NotChecked
from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config, Pool

_PANIC = "upstream.healthy_panic_threshold"
_MAINTENANCE = "upstream.maintenance_mode."
#: Layers that are not in the bootstrap, and where they are.
_ELSEWHERE = {"disk_layer": "a directory", "rtds_layer": "a control plane"}
#: Keys whose values override what is modelled, and what it is.
_UNREAD = {
    "outlier_detection.": "outlier detection",
    "health_check.": "health checks",
    "circuit_breakers.": "circuit breakers",
    "upstream.use_retry": "retries",
}


def override(bootstrap: Message, config: Config) -> None:
    """Let a bootstrap's runtime override what the clusters of a config say."""
    values: dict[str, tuple[Node, bool]] = {}
    for layer in bootstrap.message("layered_runtime").messages("layers"):
        values.update(_static(layer))
        for name, where in _ELSEWHERE.items():
            if name in layer:
                reason = f"runtime values come from {where}"
                config.unmodelled.append(NotChecked(layer.fields[name][0].span, reason))
    for key, (node, _) in values.items():
        what = next((what for start, what in _UNREAD.items() if key.startswith(start)), None)
        if what is not None:
            config.unmodelled.append(NotChecked(first_line(node), f"runtime values for {what}"))
    for pool in config.pools:
        _apply(pool, values)


def _static(layer: Message) -> dict[str, tuple[Node, bool]]:
    """Return a layer's values by their whole keys, and whether each is written once: else Envoy takes any of them."""
    found: dict[str, tuple[Node, bool]] = {}
    for key, node in _flat(layer.get("static_layer")):
        found[key] = (node, key not in found)
    return found


def _flat(top: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the values below a node by their whole keys. Each mapping is read once: an alias may stand in itself."""
    waiting = [("", top)]
    seen: set[int] = set()
    while waiting:
        prefix, node = waiting.pop()
        if not isinstance(node, MappingNode) or id(node) in seen:
            continue
        seen.add(id(node))
        for name, (_, value) in entries(node).items():
            if isinstance(value, MappingNode) and {"numerator", "denominator"}.isdisjoint(entries(value)):
                waiting.append((f"{prefix}{name}.", value))
            else:
                yield prefix + name, value


def _apply(pool: Pool, values: dict[str, tuple[Node, bool]]) -> None:
    known = values.get(_PANIC)
    if known is not None:
        node, once = known
        percent = _number(node)
        if not once or (isinstance(node, ScalarNode) and TEMPLATE.search(node.text)):
            pool.options = {**pool.options, "runtime": Setting(True, first_line(node))}
        elif percent is not None:  # anything else is passed over, whatever other layers say
            pool.options = {**pool.options, "panic": Setting(float(percent), node.span)}
    refused = values.get(f"{_MAINTENANCE}{pool.name}")
    if refused is not None and _number(refused[0]) != 0:
        pool.options = {**pool.options, "maintenance": Setting(True, first_line(refused[0]))}


def _number(node: Node) -> int | None:
    """Return a natural number as getInteger() does, which cuts off what is behind the point; None for none."""
    value = scalars.number(node) if isinstance(node, ScalarNode) else None
    return int(value) if value is not None and 0 <= value < 1e9 else None

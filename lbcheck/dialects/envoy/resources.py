"""What a document holds: a bootstrap, or resources that a control plane or a file hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy.message import Message, snake
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode

if TYPE_CHECKING:
    from lbcheck.dialects.yaml_nodes import Node

#: Fields of a bootstrap that nothing else has at its top level.
BOOTSTRAP = frozenset(
    {"static_resources", "dynamic_resources", "layered_runtime", "cluster_manager", "overload_manager"}
)
#: Types of resources, by the last part of their names.
_KINDS = {
    "Listener": "listeners",
    "Cluster": "clusters",
    "RouteConfiguration": "route_configs",
    "ClusterLoadAssignment": "assignments",
    "VirtualHost": "others",
    "Secret": "others",
    "Runtime": "others",
    "ScopedRouteConfiguration": "others",
    "TypedExtensionConfig": "others",
}


class Resources:
    """The resources of one or several documents, by kind, in order of writing."""

    __slots__ = (
        "assignments", "bootstraps", "clusters", "documents", "listeners", "others", "route_configs", "v2",
    )  # fmt: skip

    def __init__(self) -> None:
        self.bootstraps: list[Message] = []
        self.listeners: list[Message] = []
        self.clusters: list[Message] = []
        self.route_configs: list[Message] = []
        self.assignments: list[Message] = []
        self.others: list[Message] = []
        #: Documents of the API version 2, which no Envoy since 1.18 reads.
        self.v2: list[Node] = []
        #: All documents, those too that hold nothing of these.
        self.documents: list[Node] = []

    def take(self, root: Node) -> bool:
        """Sort a document in; False where it is none of Envoy's."""
        message = Message(root)
        if is_bootstrap(root):
            if _is_v2(message):
                self.v2.append(root)
                return True
            self.bootstraps.append(message)
            static = message.message("static_resources")
            self.listeners += static.messages("listeners")
            self.clusters += static.messages("clusters")
            return True
        held = message.messages("resources") if "resources" in message else [message]
        found = False
        for one in held:
            url = one.word("@type")
            inner = one.message("resource") if url.endswith(".Resource") else one
            found = self._sort(inner.word("@type"), inner) or found
        return found or ("resources" in message and {"version_info", "type_url"} & set(message.fields) != set())

    def _sort(self, url: str, message: Message) -> bool:
        package, _, kind = url.rpartition("/")[2].rpartition(".")
        if not package.startswith("envoy.") or kind not in _KINDS:
            return False
        if ".v3" not in package + "." and not package.endswith("v3") and message.node is not None:
            self.v2.append(message.node)
            return True
        getattr(self, _KINDS[kind]).append(message)
        return True


def is_bootstrap(root: Node) -> bool:
    """Say whether a document is a bootstrap."""
    if not isinstance(root, MappingNode):
        return False
    names = {snake(key.text) for key, _ in root.pairs if isinstance(key, ScalarNode)}
    return bool(BOOTSTRAP & names) or ("admin" in names and "node" in names)


def _is_v2(message: Message) -> bool:
    """Say whether a bootstrap is of the API version 2: its clusters have `hosts`, its filters `config`."""
    static = message.message("static_resources")
    if any("hosts" in cluster or "tls_context" in cluster for cluster in static.messages("clusters")):
        return True
    chains = [chain for one in static.messages("listeners") for chain in one.messages("filter_chains")]
    filters = [item for chain in chains for item in chain.messages("filters")]
    if any("tls_context" in chain for chain in chains) or any(
        "config" in item and "typed_config" not in item for item in filters
    ):
        return True
    return any(".v2." in item.message("typed_config").word("@type") for item in filters)

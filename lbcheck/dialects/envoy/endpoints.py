"""Servers: the endpoints of a load assignment, by locality and priority (envoy.config.endpoint.v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.envoy.addresses import address, plain_endpoint, socket_address
from lbcheck.dialects.envoy.longlists import PlainEndpoint
from lbcheck.dialects.envoy.message import Message
from lbcheck.dialects.yaml_nodes import MappingNode
from lbcheck.findings import NotChecked
from lbcheck.model import BACKUP, PRIMARY, HealthCheck, Server, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Address, Config
    from lbcheck.text import Span

_ONE = Setting(1)
_FIRST = Setting(0)
#: Statuses by which a control plane takes a host out; Envoy counts them among all hosts, but not among the healthy;
#: but one that drains it does not count at all (upstream_impl.cc, excludeBasedOnHealthFlag()).
_DRAINING = "DRAINING"
_OUT = frozenset({"UNHEALTHY", _DRAINING, "TIMEOUT"})


class Common:
    """What a cluster says for all of its servers."""

    __slots__ = ("check", "checked", "passive", "tls")

    def __init__(
        self, check: HealthCheck | None, *, checked: Setting[bool], passive: bool, tls: Setting[bool] | None
    ) -> None:
        self.check = check
        self.checked = checked
        self.passive = passive
        self.tls = tls


class Locality:
    """What a LocalityLbEndpoints says for its servers: role and level, and the locality's name and weight."""

    __slots__ = ("options", "priority", "role", "weight", "zone")

    def __init__(self, message: Message) -> None:
        priority = message.integer("priority")
        self.priority = priority or _FIRST
        self.role = BACKUP if self.priority.value > 0 else PRIMARY
        named = message.message("locality")
        parts = [named.word(name) for name in ("region", "zone", "sub_zone")]
        self.options: dict[str, Setting[Any]] = {}
        place = message.place("locality") if "locality" in message else None
        if any(parts):
            self.options["locality"] = Setting("/".join(parts), place)
        label = parts[1] or parts[0]
        self.zone = Setting(label, place) if label else None
        self.weight = message.integer("load_balancing_weight")

    @property
    def key(self) -> tuple[int, str]:
        """What tells it from others: its priority and whole name."""
        named = self.options.get("locality")
        return self.priority.value, "" if named is None else named.value


def _localities(groups: Sequence[Message], *, looked_up: bool) -> list[Locality]:
    """Return the localities of a load assignment's groups.

    One that is written several times in a priority has one weight, the last that is written (PriorityStateManager in
    upstream_impl.cc): also where no endpoint is, but not where endpoints are looked up, which say it themselves.
    """
    found = [Locality(group) for group in groups]
    weights = {
        one.key: one.weight
        for one, group in zip(found, groups, strict=True)
        if one.weight is not None and (group.items("lb_endpoints") or not looked_up)
    }
    for one in found:
        if one.key in weights:
            one.options["locality weight"] = weights[one.key]
    return found


def kept(servers: list[Server]) -> tuple[list[Server], list[tuple[Server, Server]]]:
    """Return the servers that Envoy keeps of those of EDS, and each other one behind the first of its address.

    "When the configuration contains duplicate hosts, only the first one will be retained" (eds.cc), whatever their
    localities, priorities and weights. Clusters that are not of EDS keep them all.
    """
    first: dict[tuple[str, str | None, int | None], Server] = {}
    repeated = []
    found = []
    for server in servers:
        address = server.address
        known = first.setdefault((address.kind, address.host, address.port), server) if address.known else server
        if known is server:
            found.append(server)
        else:
            repeated.append((known, server))
    return found, repeated


def servers(assignment: Message, common: Common, config: Config, *, looked_up: bool) -> tuple[list[Server], str | None]:
    """Return the servers of a load assignment, and why they are not all of them (None: they are).

    `looked_up`: their cluster asks DNS for their addresses.
    """
    found: list[Server] = []
    missing = None
    groups = assignment.messages("endpoints")
    for group, locality in zip(groups, _localities(groups, looked_up=looked_up), strict=True):
        for name in ("leds_cluster_locality_config", "load_balancer_endpoints"):
            if name in group:
                missing = "a control plane sends its endpoints"
        for node in group.items("lb_endpoints"):
            made = _plain(node, locality, common) or _server(Message(node), locality, common)
            if made is not None:
                found.append(made)
            else:
                missing = missing or "not all of its endpoints could be read"
                config.unmodelled.append(NotChecked(node.span, "an endpoint without an address that could be read"))
    return found, missing


def _plain(node: Node, locality: Locality, common: Common) -> Server | None:
    written = node.scalars() if isinstance(node, PlainEndpoint) else plain_endpoint(node)
    if written is None:
        return None
    host, port = written
    found = socket_address(host.text, port)
    return _made(found, host.span, locality, common, locality.options)


def _made(found: Address, span: Span, locality: Locality, common: Common, options: dict[str, Setting[Any]]) -> Server:
    return Server(
        found.text,
        found,
        span,
        _ONE,
        locality.role,
        check=common.check,
        checked=common.checked,
        passive=common.passive,
        tls=common.tls,
        zone=locality.zone,
        priority=locality.priority,
        options=options,
    )


def _server(message: Message, locality: Locality, common: Common) -> Server | None:
    endpoint = message.message("endpoint")
    located = address(endpoint.message("address"))
    if located is None:
        return None
    found, span, _ = located
    options = {**locality.options, **_options(message, endpoint)}
    server = _made(found, span, locality, common, options)
    weight = message.integer("load_balancing_weight")
    if weight is not None:
        server.weight = weight
    elif "load_balancing_weight" in message:
        place = message.place("load_balancing_weight")
        server.weight = Setting(1, place)
        options["opaque weight"] = Setting(True, place)
    status = _status(message)
    if status is not None and status.value in _OUT:
        server.disabled = Setting(True, status.span)
    own = endpoint.message("health_check_config")
    if own.true("disable_active_health_check"):
        server.check, server.checked = None, Setting(False, own.place("disable_active_health_check"))
    elif own and common.check is not None:
        server.check = _moved(common.check, own)
    return server


def _status(message: Message) -> Setting[str] | None:
    return message.enum("health_status", "envoy.config.core.v3.HealthStatus")


def _options(message: Message, endpoint: Message) -> dict[str, Setting[Any]]:
    found: dict[str, Setting[Any]] = {}
    hostname = endpoint.text("hostname")
    if hostname is not None:
        found["hostname"] = hostname
    status = _status(message)
    if status is not None and not status.value:
        found["unknown status"] = status
    if status is not None and status.value == "DEGRADED":
        found["degraded"] = status
    if status is not None and status.value == _DRAINING:
        found["draining"] = status
    if "additional_addresses" in endpoint:
        found["additional_addresses"] = Setting(True, endpoint.place("additional_addresses"))
    keyed = message.message("metadata").message("filter_metadata").node
    own = (
        Message(keyed.fields()["envoy.lb"][1])
        if isinstance(keyed, MappingNode) and "envoy.lb" in keyed.fields()
        else None
    )
    hash_key = own.text("hash_key") if own is not None else None
    if hash_key is not None:
        found["hash_key"] = hash_key
    return found


def _moved(check: HealthCheck, own: Message) -> HealthCheck:
    """Return the cluster's check with an endpoint's own port, address and host name."""
    located = address(own.message("address"))
    host = own.text("hostname")
    port = own.integer("port_value")
    if port is not None and not port.value:
        port = None
    return HealthCheck(
        check.kind,
        check.span,
        interval=check.interval,
        timeout=check.timeout,
        fall=check.fall,
        rise=check.rise,
        port=port,
        address=Setting(located[0].host or "", located[1]) if located is not None else None,
        method=check.method,
        path=check.path,
        host=host or check.host,
        expect=check.expect,
        options=check.options,
    )


def priorities(assignment: Message) -> Iterator[tuple[int, Span]]:
    """Yield the priorities that are written, with their places."""
    for group in assignment.messages("endpoints"):
        priority = group.integer("priority")
        if priority is not None and priority.span is not None:
            yield priority.value, priority.span

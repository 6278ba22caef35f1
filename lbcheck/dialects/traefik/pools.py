"""Services with servers of their own, as pools of the model (pkg/server/service, pkg/healthcheck)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import values
from lbcheck.dialects.traefik.entries import IN_PROJECTS, local
from lbcheck.dialects.traefik.values import STATEMENT
from lbcheck.dialects.yaml_nodes import MappingNode
from lbcheck.model import Address, Algorithm, HealthCheck, Persistence, Pool, Server, Setting
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lbcheck.dialects.traefik.entries import Entry
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config

_ONE = Setting(1)
#: The field of a server that stands for several alike containers: how many, "" where that is not known. No file can
#: hold it (`labels`).
REPLICAS = "\0replicas"
#: The field of a server that names the profiles of which one must be active for its containers to run.
PROFILES = "\0profiles"
#: Stands for the port of a container of which neither labels nor the project say one: its image may expose several.
UNKNOWN_PORT = "${port}"
#: What no file can say of a server.
OF_CONTAINERS = (REPLICAS, PROFILES)
#: The field of a load balancer that holds what labels say of its server; no file can hold it.
SERVER = "\0server"
#: Names for how a service chooses (pkg/config/dynamic BalancerStrategy).
STRATEGIES = ("wrr", "p2c", "hrw", "leasttime")


class Transports:
    """The serversTransport sections, for the timeouts towards servers; the default one is part of the static file."""

    __slots__ = ("_default", "_known")

    def __init__(self, default: Fields, known: Mapping[str, Entry]) -> None:
        self._default = default
        self._known = known

    def of(self, fields: Fields, config: Config, protocol: str) -> dict[str, Setting[float]]:
        """Return the timeouts of a load balancer by its serversTransport: 30 s to connect where nothing is said."""
        named = f.text(fields, "serverstransport")
        said = self._default
        if named is not None:
            entry = self._known.get(local(named.value, IN_PROJECTS)[0])
            if entry is None:
                return {}
            said = entry.fields
        if protocol != "tcp":
            said = f.inside(said, "forwardingtimeouts")
        connect = f.duration(said, "dialtimeout", config.durations, "dialTimeout")
        found = {"connect": connect or Setting(30.0)}
        server = f.duration(said, "responseheadertimeout", config.durations, "responseHeaderTimeout")
        if server is not None and server.value > 0:
            found["server"] = server
        return found


def pool(entry: Entry, protocol: str, config: Config, transports: Transports) -> Pool:
    """Return the pool of a service that has a load balancer."""
    key, node = entry.fields["loadbalancer"]
    fields = f.of(node)
    check = _health_check(fields, protocol, config)
    checked = None
    if protocol == "http" or check is not None:  # not every version can check others
        checked = Setting(check is not None, None if check is None else check.span)
    passive = _passive(fields, config)
    servers = [
        made
        for item in f.items(fields, "servers")
        if (made := _server(item, protocol, check, checked, passive)) is not None
    ]
    return Pool(
        entry.name,
        entry.key.span,
        servers,
        _algorithm(fields),
        scope=protocol,
        protocol=protocol,
        open=_open(key, node, fields, servers),
        check=check,
        persistence=_persistence(fields),
        timeouts=transports.of(fields, config, protocol),
    )


def _open(key: Node, node: Node, fields: Fields, servers: list[Server]) -> str | None:
    """Say why the members or their weights are not all known."""
    if STATEMENT.search(node.source.text, key.start, node.end):
        return "a template decides its members"
    if len(servers) < len(f.items(fields, "servers")):
        return "not all of its servers have an address that could be read"
    for one in servers:
        if "opaque weight" in one.options:
            return f"the weight of {one.name} is a template"
        if "opaque count" in one.options:
            return f"how many containers of {one.name} run is not known"
    profiles = {str(one.options["profiles"].value) if "profiles" in one.options else "" for one in servers}
    if len(profiles) > 1:
        return f"which of its containers run depends on profiles ({listed(sorted(profiles - {''}))})"
    return None


def _algorithm(fields: Fields) -> Algorithm:
    written = f.text(fields, "strategy")
    if written is None:
        return Algorithm("wrr")
    name = written.value if written.value in STRATEGIES else "unknown"
    key = Setting("client address") if name == "hrw" else None
    return Algorithm(name, written.span, key=key, consistent=name == "hrw")


def _persistence(fields: Fields) -> Persistence | None:
    sticky = f.inside(fields, "sticky")
    if not f.switched(sticky, "cookie"):
        return None
    name = f.text(f.inside(sticky, "cookie"), "name")
    return Persistence("cookie", f.place(sticky["cookie"]), None if name is None else name.value, "insert")


def _health_check(fields: Fields, protocol: str, config: Config) -> HealthCheck | None:
    """Return the active check: one failed probe takes a server out, one good one takes it back (healthcheck.go)."""
    if protocol == "udp" or not f.written(fields, "healthcheck"):
        return None
    inside = f.inside(fields, "healthcheck")
    interval = _positive(f.duration(inside, "interval", config.durations, "interval"), 30.0)
    slow = f.duration(inside, "unhealthyinterval", config.durations, "unhealthyInterval")
    timeout = _positive(f.duration(inside, "timeout", config.durations, "timeout"), 5.0)
    options: dict[str, Setting[Any]] = {}
    for name in ("scheme", "followredirects", "mode"):
        said = f.text(inside, name)
        if said is not None:
            options[name] = said
    kind = "tcp"
    if protocol == "http":
        kind = "grpc" if options.get("mode", Setting("http")).value == "grpc" else "http"
    send = f.text(inside, "send")
    if send is not None:
        options["send"] = send
    return HealthCheck(
        kind,
        f.place(fields["healthcheck"]),
        interval=interval,
        timeout=timeout,
        fall=_ONE,
        rise=_ONE,
        down_interval=interval if slow is None else _positive(slow, 30.0),
        port=_port(inside),
        method=f.text(inside, "method"),
        path=f.text(inside, "path"),
        host=f.text(inside, "hostname"),
        expect=f.text(inside, "expect" if protocol == "tcp" else "status"),
        options=options,
    )


def _positive(setting: Setting[float] | None, default: float) -> Setting[float]:
    """Return a time; where it is not above zero, Traefik logs so and takes its default."""
    return setting if setting is not None and setting.value > 0 else Setting(default)


def _port(fields: Fields) -> Setting[int] | None:
    port = f.integer(fields, "port")
    return port if port is not None and port.value else None


def _passive(fields: Fields, config: Config) -> tuple[Setting[int], Setting[float]] | None:
    """Return (failures, window in seconds) of the passive check (3.6 and newer), None where there is none."""
    if not f.written(fields, "passivehealthcheck"):
        return None
    inside = f.inside(fields, "passivehealthcheck")
    window = f.duration(inside, "failurewindow", config.durations, "failureWindow")
    return f.integer(inside, "maxfailedattempts") or _ONE, window or Setting(10.0)


def _server(
    node: Node,
    protocol: str,
    check: HealthCheck | None,
    checked: Setting[bool] | None,
    passive: tuple[Setting[int], Setting[float]] | None,
) -> Server | None:
    fields = f.of(node)
    written = f.text(fields, "url" if protocol == "http" else "address")
    if written is None or written.span is None:
        return None
    scheme, address = address_of(written.value, protocol)
    if address is None:
        return None
    weight, options = _weight(fields)
    if scheme:
        options["scheme"] = Setting(scheme, written.span)
        options["url"] = written
    tls = Setting(True, written.span) if scheme in ("https", "wss") else f.boolean(fields, "tls")
    failures, window = passive or (None, None)
    replicas = f.integer(fields, REPLICAS)
    if REPLICAS in fields:  # Traefik hears from Docker which containers there are
        options |= _of_container(fields, written)
        address = _place(written.value) if "opaque port" in options else address
        checked = checked if check is not None else None
    return Server(
        address.text,
        address,
        node.span if isinstance(node, MappingNode) else written.span,
        weight,
        check=check,
        checked=checked,
        passive=passive is not None,
        max_fails=failures,
        fail_timeout=window,
        tls=tls,
        count=1 if replicas is None else replicas.value,
        options=options,
    )


def _of_container(fields: Fields, written: Setting[str]) -> dict[str, Setting[Any]]:
    """Return as options that the server is a container, and what is not known of it."""
    found: dict[str, Setting[Any]] = {"container": Setting(True, written.span)}
    if written.value.endswith(f":{UNKNOWN_PORT}"):
        found["opaque port"] = Setting(True, written.span)
    if f.integer(fields, REPLICAS) is None:
        found["opaque count"] = Setting(True, written.span)
    profiles = f.text(fields, PROFILES)
    return found if profiles is None else {**found, "profiles": profiles}


def _place(text: str) -> Address:
    """Return the address of a container whose port is not known, from its URL or address."""
    return Address(text.rpartition("/")[2].replace(UNKNOWN_PORT, "?"), "opaque", None, None)


def address_of(text: str, protocol: str) -> tuple[str, Address | None]:
    """Return (scheme, address) of a server as its protocol writes it; the address is None where it is none."""
    if protocol == "http":
        return values.url(text) or ("", None)
    address = values.endpoint(text)
    # Traefik wants a port here (net.SplitHostPort)
    return "", None if address is not None and address.known and address.port is None else address


def _weight(fields: Fields) -> tuple[Setting[int], dict[str, Setting[Any]]]:
    """Return the weight, and as an option that a template has yet to write it; one below 0 counts as 0."""
    weight = f.integer(fields, "weight")
    if weight is not None:
        return Setting(max(weight.value, 0), weight.span), {}
    if "weight" not in fields or not f.written(fields, "weight"):
        return _ONE, {}
    span = f.place(fields["weight"])
    return Setting(1, span), {"opaque weight": Setting(True, span)}

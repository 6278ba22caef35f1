"""Listeners: filter chains, HTTP connection managers and TCP proxies as frontends (envoy.config.listener.v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import readings
from lbcheck.dialects.envoy.addresses import address
from lbcheck.dialects.envoy.chains import ways
from lbcheck.dialects.envoy.choosing import chosen, code
from lbcheck.dialects.envoy.eds import source_path
from lbcheck.dialects.envoy.filters import answering, deciding
from lbcheck.dialects.envoy.hashing import key_of
from lbcheck.dialects.envoy.message import Message, texts
from lbcheck.dialects.envoy.redirects import door
from lbcheck.dialects.envoy.routes import frontends, leading_to, single, weighted
from lbcheck.findings import NotChecked
from lbcheck.model import EVERY_REQUEST, Condition, Frontend, Listener, Route, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.chains import Way
    from lbcheck.dialects.envoy.choosing import Choice
    from lbcheck.dialects.envoy.redirects import Door
    from lbcheck.dialects.envoy.world import World
    from lbcheck.text import Span

#: What brings connections to a listener that binds no port.
_HANDED_OVER = Condition("opaque", "exact", ["handed over by a listener with use_original_dst"])
#: Network filters that look at connections and pass them on to the last one.
_PASSING = frozenset(
    {
        "RBAC", "RateLimit", "LocalRateLimit", "ExtAuthz", "MySQLProxy", "PostgresProxy", "MongoProxy",
        "ZooKeeperProxy",
        "KafkaBroker", "ConnectionLimit", "SniCluster", "FilterConfig", "Wasm", "Config", "SetFilterState",
        "SniDynamicForwardProxy", "GeoIpFilter", "Geoip", "NetworkExternalProcessor", "TcpBandwidthLimit",
        "SetMetadata",
    }
)  # fmt: skip


def listener(message: Message, world: World) -> list[Frontend]:
    """Return the frontends of a listener: one for each virtual host, one for each TCP proxy."""
    name = message.text("name")
    places = _addresses(message)
    owner = name.value if name is not None else places[0].address.text if places else "listener"
    if "filter_chain_matcher" in message:
        reason = "a matcher tree chooses the filter chain"
        world.config.unmodelled.append(NotChecked(message.place("filter_chain_matcher"), reason))
    found = ways(message, places)
    if found and all("transport_socket" in way.chain or "tls_context" in way.chain for way in found):
        for place in places:
            place.tls = True
    return [frontend for way in found for frontend in _through(way, message, owner, world)]


def _through(way: Way, message: Message, owner: str, world: World) -> list[Frontend]:
    """Return the frontends of a filter chain, whose routes take what comes through it and nothing else."""
    made = _chain(way.chain, message, owner, way.places, world)
    unbound = _unbound(message)
    handed = (_HANDED_OVER,) if unbound and world.hands_over else ()
    for frontend in made:
        frontend.options = {**frontend.options, "entrance": _entrance(way.chain.message("filter_chain_match"))}
        if way.never or (unbound and not handed):
            frontend.options["no connections"] = frontend.options["entrance"] = Setting("never")
        for route in frontend.routes if way.conditions or handed else ():
            route.match = tuple((*handed, *way.conditions, *alternative) for alternative in route.match)
    return made


def _unbound(message: Message) -> bool:
    """Say whether a listener binds no port, so that only other listeners can hand connections over to it."""
    for holder in (message, message.message("deprecated_v1")):
        bound = holder.boolean("bind_to_port")
        if bound is not None:
            return not bound.value
    return False


def _entrance(match: Message) -> Setting[str]:
    """Return which connections a filter chain takes, by the fields that say so by names."""
    lists = [
        sorted(node.text for node in texts(match.get(name))) if name in match else []
        for name in ("server_names", "application_protocols")
    ]
    transport = match.text("transport_protocol")
    return Setting("" if not any(lists) and transport is None else repr((*lists, transport and transport.value)))


def _addresses(message: Message) -> list[Listener]:
    holders = [message, *message.messages("additional_addresses")]
    found = []
    for holder in holders:
        located = address(holder.message("address"), listener=True)
        if located is not None:
            where, span, udp = located
            found.append(Listener(where, span, transport="udp" if udp else "tcp"))
    return found


def _chain(chain: Message, message: Message, owner: str, places: list[Listener], world: World) -> list[Frontend]:
    """Return the frontends of a filter chain: its last filter decides."""
    names = (
        [node.text for node in texts(chain.message("filter_chain_match").get("server_names"))]
        if ("server_names" in chain.message("filter_chain_match"))
        else []
    )
    for item in chain.messages("filters"):
        kind, inside = item.typed("typed_config")
        if kind == "HttpConnectionManager":
            return _named_for(_answered(inside, _http(inside, door(chain, inside), owner, places, world)), names)
        if kind == "TcpProxy":
            world.config.unmodelled.extend(NotChecked(*one) for one in code(chain))
            return [_tcp(inside, item, owner, places, world, names, chosen(message, chain))]
        if kind in _PASSING:
            continue
        label = item.word("name", kind or "a filter")
        world.config.unmodelled.append(NotChecked(item.span, f"where the filter {label} sends its traffic"))
        route = Route(label, item.span, EVERY_REQUEST, outcome="unknown", expression=f"the filter {label}")
        return [Frontend(owner, _named(message, item), places, [route], protocol="tcp", hosts=names)]
    return []


def _named_for(found: list[Frontend], names: list[str]) -> list[Frontend]:
    """Note on a chain's frontends the names in TLS for which it is chosen, whatever their virtual hosts are called."""
    for frontend in found if names else ():
        frontend.options = {**frontend.options, "server names": Setting(names)}
    return found


def _answered(manager: Message, found: list[Frontend]) -> list[Frontend]:
    """Put what filters answer before the routes of each virtual host."""
    for frontend in found:
        frontend.routes = [*answering(manager), *frontend.routes]
    return found


def _named(message: Message, otherwise: Message) -> Span:
    name = message.text("name")
    return name.span if name is not None and name.span is not None else otherwise.span


def _http(manager: Message, entered: Door, owner: str, places: list[Listener], world: World) -> list[Frontend]:
    world.config.unmodelled.extend(deciding(manager))
    inline = "route_config" in manager
    name = manager.message("rds").word("route_config_name")
    known = manager.message("route_config") if inline else world.route_configs.get(name) if "rds" in manager else None
    if known is not None:
        found = frontends(known, places, owner, world, inline=inline, entered=entered)
        readings.note(found, manager, known)
        return found
    if "rds" in manager:
        path = source_path(manager.message("rds").message("config_source"))
        where = f"the file {path}, which was not given or has no such routes" if path else "a control plane"
        reason = f"the routes {name or 'of RDS'} come from {where}"
        world.config.unmodelled.append(NotChecked(manager.place("rds"), reason))
    elif "scoped_routes" in manager:
        reason = "each request's scope chooses its routes"
        world.config.unmodelled.append(NotChecked(manager.place("scoped_routes"), reason))
    else:
        return []
    world.routes_open = True
    place = manager.place("rds" if "rds" in manager else "scoped_routes")
    route = Route("routes of a control plane", place, EVERY_REQUEST, outcome="unknown", expression="a control plane")
    return [Frontend(owner, place, places, [route])]


def _connections(proxy: Message, item: Message, world: World, choice: Choice | None) -> Route:
    """Return the route of a TCP proxy, for every connection."""
    targets = single(proxy, world) or weighted(proxy.message("weighted_clusters"), world)
    place = targets[0].span if "cluster" in proxy and targets else item.span
    told = "the TCP proxy"
    if choice is not None and "weighted_clusters" not in proxy:
        place, told = choice.span, choice.how
        targets = [] if choice.cluster is None else leading_to(choice.cluster, world)
        if not targets:
            world.routes_open = True
            world.config.unmodelled.append(NotChecked(place, f"which cluster is chosen by {told}"))
    outcome = "pools" if targets else "unknown"
    return Route("every connection", place, EVERY_REQUEST, targets, outcome, expression=None if targets else told)


def _tcp(
    proxy: Message,
    item: Message,
    owner: str,
    places: list[Listener],
    world: World,
    names: list[str],
    choice: Choice | None,
) -> Frontend:
    options = {}
    key = key_of(proxy)
    if key is not None:
        options["hash_policy"] = key
    timeouts = {}
    idle = proxy.seconds("idle_timeout", world.config.durations)
    if idle is not None:
        timeouts["idle"] = idle
    attempts = proxy.integer("max_connect_attempts")
    if attempts is not None:
        options["max_connect_attempts"] = Setting(str(attempts.value), attempts.span)
    route = _connections(proxy, item, world, choice)
    route.timeouts, route.options = timeouts, options
    place = proxy.place("stat_prefix") if "stat_prefix" in proxy else item.span
    name = f"{owner}/{names[0]}" if names else owner
    return Frontend(name, place, places, [route], protocol="tcp", hosts=names)

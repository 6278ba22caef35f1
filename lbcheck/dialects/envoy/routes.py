"""Routes and virtual hosts of a route configuration (envoy.config.route.v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.envoy.filters import overriding
from lbcheck.dialects.envoy.hashing import key_of
from lbcheck.dialects.envoy.matches import route_match
from lbcheck.dialects.envoy.message import Message, texts
from lbcheck.dialects.envoy.redirects import redirect
from lbcheck.findings import NotChecked
from lbcheck.model import EVERY_REQUEST, Frontend, Retry, Route, Setting, WeightedTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.envoy.redirects import Door
    from lbcheck.dialects.envoy.world import World
    from lbcheck.model import Listener

#: Actions by which Envoy, or a filter, answers itself.
_ANSWERS = ("redirect", "direct_response", "non_forwarding_action", "filter_action")
#: RedirectAction.RedirectResponseCode.
_REDIRECTS = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
#: Fields that give a request another Host than the client's, before it goes to a server.
_HOST_REWRITES = ("host_rewrite_literal", "host_rewrite", "auto_host_rewrite")
#: What decides the cluster at run time, with the words for it.
_DYNAMIC = {
    "cluster_header": "the header {}",
    "cluster_specifier_plugin": "the plugin {}",
    "inline_cluster_specifier_plugin": "a plugin",
}


def frontends(
    config: Message,
    listeners: Sequence[Listener],
    owner: str,
    world: World,
    *,
    inline: bool = False,
    entered: Door | None = None,
) -> list[Frontend]:
    """Return a frontend for each virtual host of a route configuration that a listener uses.

    `inline`: it stands in the listener, and is not of RDS. `entered`: how requests get there, None where that is not
    known.
    """
    found = []
    undefined = _undefined(config, inline=inline)
    for host in config.messages("virtual_hosts"):
        name = host.text("name")
        domains = [node.text for node in texts(host.get("domains"))] if "domains" in host else []
        routes = _behind(redirect(host, entered), _routes(host, config, world))
        label = name.value if name is not None else "virtual host"
        found.append(
            Frontend(
                f"{owner}/{label}" if owner else label,
                name.span if name is not None and name.span is not None else host.span,
                listeners,
                routes,
                hosts=[] if "*" in domains else domains,
                options={} if undefined is None else {"undefined pool": Setting(undefined)},
            )
        )
        _mirrors(host, world)
        world.config.unmodelled.extend(overriding(host))
    return [*found, *_sent(config, listeners, owner, world)]


def _routes(host: Message, config: Message, world: World) -> list[Route]:
    """Return the routes of a virtual host in order; where a matcher tree chooses, nobody knows which."""
    routes = [route for item in host.messages("routes") if (route := _route(item, host, config, world)) is not None]
    if "matcher" in host:
        where = host.place("matcher")
        world.config.unmodelled.append(NotChecked(where, "a matcher tree chooses the routes"))
        routes.append(Route("matcher", where, ((),), outcome="unknown", expression="a matcher tree"))
    return routes


def _sent(config: Message, listeners: Sequence[Listener], owner: str, world: World) -> list[Frontend]:
    """Return the virtual hosts that a control plane adds to a route configuration when they are asked for (VHDS)."""
    if "vhds" not in config:
        return []
    place = config.place("vhds")
    world.routes_open = True
    world.config.unmodelled.append(NotChecked(place, "further virtual hosts come from a control plane (VHDS)"))
    label = "virtual hosts of a control plane"
    route = Route(label, place, EVERY_REQUEST, outcome="unknown", expression="a control plane")
    return [Frontend(f"{owner}/{label}" if owner else label, place, listeners, [route])]


def _behind(first: Route | None, routes: list[Route]) -> list[Route]:
    """Return routes behind one that comes before them; those that it leaves nothing serve other listeners."""
    if first is None:
        return routes
    for route in routes if first.match == EVERY_REQUEST else ():
        route.options = {**route.options, "inherited": Setting(True)}
    return [first, *routes]


def _undefined(config: Message, *, inline: bool) -> str | None:
    """Return what a route to a cluster that does not exist does; None where Envoy does not start.

    `validate_clusters` is true by default for routes in the listener, false for those of RDS (route.proto).
    """
    written = config.boolean("validate_clusters")
    if not (inline if written is None else written.value):
        return "Envoy answers 503 to its requests"
    return None if inline else "Envoy takes none of the routes that stand beside it"


def _route(message: Message, host: Message, config: Message, world: World) -> Route | None:
    """Return a route; None for what is no route."""
    match, label = route_match(message.message("match"))
    world.config.unmodelled.extend(overriding(message))
    name = message.text("name")
    span = name.span if name is not None and name.span is not None else message.span
    label = name.value if name is not None else label
    if any(answer in message for answer in _ANSWERS):
        return Route(label, span, match, outcome="answer", options=_status(message))
    action = message.message("route")
    options: dict[str, Setting[Any]] = {}
    key = key_of(action)
    if key is not None:
        options["hash_policy"] = key
    rewrite = next((name for name in _HOST_REWRITES if name in action), None)
    if rewrite is not None:
        options["host_rewrite"] = Setting(action.word(rewrite), action.place(rewrite))
    if "metadata_match" in action:
        options["metadata_match"] = Setting(True, action.place("metadata_match"))
    dynamic = next((name for name in _DYNAMIC if name in action), None)
    if dynamic is not None:
        expression = _DYNAMIC[dynamic].format(action.word(dynamic))
        return Route(label, span, match, outcome="unknown", expression=expression, options=options)
    _mirrors(action, world)
    targets = _targets(action, world)
    holder = next((one for one in (action, host, config) if "retry_policy" in one), None)
    policy = Message(None) if holder is None else holder.message("retry_policy")
    return Route(
        label,
        span,
        match,
        targets,
        "pools" if targets else "unknown",
        expression=None if targets else "its action",
        retry=_retry(policy),
        timeouts=_timeouts(action, policy, world),
        options=options,
    )


def _status(message: Message) -> dict[str, Setting[Any]]:
    """Return the status that Envoy answers with itself, where it is known."""
    direct, redirect = message.message("direct_response"), message.message("redirect")
    status = direct.integer("status")
    if "redirect" in message:
        code = redirect.enum("response_code", "envoy.config.route.v3.RedirectAction.RedirectResponseCode")
        number = _REDIRECTS.get("MOVED_PERMANENTLY" if code is None else code.value)
        status = None if number is None else Setting(number, message.place("redirect"))
    return {} if status is None else {"status": status}


def _targets(action: Message, world: World) -> list[WeightedTarget]:
    return single(action, world) or weighted(action.message("weighted_clusters"), world)


def single(action: Message, world: World) -> list[WeightedTarget]:
    """Return the target of a route or TCP proxy that names one cluster, with those to which it hands requests on."""
    written = action.text("cluster")
    return [] if written is None else leading_to(written, world)


def leading_to(written: Setting[str], world: World) -> list[WeightedTarget]:
    """Return the target that a cluster's name stands for, with those to which it hands requests on."""
    if written.span is None:
        return []
    first = WeightedTarget(written.value, written.span, world.pools.get(written.value), share=1.0)
    return [first, *_behind_target(first, world)]


def _behind_target(target: WeightedTarget, world: World) -> list[WeightedTarget]:
    """Return the clusters to which a target hands requests on: their health decides how many each gets."""
    return [WeightedTarget(pool.name, target.span, pool) for pool in world.behind(target.name)]


def weighted(message: Message, world: World) -> list[WeightedTarget]:
    """Return the targets of a WeightedCluster: shares are parts of the weights' sum (total_weight is ignored)."""
    found = []
    known = True
    for item in message.messages("clusters"):
        name = item.text("name")
        if name is None or name.span is None:
            known = known and "cluster_header" not in item
            continue
        weight = item.integer("weight")
        known = known and (weight is not None or "weight" not in item)
        found.append(WeightedTarget(name.value, name.span, world.pools.get(name.value), weight or Setting(0)))
    total = sum(target.weight.value for target in found if target.weight is not None)
    for target in found:
        if target.weight is not None and total and known and "runtime_key_prefix" not in message:
            target.share = target.weight.value / total
    return found + [further for target in found for further in _behind_target(target, world)]


def _retry(policy: Message) -> Retry | None:
    """Return the retry policy that holds: the route's, else its virtual host's, else the route configuration's."""
    if policy.node is None:
        return None
    words = policy.word("retry_on").replace(" ", "").split(",")
    conditions = frozenset(word for word in words if word)
    place = policy.place("retry_on") if conditions else policy.span
    return Retry(policy.integer("num_retries") or Setting(1, place), Setting(True, place), Setting(conditions, place))


def _timeouts(action: Message, policy: Message, world: World) -> dict[str, Setting[float]]:
    found: dict[str, Setting[float]] = {}
    for name, key in (("timeout", "server"), ("idle_timeout", "idle")):
        written = action.seconds(name, world.config.durations)
        if written is not None:
            found[key] = written
    for name, key in (("per_try_timeout", "per_try"), ("per_try_idle_timeout", "per_try_idle")):
        written = policy.seconds(name, world.config.durations)
        if written is not None:
            found[key] = written
    if "server" not in found and "timeout" not in action:
        found["server"] = Setting(15.0)  # route_components.proto: "defaults to 15s"
    return found


def _mirrors(message: Message, world: World) -> None:
    for mirror in message.messages("request_mirror_policies"):
        world.config.used.add(("", mirror.word("cluster", "*")))

"""Labels of containers and arguments of Traefik's own container, as the nodes that files would hold.

A label `traefik.http.routers.app.rule` is `rule` of the router app (github.com/traefik/paerser, labels_decode.go), and
Traefik adds the container to the service's servers (pkg/provider/docker/config.go). An argument
`--entryPoints.web.address=:80` is the same of the static configuration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import constraints, defaultrules
from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.document import STATIC, Document
from lbcheck.dialects.traefik.entries import PROTOCOLS
from lbcheck.dialects.traefik.growing import Growing, scalar
from lbcheck.dialects.traefik.pools import PROFILES, REPLICAS, SERVER, UNKNOWN_PORT
from lbcheck.dialects.yaml_nodes import Node, ScalarNode, SequenceNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.containers import Container, Containers, Label, Text
    from lbcheck.dialects.traefik.constraints import Constraint
    from lbcheck.text import Source, Span

_IMAGE = pattern(r"(?:.*/)?traefik(?:[:@].*)?\Z")
#: Arguments that nothing else takes: an image of one's own runs Traefik too.
_ARGUMENT = pattern(r"--(?:entrypoints\.[^.=]+\.address=|providers\.(?:docker|swarm|file)(?:[.=]|\Z))", re.IGNORECASE)
#: What stands for a rule that Traefik makes of the container's name, where that is not known.
UNKNOWN_RULE = "{{ default rule of "

#: What is added to the name of a container whose router Traefik makes itself, for no label can have it.
DEFAULT = " (default rule)"


class Provider(NamedTuple):
    """Which containers Traefik takes. `exposed`: those count that do not say so (`exposedByDefault`).

    `rule` is the template of the rule of routers that have none; None where it is not known.
    """

    constraint: Constraint | None
    exposed: bool
    rule: str | None


class Claim(NamedTuple):
    """A router, service or middleware as one container's labels describe it: where, and its content as plain data."""

    container: Container
    protocol: str
    section: str
    name: str
    span: Span
    content: object


class Labelled(NamedTuple):
    """What the labels of a project come to: the document, and who claims which router, service or middleware.

    `asleep` holds what services that are scaled to 0 would bring with a container.
    """

    document: Document
    claims: list[Claim]
    asleep: Document


def is_traefik(container: Container) -> bool:
    """Say whether a container runs Traefik, by its image's name or its arguments."""
    if _IMAGE.match(container.image):
        return True
    return any(_ARGUMENT.match(argument.value) for argument in container.arguments)


def static(container: Container, source: Source) -> Document | None:
    """Return the static configuration of a Traefik container's arguments, else of its environment; None without.

    Traefik takes the first of file, arguments and environment that says something (cmd/traefik/traefik.go); the
    name of a variable is a path in lower case (github.com/traefik/paerser, env/env.go).
    """
    root = Growing(container.span.source, container.span)
    for argument in container.arguments:
        name, _, value = argument.value.partition("=")
        if name.startswith("--") and name[2:].split(".")[0].lower() in STATIC:
            root.write(name[2:].split("."), argument._replace(value=value or "true"), argument.span)
    if not root.pairs:
        for variable, text in container.environment:
            prefix, *path = variable.value.lower().split("_")
            if prefix == "traefik" and path and path[0] in STATIC:
                root.write(path, text, variable.span)
    if not root.pairs:
        return None
    document = Document(source)
    document.root, document.fields = root, f.of(root)
    return document


def dynamic(project: Containers, provider: Provider) -> Labelled:
    """Return the dynamic configuration of the labels of a project's containers that the provider takes."""
    document, asleep = Document(project.source), Document(project.source)
    root, later = (Growing(project.source, project.source.span(0, 0)) for _ in range(2))
    claims: list[Claim] = []
    for container in project.by_name.values():
        if not enabled(container._replace(replicas=None), provider):
            continue
        rule = provider.rule and defaultrules.rule(provider.rule, container, project.name)
        own = _own(container, rule or f"{UNKNOWN_RULE}{container.name} }}}}")
        if own is not None and container.replicas == 0:
            later.join(own)
        elif own is not None:
            claims += _claims(container, own)
            root.join(own)
    for one, made in ((document, root), (asleep, later)):
        one.root, one.fields = made, f.of(made)
    return Labelled(document, claims, asleep)


def labels(container: Container) -> Iterator[Label]:
    """Yield a container's labels of Traefik's routers, services and middlewares."""
    for label in container.labels:
        if label.key.value.lower().startswith(("traefik.http.", "traefik.tcp.", "traefik.udp.")):
            yield label


def said(container: Container, *names: str) -> Text | None:
    """Return the value of the first of these labels that is written, without regard to case."""
    wanted = {name.lower() for name in names}
    return next((label.value for label in container.labels if label.key.value.lower() in wanted), None)


def enabled(container: Container, provider: Provider) -> bool:
    """Say whether Traefik looks at a container. Of a service that is scaled to 0 there is none, nor its labels.

    Without a switch of its own it counts where the provider says so, and where a constraint takes it
    (pkg/provider/docker/config.go keepContainer()).
    """
    if container.replicas == 0 or not constraints.takes(container, provider.constraint):
        return False
    switch = said(container, "traefik.enable")
    return provider.exposed if switch is None else switch.value.lower() in ("true", "1", "t")


def _own(container: Container, rule: str) -> Growing | None:
    """Return the configuration that one container's labels make, with its server in each service.

    One that only switches itself on has a router and a service of its name.
    """
    root = Growing(container.span.source, container.span)
    for label in labels(container):
        root.write(label.key.value.split(".")[1:], label.value, label.key.span)
    if not root.pairs:
        if said(container, "traefik.enable") is None:
            return None
        root.put("http", container.span, Growing(container.span.source, container.span))
    for protocol in PROTOCOLS:
        sections = root.inside(protocol)
        if sections is not None:
            _complete(sections, protocol, container, rule)
    return root


def _complete(sections: Growing, protocol: str, container: Container, rule: str) -> None:
    """Add what Traefik adds: a service where there is none, its server, and what routers leave out."""
    services = sections.inside("services")
    if services is None:
        span = container.span
        services, one = Growing(span.source, span), Growing(span.source, span)
        one.put("loadBalancer", span, Growing(span.source, span))
        services.put(container.name, container.span, one)
        sections.put("services", container.span, services)
    names = [key for key, _ in services.named()]
    for _, service in services.named():
        balancer = service.inside("loadBalancer") if isinstance(service, Growing) else None
        if balancer is not None:
            _add_server(balancer, protocol, container)
    routers = sections.inside("routers")
    if routers is None and protocol == "http" and len(names) == 1:
        routers = Growing(container.span.source, container.span)
        routers.put(f"{container.name}{DEFAULT}", names[0].span, Growing(container.span.source, names[0].span))
        sections.put("routers", names[0].span, routers)
    _begun(routers)
    for key, router in routers.named() if routers is not None else ():
        if isinstance(router, Growing):
            _add_defaults(router, protocol, key.span, names, rule)


def _begun(routers: Growing | None) -> None:
    """Make a router of each `traefik.http.routers.app=true`, whose value Traefik does not look at."""
    for key, router in routers.named() if routers is not None else ():
        if routers is not None and isinstance(router, ScalarNode):
            routers.put(key.text, key.span, Growing(router.source, router.span))


def _add_defaults(router: Growing, protocol: str, span: Span, services: list[ScalarNode], rule: str) -> None:
    if router.get("service") is None and len(services) == 1:
        router.put("service", span, scalar(services[0].text, span))
    if router.get("rule") is None and protocol == "http":
        router.put("rule", span, scalar(rule, span))


def _add_server(balancer: Growing, protocol: str, container: Container) -> None:
    """Write the container's address in place of `server.port` and `server.scheme`, which move out of the way."""
    balancer.rename("server", SERVER)
    said = balancer.inside(SERVER) or Growing(balancer.source, balancer.span)
    port, scheme, url = (said.get(name) for name in ("port", "scheme", "url"))
    span = (port or url or balancer).span
    place = f"{container.name}:{_port(port, container)}"
    if protocol == "http":
        place = f"{scheme.text if isinstance(scheme, ScalarNode) else 'http'}://{place}"
    item = Growing(span.source, span)
    text = url.text if isinstance(url, ScalarNode) else place
    item.put("url" if protocol == "http" else "address", span, scalar(text, span))
    for name in ("weight", "preservePath", "tls"):
        value = said.get(name)
        if value is not None:
            item.put(name, value.span, value)
    item.put(REPLICAS, span, scalar("" if container.replicas is None else str(container.replicas), span))
    if container.profiles:
        item.put(PROFILES, span, scalar(", ".join(sorted(container.profiles)), span))
    servers = SequenceNode(span.source, span.start, span.end, None)
    servers.items.append(item)
    balancer.put("servers", span, servers)


def _port(written: Node | None, container: Container) -> str:
    """Return the port: as written, else the lowest that is exposed; what the image exposes is not known."""
    if isinstance(written, ScalarNode):
        return written.text
    return str(min(container.ports)) if container.ports else UNKNOWN_PORT


def _claims(container: Container, own: Growing) -> Iterator[Claim]:
    for protocol in PROTOCOLS:
        for section in ("routers", "services", "middlewares"):
            named = own.inside(protocol, section)
            for key, node in named.named() if named is not None else ():
                yield Claim(container, protocol, section, key.text, key.span, _content(node))


def _content(node: Node) -> object:
    """Return what must be equal for two containers to share a name; their servers may differ."""
    if isinstance(node, ScalarNode):
        return ",".join(part.strip() for part in node.text.split(","))  # as Traefik splits a label's list
    if isinstance(node, SequenceNode):
        return tuple(_content(item) for item in node.items)
    if isinstance(node, Growing):
        pairs = [(key.text.lower(), value) for key, value in node.named()]
        return tuple(sorted((key, _content(value)) for key, value in pairs if key not in (SERVER, "servers")))
    return None


def contested(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield (first, other) for each name that two containers give to different things: Traefik drops both.

    (pkg/provider/configuration.go Merge())
    """
    first: dict[tuple[str, str, str], Claim] = {}
    told = set()
    for claim in claims:
        key = (claim.protocol, claim.section, claim.name)
        known = first.setdefault(key, claim)
        if known.container is claim.container or known.content == claim.content or key in told:
            continue
        if not _never_both(known.container, claim.container):
            told.add(key)
            yield known, claim


def _never_both(one: Container, other: Container) -> bool:
    """Say whether two containers are of different profiles, so that one or the other is started."""
    return bool(one.profiles and other.profiles) and set(one.profiles).isdisjoint(other.profiles)


def provider(static: Document | None) -> Provider:
    """Return which containers count: all that do not say otherwise, unless Traefik's provider says so."""
    fields = {} if static is None else static.fields
    for name in ("docker", "swarm"):
        inside = f.inside(fields, "providers", name)
        if inside:
            switch, written = f.boolean(inside, "exposedbydefault"), f.scalar(inside, "constraints")
            constraint = None if written is None else constraints.read(written)
            return Provider(constraint, switch is None or switch.value, _default_rule(inside, name))
    docker = "docker" in f.inside(fields, "providers")
    return Provider(None, exposed=True, rule=defaultrules.USUAL if docker else None)


def _default_rule(provider: f.Fields, name: str) -> str | None:
    """Return the template of default rules. In a swarm the name of a service is not the one that a project has."""
    mode = f.boolean(provider, "swarmmode")
    if name == "swarm" or (mode is not None and mode.value):
        return None
    written = f.scalar(provider, "defaultrule")
    return defaultrules.USUAL if written is None else defaultrules.unmasked(written.text, written.span)


def networks(static: Document | None) -> Iterable[str]:
    """Yield the network that the provider says containers are reached on."""
    fields = {} if static is None else static.fields
    for provider in ("docker", "swarm"):
        network = f.text(f.inside(fields, "providers", provider), "network")
        if network is not None:
            yield network.value

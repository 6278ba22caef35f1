"""Labels of containers and arguments of Traefik's own container, as the nodes that files would hold.

A label `traefik.http.routers.app.rule` is `rule` of the router app (github.com/traefik/paerser, labels_decode.go), and
Traefik adds the container to the service's servers (pkg/provider/docker/config.go). An argument
`--entryPoints.web.address=:80` is the same of the static configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.document import STATIC, Document
from lbcheck.dialects.traefik.entries import PROTOCOLS
from lbcheck.dialects.traefik.pools import REPLICAS
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.containers import Container, Containers, Label, Text
    from lbcheck.text import Source, Span

_IMAGE = pattern(r"(?:.*/)?traefik(?:[:@].*)?\Z")
_INDEX = pattern(r"(?P<name>[^\[\]]+)\[(?P<at>[0-9]{1,4})\]\Z")
#: Names whose values are lists of texts, written with commas.
_LISTS = frozenset({"entrypoints", "middlewares", "parentrefs", "sans", "status"})
#: What stands for a rule that Traefik makes of the container's name.
DEFAULT_RULE = "{{ default rule }}"
_STRING = "tag:yaml.org,2002:str"


class Claim(NamedTuple):
    """A router or service as one container's labels describe it: where, and its content as plain data."""

    container: Container
    protocol: str
    section: str
    name: str
    span: Span
    content: object


class Labelled(NamedTuple):
    """What the labels of a project come to: the document, and who claims which router or service."""

    document: Document
    claims: list[Claim]


def is_traefik(container: Container) -> bool:
    """Say whether a container runs Traefik."""
    return _IMAGE.match(container.image) is not None


def static(container: Container, source: Source) -> Document | None:
    """Return the static configuration that a Traefik container's arguments make; None where they make none."""
    root = _mapping(source, container.span)
    for argument in container.arguments:
        name, _, value = argument.value.partition("=")
        if name.startswith("--") and name[2:].split(".")[0].lower() in STATIC:
            _put(root, name[2:].split("."), argument._replace(value=value or "true"), argument.span)
    if not root.pairs:
        return None
    document = Document(source)
    document.root, document.fields = root, f.of(root)
    return document


def dynamic(project: Containers, *, exposed: bool) -> Labelled:
    """Return the dynamic configuration of a project's labels. `exposed`: containers count that do not say so."""
    document = Document(project.source)
    root = _mapping(project.source, project.source.span(0, 0))
    claims: list[Claim] = []
    known: dict[int, dict[str, Node]] = {}
    for container in project.by_name.values():
        if enabled(container, exposed=exposed):
            own = _own(container, project.source)
            if own is not None:
                claims += _claims(container, own)
                _join(root, own, known)
    document.root, document.fields = root, f.of(root)
    return Labelled(document, claims)


def labels(container: Container) -> Iterator[Label]:
    """Yield a container's labels of Traefik's routers, services and middlewares."""
    for label in container.labels:
        if label.key.value.lower().startswith(("traefik.http.", "traefik.tcp.", "traefik.udp.")):
            yield label


def said(container: Container, *names: str) -> Text | None:
    """Return the value of the first of these labels that is written, without regard to case."""
    wanted = {name.lower() for name in names}
    return next((label.value for label in container.labels if label.key.value.lower() in wanted), None)


def enabled(container: Container, *, exposed: bool) -> bool:
    """Say whether Traefik looks at a container."""
    switch = said(container, "traefik.enable")
    return exposed if switch is None else switch.value.lower() in ("true", "1", "t")


def _own(container: Container, source: Source) -> MappingNode | None:
    """Return the configuration that one container's labels make, with its server in each service."""
    root = _mapping(source, container.span)
    for label in labels(container):
        _put(root, label.key.value.split(".")[1:], label.value, label.key.span)
    if not root.pairs:
        return None
    for protocol in PROTOCOLS:
        sections = _get(root, protocol)
        if isinstance(sections, MappingNode):
            _complete(sections, protocol, container)
    return root


def _put(node: MappingNode, path: list[str], value: Text, span: Span) -> None:
    """Put a value below a path of names; `domains[0]` is the first item of a list."""
    *folders, last = path
    for name in folders:
        node = _below(node, name, span)
    key = _scalar(last, span)
    if _get(node, last) is not None:
        return
    if last.lower() in _LISTS:
        items = SequenceNode(node.source, value.span.start, value.span.end, None)
        items.items += [_scalar(word.strip(), value.span) for word in value.value.split(",")]
        node.pairs.append((key, items))
    else:
        node.pairs.append((key, _scalar(value.value, value.span, tag=None)))


def _below(node: MappingNode, name: str, span: Span) -> MappingNode:
    match = _INDEX.match(name)
    word = match["name"] if match else name
    fresh: Node = SequenceNode(node.source, span.start, span.end, None) if match else _mapping(node.source, span)
    found = fresh
    for at, (key, value) in enumerate(node.pairs):
        if isinstance(key, ScalarNode) and key.text.lower() == word.lower():
            found = value
            if isinstance(value, ScalarNode):  # `--providers.docker` before `--providers.docker.network=web`
                found = fresh
                node.pairs[at] = (key, fresh)
            break
    else:
        node.pairs.append((_scalar(word, span), found))
    if isinstance(found, SequenceNode):
        while len(found.items) <= int(match["at"] if match else 0):
            found.items.append(_mapping(node.source, span))
        found = found.items[int(match["at"] if match else 0)]
    return found if isinstance(found, MappingNode) else _mapping(node.source, span)


def _get(node: Node | None, name: str) -> Node | None:
    """Return a mapping's value by name. Not by `fields()`, which stands for a mapping that nobody changes any more."""
    if not isinstance(node, MappingNode):
        return None
    pairs = ((key, value) for key, value in node.pairs if isinstance(key, ScalarNode))
    return next((value for key, value in pairs if key.text.lower() == name.lower()), None)


def _mapping(source: Source, span: Span) -> MappingNode:
    return MappingNode(source, span.start, span.end, None)


def _scalar(text: str, span: Span, *, tag: str | None = _STRING) -> ScalarNode:
    return ScalarNode(span.source, span.start, span.end, tag, text, plain=tag is None)


def _complete(sections: MappingNode, protocol: str, container: Container) -> None:
    """Add what Traefik adds: a service where there is none, its server, and what routers leave out."""
    services = _get(sections, "services")
    if not isinstance(services, MappingNode):
        services = _mapping(sections.source, container.span)
        balancer = _mapping(sections.source, container.span)
        one = _mapping(sections.source, container.span)
        one.pairs.append((_scalar("loadBalancer", container.span), balancer))
        services.pairs.append((_scalar(container.name, container.span), one))
        sections.pairs.append((_scalar("services", container.span), services))
    for _, service in services.pairs:
        _add_server(service, protocol, container)
    routers = _get(sections, "routers")
    if isinstance(routers, MappingNode):
        names = [key for key, _ in services.pairs if isinstance(key, ScalarNode)]
        for key, router in routers.pairs:
            if isinstance(router, MappingNode):
                _add_defaults(router, protocol, key.span, names)


def _add_defaults(router: MappingNode, protocol: str, span: Span, services: list[ScalarNode]) -> None:
    if _get(router, "service") is None and len(services) == 1:
        router.pairs.append((_scalar("service", span), _scalar(services[0].text, span)))
    if _get(router, "rule") is None and protocol == "http":
        router.pairs.append((_scalar("rule", span), _scalar(DEFAULT_RULE, span)))


def _add_server(service: Node, protocol: str, container: Container) -> None:
    """Write the container's address in place of `server.port` and `server.scheme`."""
    node = _get(service, "loadBalancer")
    if not isinstance(node, MappingNode):
        return
    server = _get(node, "server")
    node.pairs = [pair for pair in node.pairs if pair[1] is not server]
    port, scheme, url = (_get(server, name) for name in ("port", "scheme", "url"))
    span = (port or url or node).span
    place = f"{container.name}:{_port(port, container)}"
    if protocol == "http":
        place = f"{scheme.text if isinstance(scheme, ScalarNode) else 'http'}://{place}"
    text = url.text if isinstance(url, ScalarNode) else place
    item = _mapping(node.source, span)
    item.pairs.append((_scalar("url" if protocol == "http" else "address", span), _scalar(text, span)))
    for name in ("weight", "preservePath", "tls"):
        said = _get(server, name)
        if said is not None:
            item.pairs.append((_scalar(name, said.span), said))
    servers = SequenceNode(node.source, span.start, span.end, None)
    item.pairs.append((_scalar(REPLICAS, span), _scalar(str(container.replicas or 1), span)))
    servers.items.append(item)
    node.pairs.append((_scalar("servers", span), servers))


def _port(written: Node | None, container: Container) -> str:
    """Return the port: as written, else the lowest that is exposed; what the image exposes is not known."""
    if isinstance(written, ScalarNode):
        return written.text
    return str(min(container.ports)) if container.ports else "${port}"


def _claims(container: Container, own: MappingNode) -> Iterator[Claim]:
    for protocol in PROTOCOLS:
        for section in ("routers", "services"):
            named = _get(_get(own, protocol), section)
            for key, node in named.pairs if isinstance(named, MappingNode) else ():
                if isinstance(key, ScalarNode):
                    yield Claim(container, protocol, section, key.text, key.span, _content(node, section))


def _content(node: Node, section: str) -> object:
    """Return what must be equal for two containers to share a router or service; their servers may differ."""
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return tuple(_content(item, section) for item in node.items)
    if isinstance(node, MappingNode):
        pairs = [(key.text.lower(), value) for key, value in node.pairs if isinstance(key, ScalarNode)]
        return tuple(sorted((key, _content(value, section)) for key, value in pairs if key != "servers"))
    return None


def _join(root: MappingNode, own: MappingNode, known: dict[int, dict[str, Node]]) -> None:
    """Add one container's configuration to that of all: servers of one service come together, the rest stands once.

    `known` has the values of each mapping that was joined to, by key: thousands of containers may join one.
    """
    if id(root) not in known:
        known[id(root)] = {key.text.lower(): value for key, value in root.pairs if isinstance(key, ScalarNode)}
    there = known[id(root)]
    for key, value in own.pairs:
        if not isinstance(key, ScalarNode):
            continue
        found = there.setdefault(key.text.lower(), value)
        if found is value:
            root.pairs.append((key, value))
        elif isinstance(found, MappingNode) and isinstance(value, MappingNode):
            _join(found, value, known)
        elif isinstance(found, SequenceNode) and isinstance(value, SequenceNode) and key.text == "servers":
            found.items += value.items


def exposed_by_default(static: Document | None) -> bool:
    """Say whether containers count that do not say `traefik.enable`: yes, unless the provider says otherwise."""
    fields = {} if static is None else static.fields
    for provider in ("docker", "swarm"):
        switch = f.boolean(f.inside(fields, "providers", provider), "exposedbydefault")
        if switch is not None:
            return switch.value
    return True


def networks(static: Document | None) -> Iterable[str]:
    """Yield the network that the provider says containers are reached on."""
    fields = {} if static is None else static.fields
    for provider in ("docker", "swarm"):
        network = f.text(f.inside(fields, "providers", provider), "network")
        if network is not None:
            yield network.value

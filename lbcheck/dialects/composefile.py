"""Compose files: services, networks, ports and labels, as containers and as a world (docs.docker.com, Compose spec)."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from lbcheck.dialects import yaml
from lbcheck.dialects.composemerge import EXTENDS, base, inherited
from lbcheck.dialects.composeoverride import is_override
from lbcheck.dialects.containers import Container, Containers, Label, Mount, Text
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.patterns import pattern
from lbcheck.world import Network, Port, Service, Workload, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lbcheck.text import Source

    Fields = dict[str, tuple[ScalarNode, Node]]

_SERVICES = pattern(r"^[\"']?services[\"']?[ \t]*:[ \t]*(?:#.*)?\r?$", re.MULTILINE)
#: Keys that a service of Compose has and a list of other services has not.
_KEYS = pattern(r"^[ \t]+[\"']?(?:image|build|container_name|extends)[\"']?[ \t]*:", re.MULTILINE)
#: The same in flow style, `{services: {app: {image: x}}}` or JSON, and a service alone in it.
_FLOW = pattern(r"^\ufeff?[ \t]*\{|^[\"']?services[\"']?[ \t]*:[ \t]*\{|^[ \t]+[\w.\"'-]+[ \t]*:[ \t]*\{", re.MULTILINE)
_FLOW_KEYS = pattern(r"[{,\s][\"']?(?:image|build|container_name|extends)[\"']?[ \t]*:")
_OWN_KEYS = frozenset({"image", "build", "container_name", EXTENDS})
_NO_COMPOSE = frozenset({"apiVersion", "kind", "http", "tcp", "udp", "entryPoints"})
_OTHERS = pattern(r"^(?:apiVersion|kind|http|tcp|udp|entryPoints)[ \t]*:", re.MULTILINE)
_PORT = pattern(r"(?:(?:\[[^\]]*\]|[^:]*):)?(?P<published>[0-9-]*):(?P<target>[0-9]+)(?:-[0-9]+)?(?:/(?P<kind>\w+))?\Z")
_ALONE = pattern(r"(?P<target>[0-9]+)(?:-[0-9]+)?(?:/(?P<kind>\w+))?\Z")
_NUMBER = pattern(r"[0-9]{1,5}\Z")
_TEMPLATE = pattern(r"\$\{|\$[A-Za-z_]|\{\{|\{%")
#: Sections of a Compose file; one that is merged into another need not have services, nor their images.
_SECTIONS = frozenset({"services", "networks", "volumes", "configs", "secrets", "include", "name", "version"})
#: The network on which a service is that names none.
DEFAULT = "default"


def recognises(source: Source) -> bool:
    """Say whether the text is a Compose file: `services:` at its top level, and an image or a build in it."""
    text = source.text
    if is_override(source.path):
        fields = _of(next(iter(yaml.read(source).documents), None))
        section = not _SECTIONS.isdisjoint(fields) or _SERVICES.search(text) is not None
        return section and _NO_COMPOSE.isdisjoint(fields)
    if "services" not in text or _OTHERS.search(text) is not None:
        return False
    if _SERVICES.search(text) is not None and _KEYS.search(text) is not None:
        return True
    return _FLOW.search(text) is not None and _FLOW_KEYS.search(text) is not None and _in_flow_style(source)


def _in_flow_style(source: Source) -> bool:
    """Say whether the text has services as its nodes tell, for brackets hide what stands at which level."""
    fields = _of(next(iter(yaml.read(source).documents), None))
    services = _of(_value(fields, "services")).values()
    return _NO_COMPOSE.isdisjoint(fields) and any(not _OWN_KEYS.isdisjoint(_of(node)) for _, node in services)


def containers(root: Node, source: Source) -> Containers:
    """Return what a Compose file's root describes; nothing of what is not of the right kind."""
    fields = _of(root)
    found = {}
    services = inherited(_of(_value(fields, "services")))
    for name, (key, inside) in services.items():
        found[name] = _container(name, key, inside)
    networks = [_network(name, key, _of(node)) for name, (key, node) in _of(_value(fields, "networks")).items()]
    name = _text(fields, "name")
    world = _world(_open(fields, services), services, found, networks)
    return Containers(source, found, world, None if not name or "$" in name or _TEMPLATE.search(name) else name)


def prefixed(root: Node) -> frozenset[str]:
    """Return the networks that Docker knows as PROJECT_NETWORK: the project's own, where no `name:` says otherwise."""
    networks = _of(_value(_of(root), "networks"))
    return frozenset(
        name
        for name, (key, node) in networks.items()
        if "name" not in _of(node) and not _network(name, key, _of(node)).external
    )


def _of(node: Node | None) -> Fields:
    return node.fields() if isinstance(node, MappingNode) else {}


def _value(fields: Fields, name: str) -> Node | None:
    return fields[name][1] if name in fields else None


def _text(fields: Fields, name: str) -> str:
    node = _value(fields, name)
    return node.text if isinstance(node, ScalarNode) else ""


def _items(node: Node | None) -> Iterator[ScalarNode]:
    if isinstance(node, SequenceNode):
        yield from (item for item in node.items if isinstance(item, ScalarNode))


def _container(name: str, key: ScalarNode, fields: Fields) -> Container:
    deploy = _of(_value(fields, "deploy"))
    labels = (*_labels(_value(fields, "labels")), *_labels(_value(deploy, "labels")))
    return Container(
        name,
        key.span,
        _text(fields, "image"),
        labels,
        tuple(_arguments(_value(fields, "command"))),
        tuple(_networks(fields)),
        _text(fields, "network_mode"),
        tuple(_mounts(_value(fields, "volumes"))),
        tuple(dict.fromkeys(port.number for port in _listened(fields) if port.number is not None)),
        _replicas(fields, deploy),
        _outside(fields),
        tuple(_labels(_value(fields, "environment"))),
        tuple(item.text for item in _items(_value(fields, "profiles"))),
        "healthcheck" in fields and _text(_of(_value(fields, "healthcheck")), "disable") != "true",
        _elsewhere(fields, key),
    )


def _elsewhere(fields: Fields, key: ScalarNode) -> Text | None:
    """Return what a service extends that is not in this file: which service of which file."""
    if EXTENDS not in fields:
        return None
    service, file = base(fields, key.source.path)
    return Text(f"{service[:60] or 'another service'}{f' of {file[:60]}' if file else ''}", fields[EXTENDS][0].span)


def _replicas(fields: Fields, deploy: Fields) -> int | None:
    """Return how many containers there are: one, or what `scale` or `deploy.replicas` says."""
    node = _value(fields, "scale") or _value(deploy, "replicas")
    if _text(deploy, "mode").startswith("global"):  # one on each machine of a swarm
        return None
    if node is None:
        return 1
    return int(node.text) if isinstance(node, ScalarNode) and _NUMBER.match(node.text) else None


def _labels(node: Node | None) -> Iterator[Label]:
    """Yield labels, or variables of the environment, from lists of `name=value` and mappings; the last of a name."""
    found = {label.key.value: label for label in _written(node)}
    yield from found.values()


def _written(node: Node | None) -> Iterator[Label]:
    for item in node.items if isinstance(node, SequenceNode) else (node,) if isinstance(node, MappingNode) else ():
        if isinstance(item, ScalarNode):
            yield _assigned(item)
        for name, (key, value_node) in _of(item).items():
            if isinstance(value_node, ScalarNode):
                span = value_node.span if value_node.end > value_node.start else key.span
                yield Label(Text(name, key.span), Text(value_node.text.replace("$$", "$"), span))


def _assigned(item: ScalarNode) -> Label:
    """Return the label of `name=value`; without a sign the value is empty."""
    name, sign, value = item.text.partition("=")
    at = item.source.text.find(value, item.start + len(name), item.end) if value else -1
    span = item.span if at < 0 else item.source.span(at, at + len(value))
    return Label(Text(name, item.span), Text(value.replace("$$", "$") if sign else "", span))


def _arguments(node: Node | None) -> Iterator[Text]:
    if isinstance(node, ScalarNode):
        try:
            words = shlex.split(node.text)
        except ValueError:
            return
        yield from (Text(word.replace("$$", "$"), node.span) for word in words)
    for item in _items(node):
        yield Text(item.text.replace("$$", "$"), item.span)


def _networks(fields: Fields) -> Iterator[str]:
    if _text(fields, "network_mode"):
        return
    node = _value(fields, "networks")
    mappings = [one for one in node.items if isinstance(one, MappingNode)] if isinstance(node, SequenceNode) else [node]
    named = [*(item.text for item in _items(node)), *(name for one in mappings for name in _of(one))]
    yield from dict.fromkeys(named or [DEFAULT])


def _mounts(node: Node | None) -> Iterator[Mount]:
    """Yield what of the host is mounted; of several mounts at one place the last one counts, as Compose merges them."""
    for mount in {os.path.normpath(mount.target): mount for mount in _mounted(node)}.values():
        if mount.source.startswith((".", "/", "~")) and not _TEMPLATE.search(mount.source):
            yield mount
    # A config or secret of the project is a file as well, but under a name of its own.


def _mounted(node: Node | None) -> Iterator[Mount]:
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, ScalarNode):
            source, _, rest = item.text.partition(":")
            target = rest.partition(":")[0]
        else:
            fields = _of(item)
            source, target = _text(fields, "source"), _text(fields, "target")
        if target:
            yield Mount(source, target)


def _published(fields: Fields) -> Iterator[Port]:
    """Yield the ports that the host has, each with the container's port behind it."""
    node = _value(fields, "ports")
    for item in node.items if isinstance(node, SequenceNode) else ():
        if isinstance(item, ScalarNode):
            match = _PORT.match(item.text) or _ALONE.match(item.text)
            if match is not None:
                groups = match.groupdict()
                yield _port(groups.get("published") or "", groups["target"], groups["kind"] or "tcp", item)
        else:
            inside = _of(item)
            if _NUMBER.match(_text(inside, "target")):
                kind = _text(inside, "protocol") or "tcp"
                yield _port(_text(inside, "published"), _text(inside, "target"), kind, item)


def _outside(fields: Fields) -> frozenset[int] | None:
    """Return the container's ports that the host publishes; None where another network's or file's may be as well."""
    if "network_mode" in fields or EXTENDS in fields:
        return None
    node = _value(fields, "ports")
    items = node.items if isinstance(node, SequenceNode) else []
    found = [port.target for port in _published(fields)]
    ranges = any(isinstance(item, ScalarNode) and "-" in item.text for item in items)
    if ranges or len(found) < len(items) or (node is not None and not isinstance(node, SequenceNode)):
        return None
    return frozenset(target for target in found if isinstance(target, int))


def _port(published: str, target: str, kind: str, node: Node) -> Port:
    number = int(published) if _NUMBER.match(published) else None
    return Port(number, node.span, target=int(target[:9]), protocol=kind)


def _listened(fields: Fields) -> Iterator[Port]:
    """Yield the container's own ports, as `expose:` and `ports:` have them."""
    for item in _items(_value(fields, "expose")):
        number, _, kind = item.text.partition("/")
        if _NUMBER.match(number):
            yield Port(int(number), item.span, protocol=kind or "tcp")
    for port in _published(fields):
        if isinstance(port.target, int):
            yield Port(port.target, port.span, protocol=port.protocol)


def _network(name: str, key: ScalarNode, fields: Fields) -> Network:
    external = _value(fields, "external")
    outside = external is not None and not (isinstance(external, ScalarNode) and external.value is False)
    return Network(name, key.span, external=outside)


def _world(
    reason: str | None,
    nodes: Mapping[str, tuple[ScalarNode, Fields]],
    found: Mapping[str, Container],
    networks: list[Network],
) -> World:
    """Return the world of a project.

    A workload's ports are those in the container; a service's are those of the host that lead there (`target`), for
    somebody may use them by mistake. The world is open where other files belong to it, with the `reason`.
    """
    workloads, services = [], []
    for name, container in found.items():
        inside = nodes[name][1]
        workload = Workload(
            "container",
            name,
            container.span,
            labels={label.key.value: label.value.value for label in container.labels},
            ports=list(_listened(inside)),
            replicas=container.replicas,
            networks=container.networks,
        )
        workloads.append(workload)
        services.append(
            Service(
                name,
                container.span,
                names=list(_names(inside)),
                ports=list(_published(inside)),
                workloads=[workload],
                networks=container.networks,
            )
        )
    return World(workloads, services, networks, open=reason)


def _names(fields: Fields) -> Iterator[str]:
    """Yield the names besides its own under which a service is reached."""
    for name in ("container_name", "hostname"):
        if _text(fields, name):
            yield _text(fields, name)
    for _, network in _of(_value(fields, "networks")).values():
        yield from (item.text for item in _items(_value(_of(network), "aliases")))


def _open(fields: Fields, services: Mapping[str, tuple[ScalarNode, Fields]]) -> str | None:
    if "include" in fields:
        return "other Compose files are included"
    if any(EXTENDS in inside for _, inside in services.values()):
        return "services extend others that were not looked at"
    return None

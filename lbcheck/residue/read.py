"""The files of a config to one tree of parts, in the way of their dialect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.patterns import pattern
from lbcheck.residue.parts import FILE, ITEM, LEAF, LIST, MAPPING, MARK, Part
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.residue.parts import Numbers

#: What tells an item of a list in YAML from its siblings, the first that it has.
_NAMES = ("name", "match", "host", "path", "address", "port_value")


#: The line before each file in what `nginx -T` prints (src/core/nginx.c, main()).
_DUMPED = pattern(r"^# configuration file \S.*?:(?=\r?$)", re.MULTILINE)


def tree(dialect: str, files: Sequence[tuple[str, Source]], numbers: Numbers) -> Part:
    """Return a root whose parts are the files, or the objects of all files where it does not matter which has them.

    `files` are (path below what is compared, text). Of a text that cannot be read there is what could be.
    """
    anchor = files[0][1] if files else Source("", "")
    root = Part("", LIST, anchor, 0, 0)
    for path, source in files:
        parts = _of_file(dialect, source, numbers)
        if dialect == "kubernetes":
            root.kids += parts
            continue
        part = Part(FILE, LIST, source, 0, len(source.text))
        part.kids, part.key = parts, path
        numbers.give(part)
        root.kids.append(part)
    numbers.give(root)
    return root


def _of_file(dialect: str, source: Source, numbers: Numbers) -> list[Part]:
    if dialect == "nginx":
        return list(_directives(source, numbers))
    if dialect == "haproxy":
        from lbcheck.dialects.haproxy.lexer import scan

        return _sections(scan(source).lines, numbers)
    assigned = _ASSIGNED if dialect in {"compose", "traefik"} else frozenset()
    reader = _Nodes(numbers, _SPELLINGS.get(dialect, str), assigned)
    return [reader.document(root, objects=dialect == "kubernetes") for root in _documents(source)]


def _documents(source: Source) -> list[Node]:
    if source.path.endswith(".toml"):
        from lbcheck.dialects import toml

        return toml.read(source).documents
    from lbcheck.dialects import yaml

    return yaml.read(source).documents


def _snake(name: str) -> str:
    from lbcheck.dialects.envoy.message import snake

    return snake(name)


#: Fields of Compose that are a mapping or a list of `NAME=value`.
_ASSIGNED = frozenset({"labels", "environment"})
#: Fields of Compose's services that steer the proxy where the service is one, and an application otherwise.
_OWN = frozenset({"command", "entrypoint", "environment", "env_file"})
#: How the keys of ConfigMaps end that hold a proxy's own config.
_CONFIGS = ("nginx.conf", "haproxy.cfg", "envoy.yaml", "envoy.json", "traefik.yml", "traefik.yaml", "traefik.toml")
#: Names that a dialect takes in several spellings: Envoy camelCase as well, Traefik in any case.
_SPELLINGS: dict[str, Callable[[str], str]] = {"envoy": _snake, "traefik": str.lower}


class _Nodes:
    """YAML's and TOML's nodes to parts."""

    __slots__ = ("_assigned", "_numbers", "_spelling")

    def __init__(self, numbers: Numbers, spelling: Callable[[str], str], assigned: frozenset[str]) -> None:
        self._numbers = numbers
        self._spelling = spelling
        self._assigned = assigned

    def document(self, root: Node, *, objects: bool) -> Part:
        part = self.part(ITEM, root)
        if objects:
            kind, name, space = (_said(part, *path) for path in (["kind"], ["metadata", "name"], _NAMESPACE))
            part.key = (kind, space, name)
            part.name = f"other {kind}" if kind == "ConfigMap" and not _steers(name, part) else kind or ITEM
            self._numbers.give(part)
        return part

    def part(self, name: str, node: Node) -> Part:
        if isinstance(node, MappingNode):
            part = Part(name, MAPPING, node.source, node.start, node.end)
            own = _OWN if self._assigned and _is_application(node) else frozenset()
            for written, (key, value) in node.fields().items():
                kid = self.part(f"own {written}" if written in own else self._spelling(written), value)
                kid.written = written
                if kid.kind != LEAF or kid.start == kid.end:
                    kid.start = key.start
                part.kids.append(kid)
            part.key = _key(part) if name == ITEM else None
        elif isinstance(node, SequenceNode) and name in self._assigned and _assignments(node):
            return self._settings(name, node)
        elif isinstance(node, SequenceNode):
            part = Part(name, LIST, node.source, node.start, node.end)
            part.kids = [self.part(ITEM, item) for item in node.items]
        else:
            part = Part(name, LEAF, node.source, node.start, node.end)
            if isinstance(node, ScalarNode):
                value = node.value
                part.text = f"{node.text}" if isinstance(value, str) or value is not None else ""
                part.scalar = node
        self._numbers.give(part)
        return part

    def _settings(self, name: str, node: SequenceNode) -> Part:
        """Return a list of `NAME=value` as the mapping that it stands for."""
        part = Part(name, MAPPING, node.source, node.start, node.end)
        for item in node.items:
            if not isinstance(item, ScalarNode):
                continue
            key, _, value = item.text.partition("=")
            kid = Part(self._spelling(key), LEAF, item.source, item.start, item.end, value)
            kid.written = key
            kid.scalar = ScalarNode(item.source, item.start, item.end, None, value, plain=False)
            self._numbers.give(kid)
            part.kids.append(kid)
        self._numbers.give(part)
        return part


def _is_application(node: MappingNode) -> bool:
    """Say whether a mapping is a service of Compose that does not run Traefik."""
    fields = node.fields()
    image = fields["image"][1] if "image" in fields else None
    return ("build" in fields or image is not None) and "traefik" not in getattr(image, "text", "")


def _assignments(node: SequenceNode) -> bool:
    return all(isinstance(item, ScalarNode) for item in node.items)


def _steers(name: str, part: Part) -> bool:
    """Say whether a ConfigMap is that of an ingress controller, or holds a proxy's config."""
    data = next((kid.kids for kid in part.kids if kid.name == "data"), [])
    return "ingress" in name or "nginx-config" in name or any(kid.name.endswith(_CONFIGS) for kid in data)


_NAMESPACE = ["metadata", "namespace"]


def _said(part: Part, *path: str) -> str:
    for name in path:
        found = next((kid for kid in part.kids if kid.name == name), None)
        if found is None:
            return ""
        part = found
    return part.text


def _key(part: Part) -> tuple[str, int] | None:
    """Return what tells a mapping from its siblings; None where only its place does."""
    named = {kid.name: kid.id for kid in part.kids}
    return next(((name, named[name]) for name in _NAMES if name in named), None)


def _directives(source: Source, numbers: Numbers) -> Iterator[Part]:
    """Yield the top directives of a file; of what `nginx -T` prints, with the lines before each file."""
    from lbcheck.dialects.nginx.parser import parse

    start = 0
    for mark in _DUMPED.finditer(source.text):
        yield from (_directive(one, numbers) for one in parse(source, start, mark.start()).directives)
        part = Part(MARK, LEAF, source, mark.start(), mark.end(), mark[0])
        part.raw, part.key = mark[0], mark[0]
        numbers.give(part)
        yield part
        start = mark.end()
    yield from (_directive(one, numbers) for one in parse(source, start).directives)


def _directive(one: Directive, numbers: Numbers) -> Part:
    block = one.children is not None
    kind = LIST if block and one.raw is None else LEAF
    part = Part(one.name, kind, one.source, one.start, one.end, " ".join([*map(repr, one.args), one.raw or ""]))
    raw = one.source.text[one.start : one.end]
    part.raw = raw if one.raw is None else f"{raw} {{{one.raw}}}"
    part.kids = [_directive(child, numbers) for child in one.children or ()]
    part.key = _block_key(part) if block else (one.name, tuple(one.args[:1]))
    numbers.give(part)
    return part


def _block_key(part: Part) -> tuple[object, ...]:
    """Return what tells a block from others: its arguments, a server's names and ports."""
    own = [kid.id for kid in part.kids if part.name == "server" and kid.name in {"listen", "server_name"}]
    return (part.name, part.text, tuple(sorted(own)))


def _sections(lines: Sequence[Line], numbers: Numbers) -> list[Part]:
    """Return HAProxy's sections as blocks of their lines; lines before the first stand alone."""
    from lbcheck.dialects.haproxy.sections import KINDS

    found: list[Part] = []
    for line in lines:
        part = Part(line.keyword, LEAF, line.source, line.start, line.end, f"{line.modifier} {line.words[1:]}")
        part.raw = line.source.text[line.start : line.end]
        part.key = (line.keyword, line.word(1))
        if line.keyword in KINDS and not line.modifier:
            part.kind = LIST
            found.append(part)
        elif found and found[-1].kind == LIST:
            numbers.give(part)
            found[-1].kids.append(part)
        else:
            found.append(part)
    for part in found:
        numbers.give(part)
    return found

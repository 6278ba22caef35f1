"""One file of a Traefik configuration as nodes: YAML or TOML, with what is wrong with its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import composefile, toml, yaml
from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.defaultrules import EXPRESSION, masked
from lbcheck.dialects.traefik.values import STATEMENT, TEMPLATE
from lbcheck.dialects.unread import doubled, unreadable
from lbcheck.dialects.yaml_nodes import MappingNode, blocks, nodes
from lbcheck.files import UnreadableError
from lbcheck.findings import NotChecked
from lbcheck.patterns import pattern
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.yaml import Stream
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.text import Span

#: Ends that template engines add to a file's name.
_TEMPLATED = (".tmpl", ".tpl", ".template", ".j2", ".jinja2", ".jinja", ".in", ".dist", ".example", ".erb")
#: The first line that says something, where it is TOML: a table, or a key with `=`.
_TOML = pattern(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:\[{1,2}[\w .\"'-]+\]{1,2}|[\w.\"'-]+[ \t]*=)")
#: Top-level sections, by what kind of file they make.
STATIC = frozenset(
    {
        "global",
        "serverstransport",
        "tcpserverstransport",
        "entrypoints",
        "providers",
        "api",
        "metrics",
        "ping",
        "log",
        "accesslog",
        "tracing",
        "hostresolver",
        "certificatesresolvers",
        "experimental",
        "core",
        "spiffe",
        "ocsp",
        "pilot",
    }
)
DYNAMIC = frozenset({"http", "tcp", "udp", "tls"})


class Document:
    """A file: its root's fields, what is wrong with its text (`hits`), and why not all of it is known (`open`)."""

    __slots__ = ("fields", "hits", "open", "root", "source", "unmodelled")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: MappingNode | None = None
        self.fields: Fields = {}
        self.hits: list[Hit] = []
        self.unmodelled: list[NotChecked] = []
        self.open: str | None = None

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.source.path

    @property
    def static(self) -> bool:
        """Whether it says where Traefik listens and where its routers come from."""
        return not STATIC.isdisjoint(self.fields)

    @property
    def dynamic(self) -> bool:
        """Whether it holds routers, services or the like."""
        return not DYNAMIC.isdisjoint(self.fields)

    def blocks(self) -> Iterator[Span]:
        """Yield the extents that a comment on their first line speaks for."""
        return blocks([self.root] if self.root is not None else [])


def is_toml(source: Source) -> bool:
    """Say whether a text is TOML, by its name where it has one, else by its first line."""
    name = source.path.lower()
    for suffix in _TEMPLATED:
        name = name.removesuffix(suffix)
    if name.endswith((".toml", ".yaml", ".yml", ".json")):
        return name.endswith(".toml")
    return _TOML.match(source.text) is not None


def read(path: str, files: Files) -> Document:
    """Return a file's document; one that cannot be read is empty and says so. Never raises."""
    try:
        source = files.read(path)
    except UnreadableError as error:
        return _unreadable(path, error)
    return parse(source)


def parse(source: Source) -> Document:
    """Return a text's document."""
    document = Document(source)
    stream = _stream(source)
    statement = STATEMENT.search(source.text)
    if statement is not None:
        document.open = "a template decides what is in it"
        span = source.span(statement.start(), statement.end())
        document.unmodelled.append(NotChecked(span, document.open))
    for hit in stream.hits:
        _note(document, hit)
    _root(document, stream)
    return document


def _stream(source: Source) -> Stream:
    """Return the nodes of a text, in which `{{ … }}` is a value without quotes: Traefik fills it in before it reads."""
    text = EXPRESSION.sub(masked, source.text)
    reader = toml.read if is_toml(source) else yaml.read
    if text == source.text:
        return reader(source)
    stream = reader(Source(source.path, text))
    for root in stream.documents:
        for node in nodes(root):
            node.source = source
    for hit in stream.hits:
        hit.span = source.span(hit.span.start, hit.span.end)
    return stream


def _unreadable(path: str, error: UnreadableError) -> Document:
    said = unreadable("traefik", path, error)
    document = Document(said.files[0])
    document.hits, document.unmodelled, document.open = said.hits, said.unmodelled, error.reason
    return document


def _note(document: Document, hit: Hit) -> None:
    """Take over what is wrong with the text; what a template has yet to fill in is not wrong."""
    source = document.source
    if hit.code == "E01" and (document.open is not None or TEMPLATE.search(source.line(hit.span.line))):
        document.open = "a template that has yet to be filled in"
        document.unmodelled.append(NotChecked(hit.span, document.open))
    else:
        document.hits.append(hit)


def _root(document: Document, stream: Stream) -> None:
    """Take the first document, as Traefik does (yaml.Unmarshal); further ones are never read."""
    if not stream.documents:
        return
    first, *others = stream.documents
    for other in others:
        if other.end > other.start:
            document.unmodelled.append(NotChecked(other.span, "Traefik reads the first document of a file alone"))
    if not isinstance(first, MappingNode):
        return
    document.root = first
    document.fields = f.of(first)
    _note_passed_over(document)
    if document.open is not None:
        return
    document.hits += doubled(first)


def _note_passed_over(document: Document) -> None:
    """Note the sections of a static file that Traefik does not know, as all of version 1: it says nothing of them.

    (Seen on a running 3.5.4; in the sections that it knows an unknown field stops it.)
    """
    if document.root is None or not document.static or composefile.recognises(document.source):
        return
    for name, (key, _) in document.root.fields().items():
        if name.lower() not in STATIC | DYNAMIC and not name.startswith("x-"):
            reason = f"Traefik knows no section {name[:60]} here, and passes it over"
            document.unmodelled.append(NotChecked(key.span, reason))

"""What the dynamic files define, by protocol, section and name; of two that define one name the first counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.yaml_nodes import MappingNode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.dialects.traefik.document import Document
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.yaml_nodes import Node, ScalarNode

PROTOCOLS = ("http", "tcp", "udp")
#: The sections of a protocol whose entries have names.
SECTIONS = ("routers", "services", "middlewares", "serverstransports")

#: The provider whose names files hold; and those of a project with labels.
IN_FILES = frozenset({"file"})
IN_PROJECTS = frozenset({"file", "docker", "swarm"})


class Entry(NamedTuple):
    """Something with a name: its key, its content, and the content's fields."""

    name: str
    key: ScalarNode
    node: Node
    fields: Fields


class Entries:
    """All entries of a configuration. `twice` are those that an earlier file has already defined: (first, further)."""

    __slots__ = ("_by_section", "providers", "twice")

    def __init__(self, documents: Iterable[Document], providers: frozenset[str] = IN_FILES) -> None:
        self.providers = providers
        self._by_section: dict[tuple[str, str], dict[str, Entry]] = {}
        self.twice: list[tuple[Entry, Entry]] = []
        for document in documents:
            for protocol in PROTOCOLS:
                self._take(protocol, f.inside(document.fields, protocol))
            self._take_section("tls", "options", f.inside(document.fields, "tls"))

    def _take(self, protocol: str, sections: Fields) -> None:
        for section in SECTIONS:
            self._take_section(protocol, section, sections)

    def _take_section(self, protocol: str, section: str, sections: Fields) -> None:
        pair = sections.get(section)
        if pair is None or not isinstance(pair[1], MappingNode):
            return
        known = self._by_section.setdefault((protocol, section), {})
        for name, (key, node) in pair[1].fields().items():
            entry = Entry(name, key, node, f.of(node))
            first = known.setdefault(name, entry)
            if first is not entry:
                self.twice.append((first, entry))

    def local(self, name: str) -> tuple[str, str]:
        """Return (name, provider) of a reference; provider "" where it is to be found here."""
        return local(name, self.providers)

    def of(self, protocol: str, section: str) -> dict[str, Entry]:
        """Return the entries of a section by name."""
        return self._by_section.get((protocol, section), {})


def names(document: Document) -> set[tuple[str, str, str]]:
    """Return what a document defines, as (protocol, section, name)."""
    one = Entries([document])
    return {(protocol, section, name) for (protocol, section), known in one._by_section.items() for name in known}  # noqa: SLF001


def local(name: str, providers: frozenset[str] = IN_FILES) -> tuple[str, str]:
    """Return (name, provider) of a reference such as `app@internal`; provider "" where it is one of those read here.

    A name that a file gives belongs to the provider "file", so `app` and `app@file` are the same in a file; likewise
    for labels and the provider "docker".
    """
    short, at, provider = name.partition("@")
    provider = provider.lower()
    return (short, "" if provider in providers else provider) if at else (name, "")

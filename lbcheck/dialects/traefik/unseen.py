"""Names that a configuration refers to and that nothing which was read defines: whether they exist is not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.entries import PROTOCOLS
from lbcheck.findings import NotChecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.traefik.entries import Entries
    from lbcheck.dialects.yaml_nodes import ScalarNode

#: A name where it is referred to: its protocol, the section that would define it, and the node.
_Reference = tuple[str, str, "ScalarNode"]
#: What the entries of a section are called, for people.
_WORDS = {"services": "service", "middlewares": "middleware", "options": "TLS option"}
#: The TLS options that are there without being written.
_DEFAULT = "default"


def unseen(entries: Entries) -> Iterator[NotChecked]:
    """Yield a note for every reference that is met nowhere; what another provider defines is not looked for."""
    for protocol, section, node in _references(entries):
        name, provider = entries.local(node.text)
        if not provider and name not in entries.of(protocol, section):
            yield NotChecked(node.span, f"{_WORDS[section]} {name[:60]} is not defined here, and may be elsewhere")


def _references(entries: Entries) -> Iterator[_Reference]:
    for protocol in PROTOCOLS:
        for router in entries.of(protocol, "routers").values():
            yield from _named(protocol, "services", f.scalar(router.fields, "service"))
            yield from ((protocol, "middlewares", node) for node in f.texts(router.fields, "middlewares"))
            options = f.scalar(f.inside(router.fields, "tls"), "options")
            if options is not None and options.text != _DEFAULT:
                yield "tls", "options", options
        for service in entries.of(protocol, "services").values():
            yield from _children(protocol, service.fields)
        for middleware in entries.of(protocol, "middlewares").values():
            chained = f.texts(f.inside(middleware.fields, "chain"), "middlewares")
            yield from ((protocol, "middlewares", node) for node in chained)
            yield from _named(protocol, "services", f.scalar(f.inside(middleware.fields, "errors"), "service"))


def _children(protocol: str, fields: f.Fields) -> Iterator[_Reference]:
    """Yield the services that a service holds."""
    for kind in ("weighted", "highestrandomweight"):
        for item in f.items(f.inside(fields, kind), "services"):
            yield from _named(protocol, "services", f.scalar(f.of(item), "name"))
    mirroring, failover = f.inside(fields, "mirroring"), f.inside(fields, "failover")
    for item in f.items(mirroring, "mirrors"):
        yield from _named(protocol, "services", f.scalar(f.of(item), "name"))
    for inside, name in ((mirroring, "service"), (failover, "service"), (failover, "fallback")):
        yield from _named(protocol, "services", f.scalar(inside, name))


def _named(protocol: str, section: str, node: ScalarNode | None) -> Iterator[_Reference]:
    if node is not None:
        yield protocol, section, node

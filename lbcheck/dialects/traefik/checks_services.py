"""Services that hold services: whether what happens below reaches those above (pkg/server/service/service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.services import reports, triggered
from lbcheck.findings import ERROR, WARNING, Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.entries import Entry
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.model import Config

#: Kinds of service with their words, and the fields below which their children are named.
_LISTS = {"weighted": "weighted", "highestrandomweight": "highestRandomWeight"}
_CHECKED = "healthcheck"


class _Parent(NamedTuple):
    """A service that holds others: its kind's word, its content, and where its children are named."""

    entry: Entry
    kind: str
    fields: Fields
    children: list[ScalarNode]


def _parents(tree: Tree) -> Iterator[tuple[str, _Parent]]:
    """Yield (protocol, service) for every service that holds others and whose state may matter."""
    for protocol in ("http", "tcp"):
        for entry in tree.entries.of(protocol, "services").values():
            for kind, word in _LISTS.items():
                inside = f.inside(entry.fields, kind)
                children = [f.scalar(f.of(item), "name") for item in f.items(inside, "services")]
                if children:
                    yield protocol, _Parent(entry, word, inside, [node for node in children if node is not None])
            inside = f.inside(entry.fields, "mirroring")
            node = f.scalar(inside, "service")
            if node is not None:
                yield protocol, _Parent(entry, "mirroring", inside, [node])


def _child(node: ScalarNode, protocol: str, tree: Tree) -> Entry | None:
    name, provider = tree.entries.local(node.text)
    return None if provider else tree.entries.of(protocol, "services").get(name)


def composite_health(config: Config, _context: Context) -> Iterator[Hit]:
    """H18: a service wants to hear from its children, and one says nothing; or they would, and it does not listen."""
    tree: Tree | None = config.tree
    if tree is None or config.open is not None:
        return
    for protocol, parent in _parents(tree):
        known = [(node, child) for node in parent.children if (child := _child(node, protocol, tree)) is not None]
        told = [(node, child, reports(child)) for node, child in known]
        if f.switched(parent.fields, _CHECKED):
            yield from (_silent(parent, node, child) for node, child, said in told if said is False)
        elif parent.kind != "mirroring" and len(parent.children) > 1:
            heard = [child for _, child, said in told if said]
            if heard:
                yield _deaf(parent, heard)


def _silent(parent: _Parent, node: ScalarNode, child: Entry) -> Hit:
    args = {
        "service": parent.entry.name,
        "problem": f"listens to its children's health checks, but {child.name} has none",
        "effect": "Traefik does not build the service, and answers 404 to its routers' requests",
        "advice": f"add a `healthCheck:` to {child.name}, or drop that of {parent.entry.name}",
    }
    return Hit("H18", node.span, args, severity=ERROR, related=[Related(child.key.span, "it is defined here")])


def _deaf(parent: _Parent, heard: list[Entry]) -> Hit:
    args = {
        "service": parent.entry.name,
        "problem": f"does not listen to the health checks of its children ({heard[0].name} has one)",
        "effect": "it goes on to send its share to a child whose servers are all down",
        "advice": f"add `healthCheck: {{}}` to {parent.kind}, and a `healthCheck:` to every child",
    }
    related = [Related(child.key.span, "it has a health check") for child in heard[:10]]
    return Hit("H18", parent.entry.key.span, args, severity=WARNING, related=related)


def failover_invalid(config: Config, _context: Context) -> Iterator[Hit]:
    """F09: a failover whose service never says that it is down, or that falls back to the same one."""
    tree: Tree | None = config.tree
    if tree is None or config.open is not None:
        return
    for entry in tree.entries.of("http", "services").values():
        if not f.written(entry.fields, "failover"):
            continue
        inside = f.inside(entry.fields, "failover")
        main, fallback = f.scalar(inside, "service"), f.scalar(inside, "fallback")
        if main is None or fallback is None:
            missing = "service" if main is None else "fallback"
            yield _failover(entry, entry.key, f"names no {missing}", f"write `{missing}:`", "Traefik does not build it")
        elif tree.entries.local(main.text) == tree.entries.local(fallback.text):
            problem = f"falls back from {main.text[:60]} to the same"
            yield _failover(entry, fallback, problem, "name another service", "nothing takes over")
        else:
            yield from _never_triggered(entry, main, inside, tree)


def _never_triggered(entry: Entry, main: ScalarNode, inside: Fields, tree: Tree) -> Iterator[Hit]:
    child = _child(main, "http", tree)
    if child is None or triggered(child, inside):
        return
    problem = f"waits for the health check of {child.name}, which has none"
    advice = f"add a `healthCheck:` to {child.name}"
    effect = "Traefik does not build the service, and answers 404 to its routers' requests"
    yield _failover(entry, main, problem, advice, effect)


def _failover(entry: Entry, node: ScalarNode, problem: str, advice: str, effect: str) -> Hit:
    args = {"service": entry.name, "problem": problem, "effect": effect, "advice": advice}
    return Hit("F09", node.span, args, pool=entry.name)

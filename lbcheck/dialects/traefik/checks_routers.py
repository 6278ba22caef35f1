"""Routers that Traefik does not enable: it logs an error, and their traffic does not reach the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import gohost, pools
from lbcheck.dialects.traefik.services import KINDS
from lbcheck.dialects.traefik.values import TEMPLATE
from lbcheck.findings import INFO, WARNING, Hit
from lbcheck.patterns import pattern
from lbcheck.spelling import closest
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.entries import Entry
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.model import Config
    from lbcheck.text import Span

#: How a kind of service is written.
_WORDS = dict(zip(KINDS, ("loadBalancer", "weighted", "highestRandomWeight", "mirroring", "failover"), strict=True))
_TAG = pattern(r":v?([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})\b")
#: What becomes of the traffic of a router that is not built: HTTP gets an answer, a connection none from its service.
_ANSWERS = {
    "http": "answers 404 to its requests",
    "tcp": "none of its connections reach the service",
    "udp": "none of its packets reach the service",
}


def router_broken(config: Config, context: Context) -> Iterator[Hit]:
    """R11: a router without a rule that Traefik takes, or that names what does not exist, or whose service is broken.

    A service that does not exist is P02's. Of a rule that version 2 takes, and the version not known, it is only said.
    """
    tree: Tree | None = config.tree
    if tree is None or config.open is not None:
        return
    version = context.targets.get("traefik") or _image_version(tree)
    for broken in tree.broken:
        if not broken.older or (version is not None and version >= (3,)):
            effect = _disabled(broken.protocol) if broken.logged else f"Traefik {_ANSWERS[broken.protocol]}"
            yield _hit(broken.entry, broken.span, broken.problem, broken.advice, effect)
        elif version is None:
            answers = _ANSWERS[broken.protocol]
            effect = f"version 2 takes it, {'' if broken.protocol == 'http' else 'in '}version 3 {answers}"
            yield _hit(broken.entry, broken.span, broken.problem, broken.advice, effect, INFO)
    for protocol in ("http", "tcp", "udp"):
        for entry in tree.entries.of(protocol, "routers").values():
            yield from _references(entry, protocol, tree)
        for entry in tree.entries.of(protocol, "services").values():
            yield from _service(entry, protocol)


def _image_version(tree: Tree) -> tuple[int, ...] | None:
    """Return the version that the image's tag in a Compose file names: `traefik:v3.6`."""
    proxy = None if tree.project is None else tree.project.proxy
    found = None if proxy is None else _TAG.search(proxy.image)
    return None if found is None else tuple(int(part) for part in found[1].split("."))


def _disabled(protocol: str) -> str:
    return f"Traefik only logs that, and {_ANSWERS[protocol]}"


def _hit(entry: Entry, span: Span, problem: str, advice: str, effect: str, severity: str | None = None) -> Hit:
    args = {"router": entry.name, "problem": problem, "effect": effect, "advice": advice}
    return Hit("R11", span, args, severity=severity, route=entry.name)


def _references(entry: Entry, protocol: str, tree: Tree) -> Iterator[Hit]:
    fields = entry.fields
    if not f.written(fields, "service") and not _has_children(entry, protocol, tree):
        yield _hit(entry, entry.key.span, "it has no service", "name one with `service:`", _disabled(protocol))
    if tree.static.entry_points and not f.written(fields, "parentrefs"):
        yield from _entry_points(entry, protocol, tree)
    if not tree.complete:
        return
    known = tree.entries.of(protocol, "middlewares")
    for node in f.texts(fields, "middlewares"):
        yield from _missing(entry, node, known, "middleware", _disabled(protocol), tree)
    options = f.scalar(f.inside(fields, "tls"), "options")
    if options is not None and options.text != "default":
        known = tree.entries.of("tls", "options")
        yield from _missing(entry, options, known, "TLS option", _disabled(protocol), tree)


def _has_children(entry: Entry, protocol: str, tree: Tree) -> bool:
    """Say whether other routers name it as their parent, or may do so elsewhere (`parentRefs`, 3.6)."""
    if not tree.complete:
        return True
    routers = tree.entries.of(protocol, "routers").values()
    local = tree.entries.local
    return any(local(node.text)[0] == entry.name for one in routers for node in f.texts(one.fields, "parentrefs"))


def _entry_points(entry: Entry, protocol: str, tree: Tree) -> Iterator[Hit]:
    known = tree.static.entry_points
    named = f.texts(entry.fields, "entrypoints")
    missing = [node for node in named if node.text not in known and not TEMPLATE.search(node.text)]
    for node in missing:
        guess = closest(node.text, known)
        advice = f"did you mean {guess}?" if guess else f"the entry points are {listed(list(known)) or 'none'}"
        problem = f"there is no entry point {node.text[:60]}"
        if len(missing) == len(named):
            yield _hit(entry, node.span, problem, advice, _disabled(protocol))
        else:
            yield _hit(entry, node.span, problem, advice, "Traefik only logs that, and it is not there", WARNING)


def _missing(entry: Entry, node: ScalarNode, known: Iterable[str], what: str, effect: str, tree: Tree) -> Iterator[Hit]:
    name, provider = tree.entries.local(node.text)
    if not provider and name not in known and not TEMPLATE.search(name):
        guess = closest(name, known)
        advice = f"did you mean {guess}?" if guess else "define it, or name one that exists"
        yield _hit(entry, node.span, f"there is no {what} {name[:60]}", advice, effect)


def _service(entry: Entry, protocol: str) -> Iterator[Hit]:
    """Yield what keeps a service from being built: every router that leads to it is disabled then."""
    kinds = [kind for kind in KINDS if f.written(entry.fields, kind)]
    lost = _ANSWERS[protocol].replace("its ", "the routers' ")
    effect = f"Traefik does not build it, only logs that, and {lost}"
    if len(kinds) > 1:
        problem = f"it is of several kinds: {listed([_WORDS[kind] for kind in kinds])}"
        yield _hit(entry, entry.key.span, problem, "make a service of each", effect)
    balancer = f.inside(entry.fields, "loadbalancer")
    strategy = f.text(balancer, "strategy")
    if strategy is not None and strategy.span is not None and _unknown_strategy(strategy.value):
        guess = closest(strategy.value, pools.STRATEGIES) or f"one of {listed(list(pools.STRATEGIES))}"
        problem = f"there is no strategy {strategy.value[:40]}"
        yield _hit(entry, strategy.span, problem, f"write {guess}", effect)
    for item in f.items(balancer, "servers"):
        node = f.scalar(f.of(item), "url" if protocol == "http" else "address")
        if node is not None and pools.address_of(node.text, protocol)[1] is None:
            yield from _server(entry, node, protocol, effect)


def _unknown_strategy(name: str) -> bool:
    return name not in pools.STRATEGIES and not TEMPLATE.search(name)


def _server(entry: Entry, node: ScalarNode, protocol: str, effect: str) -> Iterator[Hit]:
    said = node.text[:60]
    if gohost.is_local(node.text) or (protocol != "http" and gohost.has_named_port(node.text)):
        return
    if protocol == "http":
        advice = "write a URL with its scheme, such as http://10.0.0.1:8080"
        if not gohost.url_refused(node.text):
            effect = "every request that goes there fails"
        yield _hit(entry, node.span, f"its server {said} is no URL", advice, effect)
        return
    advice = "write host:port, such as 10.0.0.1:5432"
    effect = "Traefik leaves that server out"
    if protocol == "tcp" and not gohost.split_refused(node.text):
        effect = "every connection that goes there fails"
    yield _hit(entry, node.span, f"its server {said} is not host:port", advice, effect)

"""Labels of containers that leave open what Traefik is to do (pkg/provider/configuration.go, merge.go, docker)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import composefile
from lbcheck.dialects.traefik import labels, schema
from lbcheck.findings import WARNING, Hit, Related
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.containers import Container
    from lbcheck.dialects.traefik.group import Project
    from lbcheck.dialects.traefik.labels import Claim
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.model import Config
    from lbcheck.text import Span


def container_ambiguous(config: Config, _context: Context) -> Iterator[Hit]:
    """P14: labels that Traefik ignores, routers without a service, names that two containers fight for, guesses."""
    tree: Tree | None = config.tree
    if tree is None or tree.project is None or config.open is not None:
        return
    project = tree.project
    claims = project.labelled.claims
    yield from _ignored(project)
    own: dict[str, list[Claim]] = {}
    for claim in claims:
        own.setdefault(claim.container.name, []).append(claim)
    for few in own.values():
        yield from _unlinked(few)
    yield from _contested(claims)
    document = tree.static.document
    provider = labels.provider(document)
    reached = next(iter(labels.networks(document)), None)
    for container in project.containers.by_name.values():
        if labels.enabled(container, provider) and any(labels.labels(container)):
            yield from _port_guessed(container, own.get(container.name, ()))
            if project.proxy is not None and not _same_networks(project, container):
                yield from _network_guessed(container, reached, project)


def _hit(container: Container, span: Span, problem: str, effect: str, advice: str, *, mild: bool = False) -> Hit:
    args = {"container": container.name, "problem": problem, "effect": effect, "advice": advice}
    return Hit("P14", span, args, severity=WARNING if mild else None)


def _ignored(project: Project) -> Iterator[Hit]:
    """Yield the labels for which Traefik ignores their container (docker/config.go: DecodeConfiguration() fails)."""
    for span, problem, advice in schema.of_labels(project.labelled.document):
        everybody = project.containers.by_name.values()
        owner = next((one for one in everybody if any(span in places for places in _places(one))), None)
        if owner is not None:
            yield _hit(owner, span, f"its label is wrong: {problem}", "Traefik only logs that, and ignores it", advice)


def _places(container: Container) -> Iterator[tuple[Span, Span]]:
    return ((label.key.span, label.value.span) for label in container.labels)


def _unlinked(claims: list[Claim]) -> Iterator[Hit]:
    """Yield the routers of a container with several services that name none of them."""
    known: dict[str, list[str]] = {}
    for claim in claims:
        if claim.section == "services":
            known.setdefault(claim.protocol, []).append(claim.name)
    for claim in claims:
        services = known.get(claim.protocol, ())
        if claim.section != "routers" or len(services) < 2 or not isinstance(claim.content, tuple):
            continue
        if "service" not in dict(claim.content):
            service = claim.name if claim.name in services else services[0]
            yield _hit(
                claim.container,
                claim.span,
                f"router {claim.name} names no service, and there are {len(services)} ({listed(services)})",
                "Traefik drops the router",
                f"add a label traefik.{claim.protocol}.routers.{claim.name}.service={service}",
            )


def _contested(claims: list[Claim]) -> Iterator[Hit]:
    """Yield the routers, services and middlewares that two containers describe differently: Traefik drops both.

    (pkg/provider/configuration.go Merge(); a router that uses a middleware which is not there is not enabled.)
    """
    for known, claim in labels.contested(claims):
        what = claim.section.removesuffix("s")
        hit = _hit(
            claim.container,
            claim.span,
            f"{what} {claim.name} is another one than that of {known.container.name}",
            "Traefik logs that it is defined several times, and drops both"
            + (", and the routers that use it with them" if what == "middleware" else ""),
            f"give each {what} its own name, or write the same labels on both",
        )
        hit.related = [Related(known.span, f"{known.container.name} defines it here")]
        yield hit


def _port_guessed(container: Container, claims: Sequence[Claim]) -> Iterator[Hit]:
    """Yield a container of which several ports are exposed and no label says which one is meant.

    Routers on Traefik's own container redirect, or lead to its dashboard: no port of it is meant.
    """
    if (
        labels.is_traefik(container)
        or len(container.ports) < 2
        or any(_says_where(label.key.value.lower()) for label in container.labels)
    ):
        return
    if not claims:
        return
    claim = claims[0]
    if claim.protocol == "udp" or _answers_itself(container):
        return
    yield _hit(
        container,
        claim.span,
        f"it has {counted(len(container.ports), 'port')} ({listed([str(port) for port in sorted(container.ports)])})",
        f"Traefik takes the lowest, {min(container.ports)}, unless the image exposes a lower one",
        f"add a label traefik.{claim.protocol}.services.{container.name}.loadbalancer.server.port",
        mild=True,
    )


def _says_where(key: str) -> bool:
    return key.endswith((".loadbalancer.server.port", ".loadbalancer.server.url"))


def _answers_itself(container: Container) -> bool:
    """Say whether its routers lead to Traefik's own services, as those of a dashboard do."""
    named = [one.value.value for one in container.labels if one.key.value.lower().endswith(".service")]
    return bool(named) and all("@" in name for name in named)


def _same_networks(project: Project, container: Container) -> bool:
    """Say whether Traefik is on every network of a container, so that any of its addresses will do."""
    return project.proxy is not None and set(container.networks) <= set(project.proxy.networks)


def _network_guessed(container: Container, reached: str | None, project: Project) -> Iterator[Hit]:
    """Yield a container of several networks of which Traefik takes any, for none is named, or none that Docker knows.

    Docker puts the project's name before a network's; a name that Traefik does not find counts as none
    (docker/config.go getIPAddress()).
    """
    if len(container.networks) < 2 or labels.is_traefik(container) or _answers_itself(container):
        return
    said = labels.said(container, "traefik.docker.network", "traefik.swarm.network")
    name = reached if said is None else said.value
    problem = f"it is on {counted(len(container.networks), 'network')} ({listed(list(container.networks))})"
    advice = "add a label traefik.docker.network, or set the provider's network"
    if name is not None:
        root = project.document.root
        if root is None or name not in composefile.prefixed(root):
            return
        problem += f", and Docker knows none {name}, for it puts the project's name before it"
        advice = f"write name: {name} below that network"
    yield _hit(
        container,
        container.span if said is None else said.span,
        problem,
        "Traefik may take its address on one that it is not on itself, and requests time out",
        advice,
        mild=True,
    )

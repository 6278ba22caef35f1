"""From Traefik's files to configs of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import composeoverride
from lbcheck.dialects.containers import note_published
from lbcheck.dialects.traefik import constraints, group, labels, pools, requirements, routers, schema, unseen
from lbcheck.dialects.traefik import document as documents
from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import static as statics
from lbcheck.dialects.traefik.entries import IN_FILES, IN_PROJECTS, PROTOCOLS, Entries, local
from lbcheck.dialects.traefik.services import Services
from lbcheck.findings import NotChecked
from lbcheck.model import Condition, Config
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.containers import Container
    from lbcheck.dialects.traefik.document import Document
    from lbcheck.dialects.traefik.group import Group, Project
    from lbcheck.dialects.traefik.routers import Broken, Router
    from lbcheck.dialects.traefik.static import Static
    from lbcheck.files import Files


class Tree(NamedTuple):
    """What the dialect's own checks look at. `complete`: a name that is not in `entries` is in no file either."""

    entries: Entries
    static: Static
    broken: list[Broken]
    complete: bool
    project: Project | None
    documents: Sequence[Document]


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn files that may belong together into configs. Never raises."""
    known = [documents.read(path, files) for path in paths]
    made = [config(one) for one in group.groups(known)]
    for one in made:
        if one.tree.project is not None:
            missed = (composeoverride.missed(document.source, paths, files) for document in one.tree.project.documents)
            one.unmodelled += (note for notes in missed for note in notes)
    return made


def config(one: Group) -> Config:
    """Return the config of a group of files."""
    made, files = _of_files(one)
    static = statics.read(one.static, made) if one.static is not None else statics.Static(None)
    complete = one.complete and made.open is None
    entries = Entries(one.dynamic, IN_FILES if one.project is None else IN_PROJECTS)
    services = {protocol: _services(protocol, entries, made, one, complete=complete) for protocol in PROTOCOLS}
    for found in services.values():
        made.pools += found.pools()
    readable, broken = routers.read(entries, static)
    if one.project is not None:
        readable = _while_they_run(_kept(readable, one.project), one.project)
        readable += routers.asleep(Entries((one.project.labelled.asleep,), IN_PROJECTS), entries, static)
    made.frontends = routers.frontends(readable, entries, static, services)
    _leave_out_halves(made, services)
    _note_uses(made, static, entries, services, complete=complete)
    if not complete and made.open is None:
        made.unmodelled += unseen.unseen(entries)
    made.requirements += requirements.requirements(entries)
    made.tree = Tree(entries, static, broken, complete, one.project, files)
    if one.project is not None:
        _note_project(made, one.project, one.static, readable)
    made.unread = not made.hits and all(document.open is not None and not document.fields for document in files)
    return made


def _of_files(one: Group) -> tuple[Config, list[Document]]:
    """Return a config with what is wrong with its files, and one document for each of them."""
    composed = () if one.project is None else one.project.documents
    written = {document.path for document in composed}
    every = [*composed, *(document for document in (one.static, *one.dynamic) if document is not None)]
    files = list({document.path: document for document in every}.values())  # labels stand in a file of another format
    made = Config("traefik", files[0].path, [document.source for document in files])
    made.blocks = lambda: (span for document in files for span in document.blocks())
    for document in {id(document): document for document in every}.values():
        made.hits += document.hits
        made.unmodelled += document.unmodelled
        made.open = made.open or document.open
        if document.path not in written:
            made.hits += schema.check(document)
    return made, files


def _note_project(made: Config, project: Project, static: Document | None, readable: Sequence[Router]) -> None:
    """Note the world in which a project's containers run, and what of them is not known."""
    made.world = project.containers.world
    made.home = None if project.proxy is None else project.proxy.name
    note_published(made.admins, project.proxy)
    made.unmodelled += _unseen_containers(project, labels.provider(static))
    made.unmodelled += _unknown_ports(made)
    made.unmodelled += _unknown_rules(readable)


def _services(protocol: str, entries: Entries, made: Config, one: Group, *, complete: bool) -> Services:
    fields = {} if one.static is None else one.static.fields
    default = f.inside(fields, "serverstransport" if protocol == "http" else "tcpserverstransport")
    transports = pools.Transports(default, entries.of(protocol, "serverstransports"))
    return Services(protocol, entries, made, transports, complete=complete)


def _unseen_containers(project: Project, provider: labels.Provider) -> Iterator[NotChecked]:
    """Yield what of the containers is not known: what they extend elsewhere, and whether the provider takes them."""
    for container in project.containers.by_name.values():
        if container.elsewhere is not None:
            reason = f"what {container.name[:60]} takes over from {container.elsewhere.value}"
            yield NotChecked(container.elsewhere.span, reason)
    everybody = [one for one in project.containers.by_name.values() if any(labels.labels(one))]
    unsure = [one.name[:60] for one in everybody if constraints.unsure(one, provider.constraint)]
    if unsure and provider.constraint is not None:
        yield NotChecked(provider.constraint.span, f"whether the provider's constraints take {listed(unsure)}")


def _unknown_ports(made: Config) -> Iterator[NotChecked]:
    """Yield the servers whose port is the lowest that a container's image exposes, which nobody reads."""
    targets = (target for frontend in made.frontends for route in frontend.routes for target in route.targets)
    reached = {id(target.pool): target.pool for target in targets if target.pool is not None}
    for server in {id(server): server for pool in reached.values() for server in pool.servers}.values():
        if "opaque port" in server.options:
            yield NotChecked(server.span, f"which port {server.name.partition(':')[0][:60]} has: its image says so")


def _unknown_rules(found: Sequence[Router]) -> Iterator[NotChecked]:
    """Yield the routers whose rule Traefik makes of a template that nobody can fill in here."""
    for router in found:
        rule = f.scalar(router.entry.fields, "rule")
        if rule is not None and rule.text.startswith(labels.UNKNOWN_RULE):
            name = router.entry.name.removesuffix(labels.DEFAULT)[:60]
            yield NotChecked(router.entry.key.span, f"which requests {name} gets: Traefik makes its default rule")


def _leave_out_halves(made: Config, services: dict[str, Services]) -> None:
    """Drop the pools that are only the halves of a failover: its own pool holds their servers."""
    reached = {id(target.pool) for one in made.frontends for route in one.routes for target in route.targets}
    halves = {key for found in services.values() for key in found.parts if key not in reached and key not in found.used}
    made.pools = [pool for pool in made.pools if id(pool) not in halves]


def _kept(found: Sequence[Router], project: Project) -> list[Router]:
    """Return routers without those that Traefik drops since two containers that always run fight for the name (P14).

    A router goes with a middleware, or a service, that is dropped.
    """
    lost = {
        (one.protocol, one.section, one.name)
        for one, other in labels.contested(project.labelled.claims)
        if not one.container.profiles and not other.container.profiles
    }
    if not lost:
        return list(found)
    return [router for router in found if lost.isdisjoint(_stands_on(router))]


def _stands_on(router: Router) -> Iterator[tuple[str, str, str]]:
    """Yield the names without which Traefik does not enable a router, as (protocol, section, name), its own first."""
    fields, protocol = router.entry.fields, router.protocol
    yield protocol, "routers", router.entry.name
    for section, nodes in (("services", f.texts(fields, "service")), ("middlewares", f.texts(fields, "middlewares"))):
        for node in nodes:
            name, provider = local(node.text, IN_PROJECTS)
            if not provider:
                yield protocol, section, name


def _while_they_run(found: Sequence[Router], project: Project) -> list[Router]:
    """Return routers with the condition on which they are there at all, where they may come and go.

    A container of a profile may not be started. One that is not healthy is left out with its routers
    (pkg/provider/docker/config.go keepContainer()), which a priority on it makes a way to fail over.
    """
    owners: dict[tuple[str, str], list[Container]] = {}
    for claim in project.labelled.claims:
        if claim.section == "routers":
            owners.setdefault((claim.protocol, claim.name), []).append(claim.container)
    return [_while_it_runs(router, owners.get((router.protocol, router.entry.name), ())) for router in found]


def _while_it_runs(router: Router, owners: Sequence[Container]) -> Router:
    if not owners:
        return router
    reason = ""
    if all(owner.profiles for owner in owners):
        reason = f"profile {' or '.join(sorted({name for owner in owners for name in owner.profiles}))} is active"
    elif f.written(router.entry.fields, "priority") and all(owner.checked for owner in owners):
        reason = f"container {owners[0].name} is healthy"
    if not reason:
        return router
    condition = Condition("opaque", "exact", [reason])
    return router._replace(match=tuple((*alternative, condition) for alternative in router.match))


def _note_uses(
    made: Config, static: Static, entries: Entries, services: dict[str, Services], *, complete: bool
) -> None:
    """Note what besides routes uses pools: mirrors, error pages, and routers in other files or providers."""
    _note_middlewares(entries, services["http"], made)
    for protocol, found in services.items():
        made.used |= {(protocol, pool.name) for pool in found.used.values()}
        if not complete or not static.providers <= {"file", "internal"}:
            made.used.add((protocol, "*"))


def _note_middlewares(entries: Entries, services: Services, made: Config) -> None:
    """Note the pools that answer in place of errors (`errors.service`), and plugins, which may do anything."""
    for entry in entries.of("http", "middlewares").values():
        named = f.scalar(f.inside(entry.fields, "errors"), "service")
        if named is not None:
            found = services.at(named.text, named.span)
            services.used.update({id(target.pool): target.pool for target in found.targets if target.pool is not None})
        if f.written(entry.fields, "plugin"):
            made.unmodelled.append(NotChecked(entry.key.span, f"what the plugin of middleware {entry.name} does"))

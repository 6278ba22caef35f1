"""What a service's name comes to: pools with their parts of the requests (pkg/server/service)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import pools
from lbcheck.dialects.traefik.entries import local
from lbcheck.findings import NotChecked
from lbcheck.model import BACKUP, Pool, Setting, WeightedTarget
from lbcheck.traffic.algorithms import rendezvous

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.traefik.entries import Entries, Entry
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.model import Config, Server
    from lbcheck.text import Span

#: The kinds of service; of one service only one kind may be written.
KINDS = ("loadbalancer", "weighted", "highestrandomweight", "mirroring", "failover")
#: Services that hold services are followed so far; each takes some of Python's calls.
_MAX_DEPTH = 100
_ONE = Setting(1)


class Result(NamedTuple):
    """Where a service's requests go. `outcome` is a route's: "pools", "answer" or "unknown", then with the reason."""

    targets: tuple[WeightedTarget, ...]
    outcome: str = "pools"
    reason: str | None = None


class Services:
    """The services of one protocol. `complete`: a name that is not among them is nowhere."""

    __slots__ = (
        "_config",
        "_entries",
        "_pools",
        "_protocol",
        "_providers",
        "_results",
        "_transports",
        "complete",
        "parts",
        "used",
    )

    def __init__(
        self,
        protocol: str,
        entries: Entries,
        config: Config,
        transports: pools.Transports,
        *,
        complete: bool,
    ) -> None:
        self._protocol = protocol
        self._entries = entries.of(protocol, "services")
        self._providers = entries.providers
        self._config = config
        self._transports = transports
        self.complete = complete
        self._pools: dict[str, Pool | None] = {}
        self._results: dict[str, Result] = {}
        #: Pools that are only halves of a failover's pool, by id.
        self.parts: dict[int, Pool] = {}
        #: Pools that something besides a route sends to, by id.
        self.used: dict[int, Pool] = {}

    def pools(self) -> list[Pool]:
        """Return the pools of all services, in order of writing; those of failovers in place of their halves."""
        for name in self._entries:
            self._resolve(name, 0)
        return [pool for name in self._entries if (pool := self._pools.get(name)) is not None]

    def note(self, *notes: NotChecked) -> None:
        """Note what is not known of requests on their way to a service, each thing once."""
        if not notes:
            return
        known = {(one.span.path, one.span.start, one.reason) for one in self._config.unmodelled}
        self._config.unmodelled += [one for one in notes if (one.span.path, one.span.start, one.reason) not in known]

    def pool(self, name: str) -> Pool | None:
        """Return the pool of a name, None where there is none."""
        if name not in self._pools:
            entry = self._entries.get(name)
            made = None
            if entry is not None and f.written(entry.fields, "loadbalancer"):
                made = pools.pool(entry, self._protocol, self._config, self._transports)
            self._pools[name] = made
        return self._pools[name]

    def at(self, name: str, span: Span, weight: Setting[int] | None = None) -> Result:
        """Return where requests go that are given to a service by this name, written at `span`."""
        return self._at(name, span, weight, 0)

    def _at(self, name: str, span: Span, weight: Setting[int] | None, depth: int) -> Result:
        short, provider = local(name, self._providers)
        if provider == "internal":
            return Result((), "answer")
        if provider:
            return Result((), "unknown", f"{name} comes from the provider {provider}")
        if short not in self._entries:
            if not self.complete:
                return Result((), "unknown", f"{name} may be defined in a file that was not seen")
            return Result((WeightedTarget(name, span, None, weight, 1.0),))
        found = self._resolve(short, depth)
        if depth:
            found = found._replace(targets=_together(found.targets))
        if len(found.targets) == 1 and found.outcome == "pools":
            only = found.targets[0]
            return Result((WeightedTarget(only.name, span, only.pool, weight, only.share),))
        return found

    def _resolve(self, name: str, depth: int) -> Result:
        found = self._results.get(name)
        if found is None:
            if depth > _MAX_DEPTH:
                reason = f"where {name[:60]} leads: services in services are followed {_MAX_DEPTH} levels deep"
                self.note(NotChecked(self._entries[name].key.span, reason))
                return Result((), "unknown", reason)
            self._results[name] = Result((), "unknown", f"{name} leads in a circle")
            found = self._results[name] = self._made(self._entries[name], depth)
        return found

    def _made(self, entry: Entry, depth: int) -> Result:
        kinds = [kind for kind in KINDS if f.written(entry.fields, kind)]
        if len(kinds) != 1:
            return Result((), "unknown", f"{entry.name} is of {'several kinds' if kinds else 'no kind that is known'}")
        kind = kinds[0]
        inside = f.inside(entry.fields, kind)
        if kind == "loadbalancer":
            return Result((WeightedTarget(entry.name, entry.key.span, self.pool(entry.name), None, 1.0),))
        if kind == "mirroring":
            return self._mirroring(entry, inside, depth)
        if kind == "failover":
            return self._failover(entry, inside, depth)
        return self._weighted(entry, inside, depth)

    def _weighted(self, entry: Entry, inside: Fields, depth: int) -> Result:
        """Shares are weight / sum of weights by turns; those of highest random weight are counted (D08 says why)."""
        children = []
        for item in f.items(inside, "services"):
            fields = f.of(item)
            node = f.scalar(fields, "name")
            if node is None:
                return Result((), "unknown", f"a service of {entry.name} has no name")
            if f.opaque(fields, "weight"):
                return Result((), "unknown", f"a weight of {entry.name} is a template")
            said = f.integer(fields, "weight")
            children.append((node, _ONE if said is None else Setting(max(said.value, 0), said.span)))
        hashed = f.written(entry.fields, "highestrandomweight")
        parts = (_by_client if hashed else _by_turns)([(node.text, weight.value) for node, weight in children])
        targets: list[WeightedTarget] = []
        unknown: str | None = None
        for (node, weight), part in zip(children, parts, strict=True):
            found = self._at(node.text, node.span, weight, depth + 1)
            if found.outcome == "pools":
                targets += [_part(target, node, weight, part, only=len(found.targets) == 1) for target in found.targets]
            else:
                unknown = found.reason or f"{node.text} answers by itself"
        if unknown is not None:
            return Result(tuple(targets), "unknown", unknown)
        return self._unless_missing(targets) or Result(tuple(targets))

    def _unless_missing(self, targets: Sequence[WeightedTarget]) -> Result | None:
        """Return where requests go of a service with a missing one in it: nowhere, for Traefik does not build it."""
        missing = [target for target in targets if target.pool is None]
        if not missing:
            return None
        self.used.update({id(target.pool): target.pool for target in targets if target.pool is not None})
        part = 1 / len(missing)
        return Result(tuple(WeightedTarget(target.name, target.span, None, target.weight, part) for target in missing))

    def _mirroring(self, entry: Entry, inside: Fields, depth: int) -> Result:
        """The service gets every request; the mirrors get copies, and nobody waits for their answers."""
        found = self._child(entry, inside, "service", depth)
        mirrored: list[WeightedTarget] = []
        for item in f.items(inside, "mirrors"):
            node = f.scalar(f.of(item), "name")
            if node is not None:
                mirrored += self._at(node.text, node.span, None, depth + 1).targets
        self.used.update({id(target.pool): target.pool for target in mirrored if target.pool is not None})
        if found.outcome != "pools" or all(target.pool is not None for target in mirrored):
            return found
        return self._unless_missing([*found.targets, *mirrored]) or found

    def _child(self, entry: Entry, inside: Fields, name: str, depth: int) -> Result:
        node = f.scalar(inside, name)
        if node is None:
            return Result((), "unknown", f"{entry.name} names no {name}")
        return self._at(node.text, node.span, None, depth + 1)

    def _failover(self, entry: Entry, inside: Fields, depth: int) -> Result:
        """One pool: the servers of the service, and as backups those of the fallback."""
        main = self._child(entry, inside, "service", depth)
        fallback = self._child(entry, inside, "fallback", depth)
        for found in (main, fallback):
            if found.outcome != "pools":
                return found
            missing = tuple(target for target in found.targets if target.pool is None)
            if missing:
                return Result(missing)
        first, second = _only(main), _only(fallback)
        if first is None or second is None or first.backups or second.backups:
            self._config.unmodelled.append(NotChecked(entry.key.span, "a failover between services that hold services"))
            return main
        made = _joined(entry, first, second)
        node = f.scalar(inside, "service")
        child = None if node is None else self._entries.get(local(node.text, self._providers)[0])
        if child is not None and not triggered(child, inside):
            made.options = {**made.options, "disabled": Setting(True, entry.key.span)}
        self._pools[entry.name] = made
        self.parts[id(first)], self.parts[id(second)] = first, second
        return Result((WeightedTarget(entry.name, entry.key.span, made, None, 1.0),))


def reports(child: Entry) -> bool | None:
    """Say whether a service tells its parent that it is down: with a health check of its own; None where not known.

    That of a service with servers probes them, that of one with services only passes on (`healthCheck: {}`).
    """
    for kind in KINDS:
        if f.written(child.fields, kind):
            inside = f.inside(child.fields, kind)
            return f.written(inside, "healthcheck") if kind == "loadbalancer" else f.switched(inside, "healthcheck")
    return None


def triggered(main: Entry, failover: Fields) -> bool:
    """Say whether a failover may hear that its service is down; Traefik does not build one that waits in vain.

    It hears of failed health checks, and from 3.7 on of answers with certain codes.
    """
    return reports(main) is not False or bool(f.texts(f.inside(failover, "errors"), "status"))


def _by_turns(children: Sequence[tuple[str, int]]) -> list[float | None]:
    total = sum(weight for _, weight in children)
    return [weight / total if total else 0.0 for _, weight in children]


def _by_client(children: Sequence[tuple[str, int]]) -> list[float | None]:
    """Return the parts of the clients that go to children by highest random weight of their names as written."""
    taking = [at for at, (_, weight) in enumerate(children) if weight]
    if not taking:
        return [0.0] * len(children)
    clients = rendezvous.Clients([children[at][0] for at in taking], [children[at][1] for at in taking])
    found = clients.parts(range(len(taking)))
    if found is None:
        return [None] * len(children)
    parts: list[float | None] = [0.0] * len(children)
    for at, part in zip(taking, found, strict=True):
        parts[at] = part
    return parts


def _part(
    target: WeightedTarget, node: ScalarNode, weight: Setting[int], part: float | None, *, only: bool
) -> WeightedTarget:
    share = None if target.share is None or part is None else target.share * part
    return WeightedTarget(target.name, node.span if only else target.span, target.pool, weight if only else None, share)


def _together(targets: Sequence[WeightedTarget]) -> tuple[WeightedTarget, ...]:
    """Return what a service inside of another sends to, each pool once with all of its parts.

    Else the targets of services that name the same ones again and again double with each level.
    """
    found: dict[object, WeightedTarget] = {}
    for target in targets:
        key = target.name if target.pool is None else id(target.pool)
        known = found.get(key)
        if known is None:
            found[key] = target
        else:
            share = None if known.share is None or target.share is None else known.share + target.share
            found[key] = WeightedTarget(known.name, known.span, known.pool, None, share)
    return tuple(found.values())


def _only(found: Result) -> Pool | None:
    return found.targets[0].pool if len(found.targets) == 1 else None


def _joined(entry: Entry, first: Pool, second: Pool) -> Pool:
    backups = [_as_backup(server) for server in second.servers]
    return Pool(
        entry.name,
        entry.key.span,
        [*first.servers, *backups],
        first.algorithm,
        scope=first.scope,
        protocol=first.protocol,
        open=first.open or second.open,
        check=first.check,
        persistence=first.persistence,
        timeouts=first.timeouts,
        options={"failover": Setting(True, entry.key.span)},
    )


def _as_backup(server: Server) -> Server:
    made = copy.copy(server)
    made.role = BACKUP
    return made

"""Ingresses as frontends: one for each host of a class, with the routes of all Ingresses that name it.

What an Ingress with rules sends to its defaultBackend depends on the controller. To ingress-nginx it is what no rule
takes of the hosts of its rules, by the first Ingress that names the host; only an Ingress without rules is for any
other host (internal/ingress/controller/controller.go createServers()). The Kubernetes API says that it is whatever no
rule takes, of any host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import ingress, targets
from lbcheck.dialects.kubernetes.controllers import NGINX, OTHER, Controllers, class_of, is_canary, oldest
from lbcheck.dialects.kubernetes.ingress import LONGEST, backend, default_backend, first_canary
from lbcheck.findings import NotChecked
from lbcheck.model import EVERY_REQUEST, Address, Frontend, Listener, Route
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.ingress import Backend, Path
    from lbcheck.dialects.kubernetes.objects import Object

    #: An Ingress, and where it sends what no rule takes; None where it does not say.
    Claim = tuple[Object, Backend | None]

_NO_CLASS = "a defaultBackend beside rules: ingress-nginx sends it no requests for other hosts, other controllers do"


class Server:
    """What is for one host of a class: the Ingresses that name it, their paths, and whose defaultBackend it has.

    `doubt` says why nobody knows whether that gets anything, "" where it does.
    """

    __slots__ = ("claims", "doubt", "owners", "paths")

    def __init__(self) -> None:
        self.owners: list[Object] = []
        self.paths: list[Path] = []
        self.claims: list[Claim] = []
        self.doubt = ""


def frontends(graph: Graph, unread: list[NotChecked]) -> list[Frontend]:
    """Return a frontend for each host of each class; what is not known of their routes is added to `unread`."""
    return Servers(graph, unread).frontends()


class Servers:
    """All hosts of a run's Ingresses."""

    __slots__ = ("_canaries", "_controllers", "_graph", "_servers", "_unread")

    def __init__(self, graph: Graph, unread: list[NotChecked]) -> None:
        self._graph = graph
        self._unread = unread
        self._controllers = Controllers(graph.cluster)
        self._canaries: dict[tuple[str, str, str, str], list[Path]] = {}
        self._servers: dict[tuple[str, str], Server] = {}
        for one in ingress.ingresses(graph):
            controller = self._controllers.of(one)
            if controller != OTHER and is_canary(one):
                for path in ingress.paths(one):
                    self._canaries.setdefault(path.key, []).append(path)
            else:
                self._add(one, controller)

    def _server(self, one: Object, host: str) -> Server:
        return self._servers.setdefault((class_of(one), host), Server())

    def _add(self, one: Object, controller: str | None) -> None:
        view = default_backend(one)
        last = backend(view, one) if view else None
        if last is not None and last.service is None and controller == NGINX:
            last = None  # it passes over what is no Service
        rules = one.spec.views("rules")
        for host in dict.fromkeys(rule.text("host") or "" for rule in rules):
            server = self._server(one, host)
            server.owners.append(one)
            if host and (last is not None or controller != OTHER):
                server.claims.append((one, last))
        for path in ingress.paths(one):
            self._server(one, path.host).paths.append(path)
        if last is not None and not (rules and controller == NGINX):
            server = self._server(one, "")
            server.owners.append(one)
            server.claims.append((one, last))
            if rules and controller is None:
                server.doubt = _NO_CLASS
                self._unread.append(NotChecked(last.span, _NO_CLASS))

    def frontends(self) -> list[Frontend]:
        """Return a frontend for each host that has a route."""
        found = []
        for (_, host), server in self._servers.items():
            routes = [*map(self._route, server.paths), *self._rest(server)]
            if routes:
                owner = server.owners[0]
                found.append(
                    Frontend(
                        f"Ingress {host or owner.shown}",
                        owner.span,
                        [Listener(Address("*:80", "ipv4", "", 80), owner.span)],
                        routes,
                        order=LONGEST,
                        hosts=[host] if host else [],
                    )
                )
        return found

    def _route(self, path: Path) -> Route:
        canaries = [one for one in self._canaries.get(path.key, ()) if not ingress.same_backend(path, one)]
        if canaries and first_canary(canaries) is None:
            names = listed([one.owner.shown for one in canaries])
            self._unread.append(
                NotChecked(canaries[1].span, f"which of the canaries {names} gets its part: only the oldest does")
            )
        return ingress.route(self._graph, path, canaries)

    def _rest(self, server: Server) -> list[Route]:
        """Return the route of what no rule takes, where there is something."""
        said = [last for _, last in server.claims if last is not None]
        if not said or any(path.path == "/" and path.kind != "Exact" for path in server.paths):
            return []
        doubt = server.doubt
        if len({_key(claim) for claim in server.claims}) > 1:
            owners = [one for one, _ in server.claims]
            first = oldest(owners) if all(self._controllers.of(one) == NGINX for one in owners) else None
            if first is None:
                doubt = f"the defaultBackend of which of {listed([one.shown for one in owners])} counts"
                self._unread.append(NotChecked(said[0].span, doubt))
            else:
                server.claims = [claim for claim in server.claims if claim[0] is first]
        route = self._last(server.claims, doubt)
        return [] if route is None else [route]

    def _last(self, claims: Sequence[Claim], doubt: str) -> Route | None:
        """Return the route of what no rule takes; in doubt, nobody knows what part of it each target gets."""
        known = [(one, last) for one, last in claims if last is not None]
        if not known:
            return None
        by_name = {target.name: target for one, last in known for target in ingress.targets_of(self._graph, one, last)}
        found = list(by_name.values())
        if doubt:
            found = [targets.target(one.name, one.span, one.pool) for one in found]
        elif not found:
            doubt = "a resource backend"
        outcome = "unknown" if doubt else "pools"
        return Route("default backend", known[0][1].span, EVERY_REQUEST, found, outcome, expression=doubt or None)


def _key(claim: Claim) -> tuple[str, str | None, int | str | None] | None:
    one, last = claim
    return None if last is None else (one.namespace, last.service, last.port)

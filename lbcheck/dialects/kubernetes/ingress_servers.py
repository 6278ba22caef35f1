"""Ingresses as frontends: one for each host of a class, with the routes of all Ingresses that name it.

What an Ingress with rules sends to its defaultBackend depends on the controller. To ingress-nginx it is what no rule
takes of the hosts of its rules, by the first Ingress that names the host; only an Ingress without rules is for any
other host (internal/ingress/controller/controller.go createServers()). The Kubernetes API says that it is whatever no
rule takes, of any host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.kubernetes import ingress, ingress_annotations, targets
from lbcheck.dialects.kubernetes.controllers import (
    NGINX,
    OTHER,
    Controllers,
    annotation,
    class_of,
    flag,
    is_canary,
    oldest,
)
from lbcheck.dialects.kubernetes.ingress import LONGEST, backend, default_backend, first_canary
from lbcheck.findings import NotChecked
from lbcheck.model import EVERY_REQUEST, Address, Condition, Frontend, Listener, Route, Setting
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.kubernetes.graph import Graph
    from lbcheck.dialects.kubernetes.ingress import Backend, Path
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.model import Match

    #: An Ingress, and where it sends what no rule takes; None where it does not say.
    Claim = tuple[Object, Backend | None]

_ROOT = ((Condition("path", "exact", ["/"]),),)
_NO_CLASS = "a defaultBackend beside rules: ingress-nginx sends it no requests for other hosts, other controllers do"


class Server:
    """What is for one host of a class: the Ingresses that name it, their paths, and whose defaultBackend it has.

    `doubt` says why nobody knows whether that gets anything, "" where it does.
    """

    __slots__ = ("claims", "doubt", "host", "kind", "owners", "paths")

    def __init__(self, kind: str, host: str) -> None:
        self.kind = kind
        self.host = host
        self.owners: list[Object] = []
        self.paths: list[Path] = []
        self.claims: list[Claim] = []
        self.doubt = ""


def frontends(graph: Graph, unread: list[NotChecked]) -> list[Frontend]:
    """Return a frontend for each host of each class; what is not known of their routes is added to `unread`."""
    return Servers(graph, unread).frontends()


class Servers:
    """All hosts of a run's Ingresses."""

    __slots__ = ("_canaries", "_conditions", "_controllers", "_graph", "_servers", "_unread")

    def __init__(self, graph: Graph, unread: list[NotChecked]) -> None:
        self._graph = graph
        self._unread = unread
        self._controllers = Controllers(graph.cluster)
        self._conditions: dict[int, list[Condition]] = {}
        self._canaries: dict[tuple[str, str, str, str], list[Path]] = {}
        self._servers: dict[tuple[str, str], Server] = {}
        for one in ingress.ingresses(graph):
            controller = self._controllers.of(one)
            self._unread += [
                NotChecked(mark.node.span, mark.reason) for mark in ingress_annotations.marks(one, controller)
            ]
            if controller != OTHER and is_canary(one):
                for path in ingress.paths(one):
                    self._canaries.setdefault(path.key, []).append(path)
            else:
                self._add(one, controller)

    def _server(self, one: Object, host: str) -> Server:
        key = (class_of(one), host)
        return self._servers.setdefault(key, Server(*key))

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
            if one not in server.owners:
                server.owners.append(one)
            server.claims.append((one, last))
            if rules and controller is None:
                server.doubt = _NO_CLASS
                self._unread.append(NotChecked(last.span, _NO_CLASS))

    def _restrictions(self, one: Object) -> list[Condition]:
        """Return what requests have to meet, besides host and path, before the pods of an Ingress get them."""
        if id(one) not in self._conditions:
            self._conditions[id(one)] = ingress_annotations.restrictions(one, self._controllers.of(one))
        return self._conditions[id(one)]

    def _nginx(self, server: Server) -> list[Object]:
        """Return the Ingresses of a host that ingress-nginx takes."""
        return [one for one in server.owners if self._controllers.of(one) == NGINX]

    def _ours(self, server: Server) -> list[Path]:
        """Return their paths."""
        return [path for path in server.paths if self._controllers.of(path.owner) == NGINX]

    def frontends(self) -> list[Frontend]:
        """Return a frontend for each host that has a route."""
        found = []
        for server in self._servers.values():
            routes = self._routes(server)
            if routes:
                names = [server.host, *self._aliases(server)] if server.host else []
                way_in = self._way_in(server)
                options = {"entrance": Setting(way_in)} if way_in else {}
                found.append(_frontend(server.host or server.owners[0].shown, names, server.owners[0], routes, options))
                found += self._www(server, names)
        return found

    def _routes(self, server: Server) -> list[Route]:
        ours = self._nginx(server)
        roots = [node for node in map(ingress_annotations.app_root, ours) if node is not None]
        found = [Route(f"app-root {node.text}", node.span, _ROOT, (), "answer") for node in roots[:1]]
        whole = [condition for one in ours for condition in ingress_annotations.of_the_host(one, NGINX)]
        regex = any(ingress_annotations.by_expression(path.owner, path.path) for path in self._ours(server))
        for path in server.paths:
            controller = self._controllers.of(path.owner)
            more = [*whole, *self._restrictions(path.owner)]
            match = ingress.match_of(path, nginx=controller == NGINX, regex=regex)
            found.append(self._route(path, tuple((*one, *more) for one in match)))
        return found + self._rest(server, whole)

    def _aliases(self, server: Server) -> list[str]:
        """Return the other names of a host: those of its first Ingress that has some, but for hosts of their own."""
        having = [one for one in self._nginx(server) if ingress_annotations.aliases(one)]
        first = oldest(having) if having else None
        if first is None and len({tuple(ingress_annotations.aliases(one)) for one in having}) > 1:
            names = listed([one.shown for one in having])
            self._unread.append(NotChecked(having[0].span, f"the server-alias of which of {names} counts"))
        chosen = having if first is None else [first]
        found = dict.fromkeys(name for one in chosen for name in ingress_annotations.aliases(one))
        return [name for name in found if (server.kind, name) not in self._servers]

    def _www(self, server: Server, names: Sequence[str]) -> list[Frontend]:
        """Return the frontend of the name with or without `www.` that is only redirected to the host, if it is."""
        host = server.host
        other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
        asking = [one for one in self._nginx(server) if flag(one, "from-to-www-redirect") is True]
        if not asking or not host or "*" in host or other in names or (server.kind, other) in self._servers:
            return []
        node = annotation(asking[0], "from-to-www-redirect")
        span = asking[0].span if node is None else node.span
        return [_frontend(other, [other], asking[0], [Route(f"redirect to {host}", span, EVERY_REQUEST, (), "answer")])]

    def _way_in(self, server: Server) -> str:
        """Return for what plain requests have to come again in TLS."""
        ours = self._nginx(server)
        names = [name.text for one in ours for view in one.spec.views("tls") for name in view.texts("hosts")]
        bare = any(not view.texts("hosts") for one in ours for view in one.spec.views("tls"))
        tls = bare or server.host in names or f"*.{server.host.partition('.')[2]}" in names
        told = sorted({path.path for path in self._ours(server) if ingress_annotations.needs_tls(path.owner, tls=tls)})
        if not told:
            return ""
        every = all(path.path in told for path in server.paths)
        return f"TLS{'' if every else ' for ' + ', '.join(told)}: plain requests are redirected"

    def _route(self, path: Path, match: Match) -> Route:
        if self._controllers.of(path.owner) == NGINX and ingress_annotations.redirected(path.owner):
            ingress.targets_of(self._graph, path.owner, path.backend)  # a pool that nobody reaches is one all the same
            return Route(path.path, path.span, match, (), "answer")
        canaries = [one for one in self._canaries.get(path.key, ()) if not ingress.same_backend(path, one)]
        if canaries and first_canary(canaries) is None:
            names = listed([one.owner.shown for one in canaries])
            self._unread.append(
                NotChecked(canaries[1].span, f"which of the canaries {names} gets its part: only the oldest does")
            )
        return ingress.route(self._graph, path, canaries, match)

    def _rest(self, server: Server, whole: Sequence[Condition]) -> list[Route]:
        """Return the route of what no rule takes, where there is something. `whole` holds for all of the host."""
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
        return self._last(server.claims, doubt, whole)

    def _last(self, claims: Sequence[Claim], doubt: str, whole: Sequence[Condition]) -> list[Route]:
        """Return the route of what no rule takes; in doubt, nobody knows what part of it each target gets."""
        known = [(one, last) for one, last in claims if last is not None]
        if not known:
            return []
        owner, back = known[0]
        made = {target.name: target for claim in known for target in ingress.targets_of(self._graph, *claim)}
        found = list(made.values())
        if doubt:
            found = [targets.target(one.name, one.span, one.pool) for one in found]
        elif not found:
            doubt = ingress.RESOURCE
        outcome = "unknown" if doubt else "pools"
        more = (*whole, *self._restrictions(owner))
        if self._controllers.of(owner) == NGINX and ingress_annotations.redirected(owner) and owner.spec.views("rules"):
            found, outcome, doubt = [], "answer", ""
        return [Route("default backend", back.span, (more,), found, outcome, expression=doubt or None)]


def _frontend(
    name: str,
    hosts: Sequence[str],
    owner: Object,
    routes: Sequence[Route],
    options: dict[str, Setting[Any]] | None = None,
) -> Frontend:
    listener = Listener(Address("*:80", "ipv4", "", 80), owner.span)
    known = {"class": Setting(class_of(owner)), **(options or {})}
    return Frontend(f"Ingress {name}", owner.span, [listener], routes, order=LONGEST, hosts=hosts, options=known)


def _key(claim: Claim) -> tuple[str, str | None, int | str | None] | None:
    one, last = claim
    return None if last is None else (one.namespace, last.service, last.port)

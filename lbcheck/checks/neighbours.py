"""Names of servers that must exist in the world around the proxy, on a network that it is on, and on that port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.edits import replace_word, unsafe
from lbcheck.findings import WARNING, Hit, Related
from lbcheck.spelling import closest
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Pool, Server
    from lbcheck.world import Service, World

#: Names that are no other container's.
_OWN = frozenset({"localhost", "host", "gateway"})
#: What a name costs that is not found, where it is not its share of the requests.
_NOT_FOUND = {"envoy": "Envoy does not find it, and leaves it out"}


def compose_server_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """X04: a server's name is no service of the Compose project, or one that the proxy cannot reach there.

    Names with dots are not the project's, and what other files or outside networks may add is not known.
    """
    world = config.world
    if world is None or config.home is None or config.dialect == "kubernetes":
        return
    for pool in config.pools:
        for server in pool.servers:
            host = server.address.host
            if server.address.kind != "name" or not host or "." in host or host.lower() in _OWN:
                continue
            found = world.named(host)
            if found:
                yield from _unreachable(config.home, pool, server, found[0], world)
            elif world.closed() and not _outside(config.home, world):
                yield _missing(config.dialect, pool, server, host, world)


def _outside(home: str, world: World) -> bool:
    """Say whether the proxy is on a network that others may be on, or on the host's."""
    networks = _networks(home, world)
    return not networks or any(name in world.networks and world.networks[name].external for name in networks)


def _networks(home: str, world: World) -> frozenset[str]:
    return next((one.networks for one in world.workloads if one.name == home), frozenset())


def _missing(dialect: str, pool: Pool, server: Server, host: str, world: World) -> Hit:
    names = sorted({name for service in world.services for name in service.names})
    guess = closest(host, names)
    args = {
        "server": server.name,
        "pool": pool.name,
        "problem": f"no service of the Compose project is called {host}",
        "effect": _NOT_FOUND.get(dialect, "it is not found, and its requests fail"),
        "advice": f"did you mean {guess}?" if guess else f"the services are {listed(names)}",
    }
    fix = unsafe(f"name {guess}", [replace_word(server.span, host, guess)]) if guess else None
    return Hit("X04", server.span, args, fix=fix, pool=pool.name, server=server.name)


def _unreachable(home: str, pool: Pool, server: Server, service: Service, world: World) -> Iterator[Hit]:
    own = _networks(home, world)
    if own and service.networks and own.isdisjoint(service.networks):
        apart = f"{listed(sorted(own))}; {listed(sorted(service.networks))}"
        args = {
            "server": server.name,
            "pool": pool.name,
            "problem": f"{home} and {service.name} share no network ({apart})",
            "effect": "its requests find no way there",
            "advice": "put both on one network",
        }
        yield _warning(args, pool, server, service)
        return
    port = server.address.port
    inside = {one.number for workload in service.workloads or () for one in workload.ports}
    behind = {one.target for one in service.ports if one.number == port and isinstance(one.target, int)}
    if port is not None and behind and port not in inside:
        right = min(behind)
        args = {
            "server": server.name,
            "pool": pool.name,
            "problem": f"{port} is the port of {service.name} on the host, in its network it is {right}",
            "effect": "its requests are refused",
            "advice": f"write {right}",
        }
        yield _warning(args, pool, server, service, _reported(server, port, right))


def _reported(server: Server, port: int, right: int) -> Fix | None:
    text = server.address.text
    return unsafe(f"port {right}", [replace_word(server.span, text, text.replace(f":{port}", f":{right}"))])


def _warning(args: dict[str, str], pool: Pool, server: Server, service: Service, fix: Fix | None = None) -> Hit:
    related = [Related(service.span, f"{service.name} is here")]
    return Hit("X04", server.span, args, severity=WARNING, related=related, fix=fix, pool=pool.name, server=server.name)

"""Servers that are named by a host name: who looks it up, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, WARNING, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

#: Ends of names whose addresses are known to change.
DYNAMIC = (
    ".elb.amazonaws.com", ".amazonaws.com", ".cloudfront.net", ".azurewebsites.net", ".azure.com", ".azurefd.net",
    ".run.app", ".consul", ".herokuapp.com", ".appspot.com",
)  # fmt: skip


def named(pool: Pool) -> list[Server]:
    """Return the enabled servers whose address is a host name of several parts."""
    return [server for server in pool.enabled if server.address.kind == "name" and "." in (server.address.host or "")]


def without_resolvers(config: Config, context: Context) -> Iterator[Hit]:
    """N04: the first address of a name is kept until a reload. One finding for each pool."""
    del context
    for pool in config.pools:
        frozen = [server for server in named(pool) if server.resolve is None and "init-addr" not in server.options]
        moving = [server for server in frozen if (server.address.host or "").lower().endswith(DYNAMIC)]
        for server in (moving or frozen)[:1]:
            args = {"server": server.name, "pool": pool.name, "host": server.address.host}
            yield Hit(
                "N04", server.span, args, severity=WARNING if moving else INFO, pool=pool.name, server=server.name
            )


def init_addr(config: Config, context: Context) -> Iterator[Hit]:
    """N05: a server that never gets an address, or a start that needs DNS."""
    del context
    for pool in config.pools:
        for server in pool.enabled:
            if server.address.kind == "name":
                yield from _initial(pool, server)


def _initial(pool: Pool, server: Server) -> Iterator[Hit]:
    setting = server.options.get("init-addr")
    methods = _tried(str(setting.value).split(",")) if setting is not None else []
    facts: dict[str, object] = {"server": server.name, "pool": pool.name}
    span = setting.span if setting is not None and setting.span is not None else server.span
    if server.resolve is None:
        if methods and methods[-1] == "none" and "libc" not in methods:
            facts["problem"] = (
                f"may start without an address (`init-addr {setting.value if setting else ''}`) and has no "
                "`resolvers` to find one: it stays in maintenance and gets no traffic"
            )
            facts["fix"] = "add `resolvers NAME`, or write `init-addr last,libc,none`"
            yield Hit("N05", span, facts, pool=pool.name, server=server.name)
    elif methods and _literal(methods[-1]):
        facts["problem"] = f"starts with the placeholder {methods[-1]}: until the name is found its traffic goes there"
        facts["fix"] = "write `init-addr last,none`"
        yield Hit("N05", span, facts, severity=WARNING, pool=pool.name, server=server.name)
    elif not methods or ("libc" in methods and "none" not in methods):
        facts["problem"] = (
            "has `resolvers` and is looked up by libc at start all the same: HAProxy refuses to start while DNS is down"
        )
        facts["fix"] = "write `init-addr last,none`"
        yield Hit("N05", span, facts, severity=INFO, pool=pool.name, server=server.name)


def _tried(methods: list[str]) -> list[str]:
    """Return the methods of an init-addr that are ever tried: `none` and an address always succeed, so they end it."""
    end = next((at for at, method in enumerate(methods) if method == "none" or _literal(method)), len(methods) - 1)
    return methods[: end + 1]


def _literal(method: str) -> bool:
    return method[:1].isdigit() or ":" in method

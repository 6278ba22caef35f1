"""Pools: empty, switched off, named but missing, present but never reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.edits import replace_word, unsafe
from lbcheck.findings import WARNING, Hit, Related
from lbcheck.spelling import closest, nearest
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Frontend, Pool, Route, WeightedTarget

#: More related places than this are not listed.
_RELATED = 10
#: For so many undefined names a near one is looked for: each is compared with every pool.
_GUESSES = 20


def pool_empty(config: Config, context: Context) -> Iterator[Hit]:
    """P01: a pool without a single server, where requests need one."""
    del context
    for pool in config.pools:
        if not (pool.servers or pool.open or pool.answers or pool.implicit):
            yield Hit("P01", pool.span, {"pool": pool.name}, pool=pool.name)


def all_disabled(config: Config, context: Context) -> Iterator[Hit]:
    """P06: the config takes every server out of rotation, backups included.

    Where HAProxy loads a state file, that file may say otherwise: a warning then.
    """
    del context
    for pool in config.pools:
        if not pool.servers or any(server.enabled for server in pool.servers):
            continue
        state_file = "load-server-state-from-file" in pool.options
        if pool.open and not state_file:
            continue
        related = [
            Related((server.disabled and server.disabled.span) or server.span, "out of rotation")
            for server in pool.servers[:_RELATED]
        ]
        args = {"pool": pool.name, "servers": counted(sum(server.count for server in pool.servers), "server")}
        severity = WARNING if state_file else None
        yield Hit("P06", pool.span, args, severity=severity, related=related, pool=pool.name)


def pool_undefined(config: Config, context: Context) -> Iterator[Hit]:
    """P02: a route to a pool that is nowhere in the config. An open config may have it elsewhere: silent."""
    del context
    if config.open:
        return
    pools: dict[str, dict[str, Pool]] = {}
    for pool in config.pools:
        if not pool.implicit:
            pools.setdefault(pool.scope, {})[pool.name] = pool
    for number, (frontend, route, target) in enumerate(_missing(config)):
        known = pools.get(frontend.scope, {}) if number < _GUESSES else {}
        yield _undefined(frontend, route, target, known)


def _missing(config: Config) -> Iterator[tuple[Frontend, Route, WeightedTarget]]:
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is None:
                    yield frontend, route, target


def _undefined(frontend: Frontend, route: Route, target: WeightedTarget, known: dict[str, Pool]) -> Hit:
    guess = closest(target.name, known)
    dynamic = route.expression is not None
    args = {
        "name": target.name,
        "effect": "requests for which the expression gives that name fall through to the default"
        if dynamic
        else "the proxy does not start",
        "advice": f"did you mean {guess}?" if guess else "define it, or name one that exists",
    }
    related = [Related(known[guess].span, f"{guess} is here")] if guess else []
    return Hit(
        "P02",
        target.span,
        args,
        related=related,
        fix=_respelled(target, known),
        frontend=frontend.name,
        route=route.label,
        pool=target.name,
    )


def _respelled(target: WeightedTarget, known: Iterable[str]) -> Fix | None:
    """Return the fix that writes the one pool's name that is a single edit away."""
    near = nearest(target.name, known, 1) if len(target.name) > 2 else []
    if len(near) != 1:
        return None
    return unsafe(f"name {near[0]}", [replace_word(target.span, target.name, near[0])])


def pool_unused(config: Config, context: Context) -> Iterator[Hit]:
    """P07: a pool that no route, and nothing else in the config, sends anything to."""
    for pool in context.once(config, unused):
        yield Hit("P07", pool.span, {"pool": pool.name}, pool=pool.name)


def unused(config: Config) -> list[Pool]:
    """Return the pools that are certainly never used.

    None in an open config, nor in one without frontends, which is a piece of something; none of a scope in which
    a route's target is not known. A pool that holds a stick table, or that was made for one route, is used.
    """
    if config.open or not config.frontends:
        return []
    scopes, used = set(), {id(target.pool) for target in _targets(config)}
    for frontend in config.frontends:
        if any(route.outcome == "unknown" for route in frontend.routes):
            scopes.add(frontend.scope)
    scopes.update(scope for scope, name in config.used if name == "*")
    return [
        pool
        for pool in config.pools
        if not (
            id(pool) in used
            or pool.scope in scopes
            or pool.implicit
            or (pool.scope, pool.name) in config.used
            or "stick-table" in pool.options
        )
    ]


def _targets(config: Config) -> Iterator[WeightedTarget]:
    for frontend in config.frontends:
        for route in frontend.routes:
            yield from route.targets

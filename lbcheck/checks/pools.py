"""Pools: empty, switched off, named but missing, present but never reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks.edits import replace_word, unsafe, whole_lines
from lbcheck.findings import ERROR, WARNING, Hit, Related
from lbcheck.spelling import closest, nearest
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Frontend, Pool, Route, WeightedTarget
    from lbcheck.text import Source, Span

#: More related places than this are not listed.
_RELATED = 10
#: What a dead pool does, by how sure it is that requests reach it.
EFFECTS = {
    ERROR: "every request to it ends in an error",
    WARNING: "no route to it was seen, but a request that finds one ends in an error",
}
#: How each dialect takes a server out of rotation.
_OUT = {"nginx": "`down`", "haproxy": "`disabled`", "native": "its `state`"}
#: What a route to a pool that does not exist does, by dialect and protocol.
_UNDEFINED = {
    ("haproxy", ""): "HAProxy does not start",
    ("envoy", "http"): "Envoy does not start",
    ("envoy", "tcp"): "its connections are closed",
    ("traefik", ""): "Traefik only logs that, disables the router, and answers 404 to its requests",
}
_NOWHERE = "its requests have nowhere to go"
#: For so many undefined names a near one is looked for: each is compared with every pool.
_GUESSES = 20


def pool_empty(config: Config, context: Context) -> Iterator[Hit]:
    """P01: a pool without a single server, where requests need one.

    Where an API that adds servers at run time is part of the config, a warning.
    """
    managed = _managed(config)
    for pool in config.pools:
        if pool.servers or pool.open or pool.answers or pool.implicit:
            continue
        severity = loss(pool, config, context)
        if severity is not None:
            why, related = _refused(pool)
            args = {"pool": pool.name, "effect": ("unless the API adds one, " if managed else why) + EFFECTS[severity]}
            severity = WARNING if managed else severity
            yield Hit("P01", pool.span, args, severity=severity, related=related, pool=pool.name)


def _refused(pool: Pool) -> tuple[str, Sequence[Related]]:
    """Return what keeps an Envoy from taking the endpoints that are written for the pool, and where these are."""
    refused = pool.options.get("refused endpoints")
    return ("", ()) if refused is None else (f"{refused.value.refused}; ", refused.value.related)


def _managed(config: Config) -> bool:
    """Say whether a program of this config adds servers and puts them in and out while the proxy runs."""
    return any(admin.kind == "api" and admin.writable for admin in config.admins)


def loss(pool: Pool, config: Config, context: Context) -> str | None:
    """Return how bad it is if the pool answers nothing: an error where a route leads to it, None where none does.

    A dead pool that nothing reaches loses no request, and is P07's; HAProxy does not start a proxy that is
    `disabled`. Where routes are not all known, or are not in this config, it is a warning.
    """
    if "disabled" in pool.options:
        return None
    routed, complete = context.once(config, routed_pools)
    if (pool.scope, pool.name) in routed:
        return ERROR
    return None if complete else WARNING


def routed_pools(config: Config) -> tuple[set[tuple[str, str]], bool]:
    """Return (pools that routes lead to as (scope, name), whether these are all that requests can reach)."""
    complete = not config.open and bool(config.frontends) and not any(name == "*" for _, name in config.used)
    found = set()
    for frontend in config.frontends:
        for route in frontend.routes:
            complete = complete and route.outcome != "unknown"
            for target in route.targets:
                found.add((frontend.scope, target.name))
                if target.pool is not None:
                    found.add((target.pool.scope, target.pool.name))
    return found, complete


def all_disabled(config: Config, context: Context) -> Iterator[Hit]:
    """P06: the config takes every server out of rotation, backups included.

    Where HAProxy loads a state file, or an API manages servers, these may say otherwise: a warning then.
    """
    for pool in config.pools:
        if not pool.servers or any(server.enabled for server in pool.servers):
            continue
        state_file = "load-server-state-from-file" in pool.options
        severity = loss(pool, config, context)
        if severity is None or (pool.open and not state_file):
            continue
        other = "state file" if state_file else "API" if _managed(config) else ""
        related = [
            Related((server.disabled and server.disabled.span) or server.span, "out of rotation")
            for server in pool.servers[:_RELATED]
        ]
        args = {
            "pool": pool.name,
            "servers": counted(sum(server.count for server in pool.servers), "server"),
            "effect": (f"unless the {other} puts one back, " if other else "") + EFFECTS[severity],
            "word": _OUT.get(config.dialect, "what takes it out"),
        }
        severity = WARNING if other else severity
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
        yield _undefined(frontend, route, target, known, config.dialect)


def _missing(config: Config) -> Iterator[tuple[Frontend, Route, WeightedTarget]]:
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                if target.pool is None:
                    yield frontend, route, target


def _undefined(frontend: Frontend, route: Route, target: WeightedTarget, known: dict[str, Pool], dialect: str) -> Hit:
    guess = closest(target.name, known)
    if route.expression is not None:
        effect = "requests for which the expression gives that name fall through to the default"
    elif "undefined pool" in frontend.options:
        effect = str(frontend.options["undefined pool"].value)
    else:
        effect = _UNDEFINED.get((dialect, frontend.protocol), _UNDEFINED.get((dialect, ""), _NOWHERE))
    args = {
        "name": target.name,
        "effect": effect,
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
        listens = pool.span in context.once(config, _listening)
        fix = None if listens else _deleted(pool, context.once(config, _extents))
        yield Hit("P07", pool.span, {"pool": pool.name}, fix=fix, pool=pool.name)


def _listening(config: Config) -> set[Span]:
    """Return the places of frontends; a pool at one of them is a HAProxy `listen`, which is more than its servers."""
    return {frontend.span for frontend in config.frontends}


def _extents(config: Config) -> dict[tuple[Source, int], Span]:
    """Return the innermost block that begins on a line, by source and line."""
    found: dict[tuple[Source, int], Span] = {}
    for block in config.blocks():
        known = found.get((block.source, block.line))
        if known is None or block.end - block.start < known.end - known.start:
            found[block.source, block.line] = block
    return found


def _deleted(pool: Pool, extents: Mapping[tuple[Source, int], Span]) -> Fix | None:
    """Return the fix that deletes the pool's block; None where lines of it belong to a template or an `.if`."""
    block = extents.get((pool.span.source, pool.span.line))
    if block is None or not block.start <= pool.span.start <= block.end:
        return None
    text = block.text
    if "{%" in text or "{{" in text or any(line.lstrip().startswith(".") for line in text.splitlines()):
        return None
    return unsafe(f"delete {pool.name}", [whole_lines(block)])


def unused(config: Config) -> list[Pool]:
    """Return the pools that are certainly never used.

    None in an open config, nor in one without frontends, which is a piece of something; none of a scope in which
    a route's target is not known. A pool that holds a stick table, or that was made for one route, is used, and so is
    a HAProxy `listen` without servers: for its statistics or rules. Names count, for of two alternatives of one name
    (HAProxy `.if`) a route leads to either.
    """
    if config.open or not config.frontends:
        return []
    scopes = {scope for scope, name in config.used if name == "*"}
    for frontend in config.frontends:
        if any(route.outcome == "unknown" for route in frontend.routes):
            scopes.add(frontend.scope)
    used = routed_pools(config)[0] | config.used
    listening = _listening(config)
    return [
        pool
        for pool in config.pools
        if (pool.scope, pool.name) not in used
        and pool.scope not in scopes
        and not pool.implicit
        and "stick-table" not in pool.options
        and "disabled" not in pool.options
        and (pool.servers or pool.span not in listening)
    ]

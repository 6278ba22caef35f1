"""nginx's way to choose: exact, `^~`, regular expressions in order, longest prefix; and server names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.model import Condition, Config, Frontend, Route

#: An anchored regular expression that is no more than a prefix: `^/api`, `^/api/.*`.
_PREFIX = re.compile(r"\^((?:[\w/-]|\\[./-])+)(?:\.\*)?\Z")
#: More routes than this are not compared with each other.
_MOST = 500


def destination(route: Route) -> tuple[str, ...]:
    """Return where a route's requests end: the names of its pools, or what else becomes of them."""
    return tuple(sorted(target.name for target in route.targets)) or (route.outcome,)


def _path(route: Route) -> Condition | None:
    """Return the one condition of a plain location, or None."""
    if len(route.match) == 1 and len(route.match[0]) == 1 and route.match[0][0].field == "path":
        return route.match[0][0]
    return None


def _literal(condition: Condition) -> str | None:
    """Return the prefix that a regular expression stands for, or None where it is more than that."""
    match = _PREFIX.match(next(iter(condition.values), ""))
    return match[1].replace("\\", "") if match else None


def shadowed(frontend: Frontend) -> Iterator[Hit]:
    """Yield the regular expressions that never win: an earlier one, or a `^~` prefix, takes all of theirs."""
    plain = [(route, condition) for route in frontend.routes if (condition := _path(route)) is not None]
    barriers = [(route, next(iter(c.values))) for route, c in plain if c.strength == "^~"]
    earlier: list[tuple[Route, str, bool]] = []
    for route, condition in plain[:_MOST]:
        if condition.op != "regex":
            continue
        prefix = _literal(condition)
        if prefix is None:
            continue
        over = next((one for one, start in barriers if prefix.startswith(start)), None) or next(
            (
                one
                for one, start, folds in earlier
                if prefix.startswith(start) or (folds and prefix.lower().startswith(start.lower()))
            ),
            None,
        )
        if over is not None and destination(over) != destination(route):
            yield _hit(frontend, route, over)
        earlier.append((route, prefix, condition.ignore_case))


def _hit(frontend: Frontend, route: Route, over: Route) -> Hit:
    args = {"route": route.label, "by": over.label, "pools": ", ".join(destination(route)), "frontend": frontend.name}
    pool = route.targets[0].name if route.targets else None
    related = [Related(over.span, "this one takes its requests")]
    return Hit("R01", route.span, args, related=related, frontend=frontend.name, route=route.label, pool=pool)


def contested_names(config: Config) -> Iterator[Hit]:
    """Yield server names that two server blocks of one listener claim: nginx warns, and the first one wins."""
    seen: dict[tuple[object, ...], Frontend] = {}
    for frontend in config.frontends:
        if frontend.scope != "http":
            continue
        for listener in frontend.listeners:
            for host in frontend.hosts:
                if not host or host == "_" or host.startswith("~") or "$" in host or not listener.address.known:
                    continue
                first = seen.setdefault((listener.address.key, listener.transport, host.lower()), frontend)
                if first is not frontend and _pools(first) != _pools(frontend):
                    args = {
                        "what": f"server name {host} on {listener.address.text}",
                        "first": ", ".join(_pools(first)) or "its own answers",
                        "second": ", ".join(_pools(frontend)) or "its own answers",
                    }
                    related = [Related(first.span, "this server block gets them")]
                    yield Hit("R02", frontend.span, args, related=related, frontend=frontend.name)
                    return


def _pools(frontend: Frontend) -> list[str]:
    return sorted({target.name for route in frontend.routes for target in route.targets})

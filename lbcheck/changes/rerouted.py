"""What people are told of a change in the routing: which host, path or port goes elsewhere, or which route is another.

Where it is known what is decided, requests are named; otherwise the routes that only one version has.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lbcheck.changes.decisions import OTHER, UndecidedError, differences
from lbcheck.changes.routing import ALIKE, counterparts, entry_point, reading, same_routing
from lbcheck.wording import listed, percent

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from lbcheck.changes.decisions import Difference, Door
    from lbcheck.changes.outcome import ConfigChange, Version
    from lbcheck.model import Condition, Config, Frontend, Route, WeightedTarget


def rerouted(changes: Sequence[ConfigChange]) -> list[str]:
    """Return a sentence for each kind of request, or route, that is another now; none where all is decided alike."""
    return list(dict.fromkeys(words for change in changes for words in _of_config(change)))


def _of_config(change: ConfigChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or after is None:
        yield from _alone(before, "gone")
        yield from _alone(after, "new")
    elif same_routing(change) != ALIKE:
        found = list(_read_otherwise(before.config, after.config))
        found += _decided(change) or _written(before.config, after.config)
        found += _reclassed(before.config, after.config)
        yield from found or ["routes are reached another way, tried in another order, or lead elsewhere"]


def _alone(version: Version | None, word: str) -> list[str]:
    return [] if version is None else [f"{word}: {words}" for words in _routes(version.config)]


def _decided(change: ConfigChange) -> list[str]:
    """Return which requests go elsewhere, one path for each host and port; nothing where that is not known."""
    if change.before is None or change.after is None:
        return []
    try:
        found = list(differences(change.before.config, change.after.config, counterparts(change)))
    except UndecidedError:
        return []
    first: dict[Hashable, Difference] = {}
    for one in sorted(found, key=lambda one: (one.host == OTHER, OTHER in one.path, len(one.path))):
        first.setdefault((one.door, one.host, one.before, one.after), one)
    names = [
        (pool.before.name if pool.before else pool.name, pool.after.name if pool.after else pool.name)
        for pool in change.pools
    ]
    doors = {one.door for one in first.values()}
    return [
        f"{_request(one, doors)} goes to {_pools(one.after, [new for _, new in names])}, "
        f"before to {_pools(one.before, [old for old, _ in names])}"
        for one in first.values()
    ]


def _request(one: Difference, doors: Collection[Door]) -> str:
    port = one.door[-1]
    host = "any other host" if one.host == OTHER else one.host
    return f"{host}:{port}{one.path.replace(OTHER, '…')}{_through(one.door, doors)}"


def _through(door: Door, doors: Collection[Door]) -> str:
    """Return what tells a request from one that comes to the same port, but through another of these doors."""
    protocol, transport, tls, address, port = door
    beside = [other for other in doors if other[-1] == port]
    found = []
    if any(other[2] != tls for other in beside):
        found.append(_over(tls=tls))
    if any(other[1] != transport for other in beside):
        found.append(f"over {transport.upper()}")
    elif any(other[0] != protocol for other in beside):
        found.append(f"as {protocol.upper()}")
    if any(other[3] != address for other in beside):
        found.append(f"at {address}" if address else "at every address")
    return f" {' '.join(found)}" if found else ""


def _over(*, tls: bool) -> str:
    return "over TLS" if tls else "without TLS"


def _pools(leads_to: Hashable, names: Sequence[str]) -> str:
    if not isinstance(leads_to, frozenset):
        return "no pool"
    found = sorted((names[number], share) for number, share in leads_to)
    return listed([f"pool {name}" if share == 1 else f"pool {name} ({percent(share)})" for name, share in found])


def _read_otherwise(old: Config, new: Config) -> Iterator[str]:
    """Say how requests are read before they are matched, where only one version does so."""
    if old.dialect != new.dialect:
        return  # what another proxy always does stands in no config
    before, after = ({reading(one) for one in config.frontends} for config in (old, new))
    for word, found in (("no longer", before - after), ("now", after - before)):
        for said in sorted(found - {""}):
            yield f"requests are matched otherwise: {word} by {said}"


def _written(old: Config, new: Config) -> list[str]:
    """Return the routes that only one version has."""
    before, after = Counter(_routes(old)), Counter(_routes(new))
    return [f"gone: {words}" for words in before - after] + [f"new: {words}" for words in after - before]


def _reclassed(old: Config, new: Config) -> Iterator[str]:
    """Yield the frontends whose class is another: the controller of the one may do what that of the other did not."""
    before, after = _classes(old), _classes(new)
    for name, classes in after.items():
        if name in before and before[name] != classes:
            was, now = (listed([_class(one) for one in sorted(side)]) for side in (before[name], classes))
            yield f"{name} has {now}, before {was}: another controller may serve it"


def _classes(config: Config) -> dict[str, set[str]]:
    """Return the classes of the frontends of each name that have one, "" where nobody says which."""
    found: dict[str, set[str]] = {}
    for frontend in config.frontends:
        if "class" in frontend.options:
            found.setdefault(frontend.name, set()).add(frontend.options["class"].value)
    return found


def _class(name: str) -> str:
    return f"the class {name}" if name else "no class"


def _routes(config: Config) -> list[str]:
    return [_route(frontend, route) for frontend in config.frontends for route in frontend.routes]


def _route(frontend: Frontend, route: Route) -> str:
    where = listed([one.address.text for one in frontend.listeners]) or entry_point(frontend)
    if any(one.tls for one in frontend.listeners) or ("tls" in frontend.options and frontend.options["tls"].value):
        where += f" {_over(tls=True)}"
    hosts = f", host {listed(sorted(frontend.hosts))}" if frontend.hosts else ""
    match = " or ".join(" and ".join(map(_condition, one)) or "every request" for one in route.match)
    filters = route.options["filters"].value if "filters" in route.options else []
    behind = f" behind {listed([str(one).partition(' ')[0] for one in filters])}" if filters else ""
    return f"{where}{hosts}, {match or route.label}: {_leads_to(route)}{behind}"


def _leads_to(route: Route) -> str:
    """Return the pools of a route; without any it answers by itself, unless it is not known where it leads."""
    known = list(map(_target, route.targets))
    if route.outcome == "unknown":
        return f"{listed(known)}, or not known where to" if known else "not known where to"
    return listed(known) or "no pool"


def _target(target: WeightedTarget) -> str:
    said = target.unserved
    if said is None:
        return f"pool {target.name}"
    return f"pool {target.name} ({'unserved' if said.sure else 'perhaps unserved'}: {said.reason})"


def _condition(one: Condition) -> str:
    return f"{'not ' if one.negated else ''}{one.field} {one.op} {listed(sorted(one.values))}"

"""The keys of the settings file: how each value is judged, and where it goes. settings_schema.json says the same."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from lbcheck import catalog
from lbcheck.dialects import DIALECTS
from lbcheck.files import MAX_TEMPLATE_SERVERS
from lbcheck.findings import SEVERITIES
from lbcheck.gate.policy import NOTHING, STAGES, Policy
from lbcheck.selection import Ignored, expand, named
from lbcheck.spelling import closest
from lbcheck.traffic.scenario import Capacity, Demand, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lbcheck.settings import Settings

    Setter = Callable[[Settings, Any, str], None]

#: The products of which a target version can be named.
PRODUCTS = ("nginx", "haproxy", "envoy", "traefik")


class KeyProblemError(ValueError):
    """A value that a key does not take; the text says what it takes."""


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return the words for a key that does not exist."""
    meant = closest(key, known)
    return f"no such key; did you mean {meant}?" if meant else f"no such key; there are {', '.join(sorted(known))}"


def _strings(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise KeyProblemError(f'{value!r} is no list of strings, such as ["…"]')
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise KeyProblemError(f"{value!r} is no text in quotes")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise KeyProblemError(f"{value!r} is neither true nor false")
    return value


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise KeyProblemError(f"{value!r} is no table of key = value")
    return value


def _tables(value: object, keys: set[str]) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise KeyProblemError("is no list of tables; write it in double brackets: [[…]]")
    for item in value:
        for key in item:
            if key not in keys:
                raise KeyProblemError(f"{key}: {unknown_key(key, keys)}")
    return value


def _severity(value: object) -> str:
    if value not in SEVERITIES:
        raise KeyProblemError(f"{value!r} is none of {', '.join(SEVERITIES)}")
    return str(value)


def _below(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))


def _pattern(folder: str, pattern: str) -> str:
    """Return a pattern as seen from here; one without "/" is about file names and stays as it is."""
    return os.path.abspath(os.path.join(folder, pattern)) if "/" in pattern else pattern


def _selectors(settings: Settings, value: object) -> list[str]:
    words = _strings(value)
    expand(words, settings.rules)
    return words


def _select(settings: Settings, value: Any, _: str) -> None:
    settings.select = _selectors(settings, value)


def _extend_select(settings: Settings, value: Any, _: str) -> None:
    settings.extend_select = _selectors(settings, value)


def _ignore(settings: Settings, value: Any, _: str) -> None:
    settings.ignore = _selectors(settings, value)


def _preview(settings: Settings, value: Any, _: str) -> None:
    settings.preview = _boolean(value)


def _exclude(settings: Settings, value: Any, folder: str) -> None:
    patterns = _strings(value)
    settings.exclude = [os.path.relpath(_pattern(folder, one)) if "/" in one else one for one in patterns]


def _min_severity(settings: Settings, value: Any, _: str) -> None:
    settings.min_severity = _severity(value)


def _fail_on(settings: Settings, value: Any, _: str) -> None:
    settings.fail_on = _severity(value)


def _severities(settings: Settings, value: Any, _: str) -> None:
    found = {}
    for selector, severity in _table(value).items():
        found.update(dict.fromkeys(expand([selector], settings.rules), _severity(severity)))
    settings.severities = found


def _per_file_ignores(settings: Settings, value: Any, folder: str) -> None:
    settings.per_file = [
        (_pattern(folder, pattern), expand(_strings(selectors), settings.rules))
        for pattern, selectors in _table(value).items()
    ]


def _ignore_findings(settings: Settings, value: Any, folder: str) -> None:
    entries = _tables(value, {"path", "rule", "fingerprint", "reason", "until"})
    settings.ignored = [_ignored(settings, entry, folder) for entry in entries]


def _ignored(settings: Settings, entry: Mapping[str, Any], folder: str) -> Ignored:
    _needed(entry, "path", "reason")
    if "rule" not in entry and "fingerprint" not in entry:
        raise KeyProblemError("every entry needs a rule or a fingerprint")
    _string(entry["reason"])
    rule = named(_string(entry["rule"]), settings.rules) if "rule" in entry else None
    mark = _string(entry["fingerprint"]) if "fingerprint" in entry else None
    until = str(entry["until"]) if "until" in entry else None
    if until is not None and not _is_date(until):
        raise KeyProblemError(f"until: {until!r} is no date such as 2030-12-31")
    return Ignored(_pattern(folder, _string(entry["path"])), rule.code if rule else None, mark, until)


def _is_date(text: str) -> bool:
    from datetime import date

    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text) and date.fromisoformat(text))
    except ValueError:
        return False


def targets(value: object) -> dict[str, tuple[int, ...]]:
    """Return product → version as a tuple. Raises KeyProblemError."""
    found = {}
    for product, version in _table(value).items():
        if product not in PRODUCTS:
            raise KeyProblemError(f"{product}: {unknown_key(product, PRODUCTS)}")
        if not re.fullmatch(r"\d+(\.\d+){0,3}", str(version)) or not isinstance(version, str):
            raise KeyProblemError(f'{product}: {version!r} is no version in quotes, such as "1.26"')
        found[product] = tuple(map(int, version.split(".")))
    return found


def _targets(settings: Settings, value: Any, _: str) -> None:
    settings.targets = targets(value)


def _rules(settings: Settings, value: Any, folder: str) -> None:
    settings.rules = catalog.replaced(_below(folder, _string(value)), settings.rules, settings.files)


def _root(settings: Settings, value: Any, folder: str) -> None:
    settings.root = _below(folder, _string(value))


def _baseline(settings: Settings, value: Any, folder: str) -> None:
    settings.baseline = _below(folder, _string(value))


def _positive(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise KeyProblemError(f"{value!r} is no number above zero")
    return float(value)


def _needed(entry: Mapping[str, Any], *keys: str) -> None:
    for key in keys:
        if key not in entry:
            raise KeyProblemError(f"every entry needs a {key}")


def _capacity(settings: Settings, value: Any, _: str) -> None:
    found = []
    for entry in _tables(value, {"match", "limit"}):
        _needed(entry, "match", "limit")
        found.append(Capacity(_string(entry["match"]), _positive(entry["limit"])))
    settings.capacities = found


def _demand(settings: Settings, value: Any, _: str) -> None:
    found = []
    for entry in _tables(value, {"frontend", "route", "peak"}):
        _needed(entry, "frontend", "peak")
        route = _string(entry["route"]) if "route" in entry else None
        found.append(Demand(_string(entry["frontend"]), _positive(entry["peak"]), route))
    settings.demands = found


def _zones(settings: Settings, value: Any, _: str) -> None:
    found = []
    for entry in _tables(value, {"match", "name"}):
        _needed(entry, "match", "name")
        found.append(Zone(_string(entry["match"]), _string(entry["name"])))
    settings.zones = found


def _gate(settings: Settings, value: Any, _: str) -> None:
    table = _table(value)
    for key in table:
        if key not in _GATE:
            raise KeyProblemError(f"{key}: {unknown_key(key, _GATE)}")
    settings.gate = Policy(**{key: _GATE[key](entry) for key, entry in table.items()})


def _allowed(value: object) -> str:
    return NOTHING if value == NOTHING else _severity(value)


def _part(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise KeyProblemError(f"{value!r} is no part from 0 to 1: 0.2 is 20 %")
    return float(value)


def _stages(value: object) -> tuple[str, ...]:
    words = _strings(value)
    for word in words:
        if word not in STAGES:
            raise KeyProblemError(f"require: {word}: there are {', '.join(STAGES)}")
    return tuple(words)


_GATE: dict[str, Callable[[object], Any]] = {
    "allow": _allowed,
    "headroom": _part,
    "moved": _part,
    "require": _stages,
    "tolerance": _part,
}


def _hosts(settings: Settings, value: Any, _: str) -> None:
    table = _table(value)
    settings.hosts = {name.lower(): _addresses(name, entry) for name, entry in table.items()}
    settings.addresses = {name.lower(): tuple(entry) for name, entry in table.items() if isinstance(entry, list)}


def _addresses(name: str, value: object) -> int:
    """Return how many addresses a host name has: the number, or how many are listed."""
    count = len(set(_strings(value))) if isinstance(value, list) else value
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MAX_TEMPLATE_SERVERS:
        raise KeyProblemError(
            f'{name}: {value!r} is neither a list of addresses, such as ["10.0.0.1"], nor their number'
        )
    return count


def _jobs(settings: Settings, value: Any, _: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise KeyProblemError(f"{value!r} is no number of processes")
    settings.jobs = value


def _configs(settings: Settings, value: Any, folder: str) -> None:
    settings.configs = [_config(entry, folder) for entry in _tables(value, {"files", "dialect"})]


def _config(entry: Mapping[str, Any], folder: str) -> tuple[tuple[str, ...], str | None]:
    files = tuple(_below(folder, path) for path in _strings(entry.get("files")))
    name = entry.get("dialect")
    if not files:
        raise KeyProblemError("files: name the files that are one config, in order")
    if name is not None and name not in DIALECTS:
        raise KeyProblemError(f"dialect: {name!r} is none of {', '.join(DIALECTS)}")
    if name not in {None, "haproxy"}:
        raise KeyProblemError(f"dialect: {name} is told by its includes what one config is; only haproxy takes a list")
    return files, name


def _complete_namespaces(settings: Settings, value: Any, _: str) -> None:
    settings.complete_namespaces = frozenset(_strings(value))


def _rule_options(settings: Settings, value: Any, _: str) -> None:
    settings.options = dict(_options(settings, word, table) for word, table in _table(value).items())


def _options(settings: Settings, word: str, table: object) -> tuple[str, dict[str, float]]:
    rule = named(word, settings.rules)
    known = dict(rule.options)
    for name, number in _table(table).items():
        if name not in known:
            words = unknown_key(name, known) if known else "the rule has no options"
            raise KeyProblemError(f"{word}.{name}: {words}")
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise KeyProblemError(f"{word}.{name}: {number!r} is no number")
    return rule.code, dict(_table(table))


SETTERS: dict[str, Setter] = {
    "baseline": _baseline,
    "capacity": _capacity,
    "complete-namespaces": _complete_namespaces,
    "config": _configs,
    "demand": _demand,
    "exclude": _exclude,
    "extend-select": _extend_select,
    "fail-on": _fail_on,
    "gate": _gate,
    "hosts": _hosts,
    "ignore": _ignore,
    "ignore-findings": _ignore_findings,
    "jobs": _jobs,
    "min-severity": _min_severity,
    "per-file-ignores": _per_file_ignores,
    "preview": _preview,
    "root": _root,
    "rule": _rule_options,
    "rules": _rules,
    "select": _select,
    "severity": _severities,
    "target": _targets,
    "zone": _zones,
}


def put(settings: Settings, key: str, value: Any, folder: str) -> None:
    """Put the value of a key into the settings; paths in it are relative to `folder`.

    Raises KeyProblemError, UnknownSelectorError or CatalogError, none of which name the key.
    """
    setter = SETTERS.get(key)
    if setter is None:
        raise KeyProblemError(unknown_key(key, SETTERS))
    setter(settings, value, folder)

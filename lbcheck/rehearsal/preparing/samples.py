"""A request that a route's conditions ask for, and a text that a regular expression matches."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lbcheck.model import Condition, Frontend, Match, Route

_HOST = "rehearsal.test"
#: HAProxy's test of a cookie, as conditions have it that are not understood.
_COOKIE = re.compile(
    r"(?:req\.)?cook\((?P<name>[^()]+)\)(?: -i)?(?: -m (?:str|beg|end|sub))?(?: -i)? (?P<value>[^\s;]+)"
)
#: PCRE's way to name a group, in Python's words.
_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")


class Sample(NamedTuple):
    """What a request needs. `source` and `sni` are "" where any will do. `open_end`: the path may go on."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    source: str = ""
    sni: str = ""
    open_end: bool = True


def samples(frontend: Frontend, match: Match) -> list[Sample]:
    """Return a request for each alternative of a match that can be asked for; none where nobody can say how."""
    found = []
    for conditions in match:
        sample = _sample(conditions, _host(frontend))
        if sample is not None:
            found.append(sample if sample.sni else sample._replace(sni=_server_name(frontend, dict(sample.headers))))
    return found


def _server_name(frontend: Frontend, headers: Mapping[str, str]) -> str:
    """Return the name to ask for in TLS where the request's own host is none of those the frontend is chosen for."""
    names = frontend.options.get("server names")
    if names is None or any(fnmatchcase(headers["Host"].lower(), name.lower()) for name in names.value):
        return ""
    return str(names.value[0]).replace("*", "www", 1)


def _host(frontend: Frontend) -> str:
    """Return a name for which the frontend answers."""
    for name in frontend.hosts:
        if name.startswith("~"):
            text = matching(name[1:])
            if text:
                return text
        elif name not in {"", "_"}:
            return name.replace("*", "www", 1) if name.startswith("*") else name.strip(".").replace("*", "www")
    return next(filter(None, map(_let_pass, frontend.routes)), _HOST)


def _let_pass(route: Route) -> str | None:
    """Return the host that a route lets pass which answers all others itself, as `http-request deny if !shop` does."""
    if route.outcome != "answer" or len(route.match) != 1 or len(route.match[0]) != 1:
        return None
    (one,) = route.match[0]
    return _value(one) if one.negated and one.field == "host" and one.op == "exact" else None


def _sample(conditions: Iterable[Condition], host: str) -> Sample | None:
    method, path, source, sni, open_end = "GET", "", "", "", True
    headers = {"Host": host}
    for one in conditions:
        if one.negated:
            continue
        kind, name, value = _asked(one)
        if value is None:
            return None
        if kind == "path":
            path, open_end = _path(one.op, value)
        elif kind == "host":
            headers["Host"] = value
        elif kind == "method":
            method = value.upper()
        elif kind == "header":
            headers[name] = value or "1"
        elif kind == "query":
            path, open_end = f"{path or '/'}?{name}={value or '1'}", False
        elif kind == "source":
            source = value
        elif kind == "sni":
            sni = f"x{value}" if value.startswith(".") else value
        elif kind != "scheme":
            return None
    return Sample(method, path or "/", tuple(headers.items()), source, sni, open_end)


def _within(network: str) -> str | None:
    """Return an address of a network, None where it is none; not the first ones, which servers like to have."""
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    return str(found[-2] if found.num_addresses > 2 else found[0])


def _asked(one: Condition) -> tuple[str, str, str | None]:
    """Return what a condition is about, its name where it has one, and a value that fulfils it; None for no value."""
    kind, _, name = one.field.partition(":")
    value = _value(one)
    if kind == "opaque" and value is not None:
        cookie = _COOKIE.fullmatch(value)
        return "header", "Cookie", None if cookie is None else f"{cookie['name']}={cookie['value']}"
    if kind == "source" and value is not None:
        value = _within(value)
    return kind, name, value


def _path(op: str, value: str) -> tuple[str, bool]:
    if op == "suffix":
        return f"/x{value}", False
    if op == "contains":
        return f"/x{value}x", True
    if op == "regex":
        return (value if value.startswith("/") else f"/{value}"), False
    return (value if value.startswith("/") else f"/{value}"), op != "exact"


def _value(one: Condition) -> str | None:
    value = min(one.values, default="")
    return matching(value) if one.op == "regex" else value


def matching(pattern: str) -> str | None:
    """Return a short text that a regular expression matches; None where it is too clever."""
    from re import _parser  # type: ignore[attr-defined]

    pattern = _GROUP.sub("(?P<", pattern)
    try:
        text = _generate(_parser.parse(pattern))
        return text if text is not None and re.search(pattern, text) else None
    except (re.error, RecursionError, OverflowError):
        return None


def _generate(parsed: Any) -> str | None:
    found = []
    for code, argument in parsed:
        text = _one(str(code), argument)
        if text is None:
            return None
        found.append(text)
    return "".join(found)


def _one(code: str, argument: Any) -> str | None:  # noqa: PLR0911 - a table of cases
    match code, argument:
        case "LITERAL", int(number):
            return chr(number)
        case "NOT_LITERAL", _:
            return "x"
        case "ANY", _:
            return "x"
        case "AT", _:
            return ""
        case "IN", list(items):
            return _member(items)
        case (("MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT"), (int(least), _, inner)):
            part = _generate(inner)
            return None if part is None or least > 100 else part * least
        case "SUBPATTERN", (_, _, _, inner):
            return _generate(inner)
        case "BRANCH", (_, [first, *_]):
            return _generate(first)
        case _:
            return None


def _member(items: list[tuple[object, object]]) -> str | None:
    for code, argument in items:
        match str(code), argument:
            case "LITERAL", int(number):
                return chr(number)
            case "RANGE", (int(low), _):
                return chr(low)
            case "CATEGORY", category if "DIGIT" in str(category):
                return "1"
            case "CATEGORY", _:
                return "x"
            case "NEGATE", _:
                return "x"
    return None

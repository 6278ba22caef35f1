"""What haproxy refuses in `server`, `server-template` and `default-server` lines (src/server.c, src/check.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.heads import bad_character
from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, listed, plain
from lbcheck.dialects.haproxy.judgement.times import time_problem
from lbcheck.dialects.haproxy.options import SERVER_FLAGS, SERVER_VALUES, taken_apart
from lbcheck.dialects.haproxy.values import number, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lbcheck.dialects.haproxy.options import Found
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

#: What a value must be: (problem, advice), None where haproxy takes it.
Verdict = tuple[str, str] | None

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_ADDRESS = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}:[0-9]{{1,4}}")
#: Words that are no host name whatever a resolver says: a URL, a list, digits and dots that are no address.
_NO_HOST = re.compile(r"://|,|^[0-9]+(?:\.[0-9]+){3,}$")


def servers(proxy: Proxy) -> Iterator[Hit]:
    """Yield what haproxy refuses about each server line of a proxy by itself."""
    for line in proxy.lines("default-server"):
        if certain(line):
            yield from _options(line, 1, proxy, None)
    if not proxy.is_backend:
        return
    wrong = {shape for shape in proxy.shapes if shape.unknown >= 0 or _verdicts(shape.found)}
    for entry in proxy.servers:
        line = entry.line
        if line.branch or line.expands:
            continue
        if entry.shape in wrong or not entry.simple:
            yield from _server(entry, proxy)


def _server(entry: ServerLine, proxy: Proxy) -> Iterator[Hit]:
    line = entry.line
    at = entry.address_index
    if not line.word(at):
        what = "NAME and ADDRESS:PORT" if at == 2 else "PREFIX, NUMBER and ADDRESS:PORT"
        yield hit("E08", line.span, f"'{line.words[0]}' needs {what}", f"write '{line.words[0]} {what}'", proxy=proxy)
        return
    if not _NAME.fullmatch(entry.name) and plain(line, 1) and (char := bad_character(entry.name)):
        problem = f"the server name '{entry.name}' has the character '{char}'"
        advice = "use letters, digits, '.', ':', '_' and '-' only"
        yield hit("E09", line.span_of(1), problem, advice, proxy=proxy)
    if entry.template and entry.count < 1 and plain(line, 2):
        problem = f"'{line.word(2)}' is neither a number of servers nor a range"
        yield hit("E09", line.span_of(2), problem, "write a number such as 10, or a range such as 1-10", proxy=proxy)
    if not _ADDRESS.fullmatch(line.words[at]) and plain(line, at):
        yield from _address(entry, proxy)
    yield from _options(line, at + 1, proxy, entry.name)


def _address(entry: ServerLine, proxy: Proxy) -> Iterator[Hit]:
    at = entry.address_index
    text = entry.line.words[at]
    if text.startswith(("/", "unix@", "uxst@", "abns@", "abnsz@", "rhttp@", "sockpair@", "fd@")):
        return
    problem = port_problem(text, offset=True)
    host = text[: text.rfind(":")] if text.rfind(":") > text.rfind("]") else text
    if problem is None and _NO_HOST.search(host) and not _resolved_later(entry) and not _is_ipv4(host):
        problem = f"'{host}' is no host name and no address"
    if problem is not None:
        yield hit("E09", entry.line.span_of(at), problem, "write ADDRESS:PORT", proxy=proxy, server=entry.name)


def _is_ipv4(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdecimal() and int(part) < 256 for part in parts)


def _resolved_later(entry: ServerLine) -> bool:
    return "resolvers" in entry.options or "init-addr" in entry.options


def port_problem(text: str, *, offset: bool = False, ranges: bool = False, needed: bool = False) -> str | None:
    """Return what is wrong with the port of an address (`str2sa_range` in src/tools.c), None where nothing is."""
    colon = text.rfind(":")
    port = text[colon + 1 :] if colon > text.rfind("]") else ""
    if not port:
        return f"'{text}' has no port" if needed else None
    if port[0] in "+-":
        return None if offset else f"'{text}' has a port offset, which is for servers only"
    low, dash, high = port.partition("-")
    if not low[:1].isdigit():
        return f"'{port}' in '{text}' is no port number"
    if dash and not ranges:
        return f"'{text}' has a range of ports, and one port is meant here"
    smallest = 1 if needed else 0
    for one in (low, high) if dash else (low,):
        if not smallest <= number(one) <= 65535:  # haproxy reads the digits at the beginning, as C's atoi does
            return f"'{one}' in '{text}' is no port: they go from {smallest} to 65535"
    return f"the range of ports '{port}' runs backwards" if dash and number(low) > number(high) else None


def _options(line: Line, first: int, proxy: Proxy, server: str | None) -> Iterator[Hit]:
    found, unknown = taken_apart(tuple(line.words[first:]))
    for code, index, last, problem, advice in _verdicts(found):
        if plain(line, first + index) and plain(line, first + last):
            span = line.span_of(first + index, first + last)
            yield hit(code, span, problem, advice, proxy=proxy, server=server)
    if unknown >= 0 and plain(line, first + unknown):
        word = line.words[first + unknown]
        meant = guess(word, sorted(SERVER_FLAGS | SERVER_VALUES))
        if meant is not None:
            problem = f"there is no server option '{word}'"
            span = line.span_of(first + unknown)
            yield hit("E06", span, problem, f"did you mean '{meant}'?", proxy=proxy, server=server)


def _verdicts(options: Sequence[Found]) -> list[tuple[str, int, int, str, str]]:
    """Return (code, first word, last word, problem, advice) of each option that haproxy does not take."""
    found = []
    for keyword, index, value in options:
        judge = _VALUES.get(keyword)
        if judge is not None and (verdict := judge(keyword, value)):
            found.append(("E09" if value else "E08", index, index + 1 if value else index, *verdict))
    return found


def _time(keyword: str, value: str, *, zero: bool = False) -> Verdict:
    advice = "write a number with its unit, such as '2s' or '500ms'"
    if not value:
        return f"'{keyword}' needs a time", advice
    if problem := time_problem(value):
        return problem, advice
    return (f"'{keyword}' cannot be 0", advice) if not zero and seconds(value) == 0 else None


def _slowstart(keyword: str, value: str) -> Verdict:
    return _time(keyword, value, zero=True)


def _positive(keyword: str, value: str) -> Verdict:
    advice = f"write a number from 1 on, such as '{keyword} 3'"
    if not value:
        return f"'{keyword}' needs a number", advice
    return (f"'{keyword}' must be more than 0, not '{value}'", advice) if number(value) <= 0 else None


def _weight(keyword: str, value: str) -> Verdict:
    weight = number(value)
    if 0 <= weight <= 256:
        return None
    return f"'{keyword} {value}' is out of range", "write a weight from 0 to 256; only their proportions matter"


def _needed(keyword: str, value: str) -> Verdict:
    return None if value else (f"'{keyword}' needs a value", f"write '{keyword} VALUE', or take it out")


def _one_of(*choices: str) -> Callable[[str, str], Verdict]:
    def judge(keyword: str, value: str) -> Verdict:
        if value in choices:
            return None
        problem = f"'{keyword}' takes {listed(choices)}, not '{value}'" if value else f"'{keyword}' needs a value"
        return problem, f"write {listed([f'{keyword} {choice}' for choice in choices])}"

    return judge


def _proxy_address(keyword: str, value: str) -> Verdict:
    problem = port_problem(value, needed=True)
    return (problem, f"write '{keyword} ADDRESS:PORT'") if problem else None


_VALUES: dict[str, Callable[[str, str], Verdict]] = {
    "weight": _weight,
    "inter": _time,
    "fastinter": _time,
    "downinter": _time,
    "agent-inter": _time,
    "slowstart": _slowstart,
    "fall": _positive,
    "rise": _positive,
    "id": _positive,
    "error-limit": _positive,
    "port": _needed,
    "agent-port": _needed,
    "addr": _needed,
    "cookie": _needed,
    "track": _needed,
    "resolvers": _needed,
    "sni": _needed,
    "redir": _needed,
    "socks4": _proxy_address,
    "observe": _one_of("none", "layer4", "layer7"),
    "on-error": _one_of("fastinter", "fail-check", "sudden-death", "mark-down"),
    "on-marked-down": _one_of("shutdown-sessions"),
    "on-marked-up": _one_of("shutdown-backup-sessions"),
    "verify": _one_of("none", "required"),
    "resolve-prefer": _one_of("ipv4", "ipv6"),
    "ws": _one_of("auto", "h1", "h2"),
    "log-proto": _one_of("legacy", "octet-count"),
}

"""Server lines into the model: options with `default-server` beneath them, in the order of writing (src/server.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.addresses import server_address
from lbcheck.dialects.haproxy.health import server_check
from lbcheck.dialects.haproxy.options import Option, server_options
from lbcheck.dialects.haproxy.values import number, seconds
from lbcheck.dialects.haproxy.words import words
from lbcheck.model import BACKUP, PRIMARY, Server, Setting
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.health import ProxyCheck
    from lbcheck.dialects.haproxy.options import Options
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line

#: The lines that make servers or change the ones after them.
SERVER_LINES = frozenset({"server", "server-template", "default-server"})

_DEFAULT_WEIGHT: Setting[int] = Setting(1)
_UNCHECKED: Setting[bool] = Setting(False)
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?$")
#: Options that have a field of their own in the model.
_FIELDS = words(
    """
    weight backup no-backup enabled disabled check no-check inter fastinter downinter rise fall port addr maxconn
    slowstart cookie ssl no-ssl track resolvers
    """
)
_NUMBERS = frozenset({"maxqueue", "minconn", "id", "error-limit", "max-reuse", "pool-max-conn", "pool-low-conn"})
_TIMES = frozenset({"agent-inter", "pool-purge-delay", "tcp-ut"})


class ServerLine:
    """A `server` or `server-template` line with its effective options.

    `options` are its own over those of the `default-server` lines before it; `own` tells them apart. `count` is how
    many servers it stands for, from number `low` on. `unknown` is the index of the first word that is no known
    option (0: all are known).
    """

    __slots__ = ("address_index", "count", "line", "low", "name", "options", "unknown")

    def __init__(self, line: Line, inherited: Options) -> None:
        self.line = line
        self.name = line.word(1)
        self.address_index = 2
        self.low = self.count = 1
        if line.words[0] == "server-template":
            self.address_index = 3
            self.low, self.count = template_range(line.word(2))
        self.options, self.unknown = server_options(line, self.address_index + 1, inherited)

    @property
    def template(self) -> bool:
        """Whether it is a `server-template`."""
        return self.address_index == 3

    @property
    def names(self) -> Iterator[str]:
        """The names of the servers that the line makes."""
        if not self.template:
            return iter((self.name,))
        return (f"{self.name}{index}" for index in range(self.low, self.low + self.count))

    def own(self, keyword: str) -> Option | None:
        """Return an option if it is written on the line itself."""
        option = self.options.get(keyword)
        return option if option is not None and option.line is self.line else None

    def __repr__(self) -> str:
        return f"ServerLine({self.name!r})"


def template_range(text: str) -> tuple[int, int]:
    """Return (first number, count) of a server-template's `NUM` or `LOW-HIGH`; (1, 0) where it is neither."""
    match = _RANGE.match(text)
    if match is None:
        return 1, 0
    low, high = (int(match[1]), int(match[2])) if match[2] else (1, int(match[1]))
    return low, max(0, high - low + 1)


def default_options(proxy: Proxy) -> Options:
    """Return what `default-server` lines leave to the servers after a whole section, inherited ones beneath."""
    options: Options = {}
    for section in reversed(list(proxy.chain())):
        for line in section.lines("default-server"):
            options, _ = server_options(line, 1, options)
    return options


def server_lines(proxy: Proxy) -> list[ServerLine]:
    """Return the servers of a backend or listen, in order. A `default-server` holds for the lines below it only."""
    index = proxy.index
    plain = index.get("server", [])
    inherited = default_options(proxy.base) if proxy.base is not None else {}
    if "default-server" not in index and "server-template" not in index:
        return [ServerLine(line, inherited) for line in plain]
    found = []
    for line in proxy.section.lines:
        if line.words[0] == "default-server":
            inherited, _ = server_options(line, 1, inherited)
        elif line.words[0] in SERVER_LINES:
            found.append(ServerLine(line, inherited))
    return found


def server(entry: ServerLine, check: ProxyCheck) -> Server:
    """Turn one server line into the model."""
    line = entry.line
    options = entry.options
    index = entry.address_index
    get = options.get
    checked = get("check") or get("track")
    weight = get("weight")
    disabled = get("disabled")
    tls = get("ssl")
    observe = get("observe")
    return Server(
        entry.name if not entry.template else f"{entry.name}{entry.low}-{entry.low + entry.count - 1}",
        server_address(line.word(index), opaque=index in line.opaque),
        Span(line.source, line.start, line.end),
        Setting(number(weight.value), weight.span) if weight is not None else _DEFAULT_WEIGHT,
        BACKUP if "backup" in options else PRIMARY,
        disabled=Setting(True, disabled.span) if disabled is not None else None,
        check=server_check(options, check) if "check" in options else None,
        checked=Setting(True, checked.span) if checked is not None else _UNCHECKED,
        passive=observe is not None and observe.value != "none",
        max_conns=_number(get("maxconn")),
        slow_start=_time(get("slowstart")),
        cookie=_text(get("cookie")),
        tls=Setting(True, tls.span) if tls is not None else None,
        resolve=Setting(True, get("resolvers").span) if "resolvers" in options else None,  # type: ignore[union-attr]
        tracks=_text(get("track")),
        count=entry.count,
        options=_others(options),
    )


def _others(options: Options) -> dict[str, Setting[Any]] | None:
    """Return the options without a field of their own; numbers as int, times as seconds, flags as True."""
    if options.keys() <= _FIELDS:
        return None
    others: dict[str, Setting[Any]] = {}
    for keyword, option in options.items():
        if keyword not in _FIELDS:
            others[keyword] = Setting(_value(keyword, option), option.span)
    return others


def _value(keyword: str, option: Option) -> Any:
    if keyword in _NUMBERS and not option.opaque:
        return number(option.value)
    if keyword in _TIMES and not option.opaque:
        return seconds(option.value)
    return option.value or True


def _number(option: Option | None) -> Setting[int] | None:
    return None if option is None or option.opaque else Setting(number(option.value), option.span)


def _time(option: Option | None) -> Setting[float] | None:
    if option is None or option.opaque:
        return None
    value = seconds(option.value)
    return None if value is None else Setting(value, option.span)


def _text(option: Option | None) -> Setting[str] | None:
    return None if option is None else Setting(option.value, option.span)

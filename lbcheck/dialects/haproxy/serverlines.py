"""Server lines with their effective options: `default-server` beneath them, in the order of writing (src/server.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.options import Defaults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.options import Option, Options
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line

#: The lines that make servers or change the ones after them.
SERVER_LINES = frozenset({"server", "server-template", "default-server"})

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
#: How most lines begin.
_SIMPLE = re.compile(
    rf"server[ \t]+[A-Za-z0-9_.:-]+[ \t]+{_OCTET}(?:\.{_OCTET}){{3}}:(?:[1-9][0-9]{{0,3}}|[1-5][0-9]{{4}})(?=[ \t\r\n])"
)
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?$")


class ServerLine:
    """A `server` or `server-template` line with its effective options.

    `shape` is what the words of its options say; `options` ties it to this line: its own options over those of the
    `default-server` lines before it, and `own` tells them apart. `count` is how many servers the line stands for, from
    number `low` on. `simple` says that it reads `server NAME ADDRESS:PORT …` with a right name, IPv4 address and port.
    """

    __slots__ = ("_options", "address_index", "count", "line", "low", "name", "shape", "simple")

    def __init__(self, line: Line, defaults: Defaults) -> None:
        self.line = line
        self.simple = _SIMPLE.match(line.source.text, line.start) is not None
        self.name = line.words[1] if self.simple else line.word(1)
        self.address_index = 2
        self.low = self.count = 1
        if line.words[0] == "server-template":
            self.address_index = 3
            self.low, self.count = template_range(line.word(2))
        first = self.address_index + 1
        self.shape = defaults.shape(line, first)
        if "from" in self.shape.keywords and line.word(first) == "from":
            self.shape = Defaults({}).shape(line, first)
        self._options: Options | None = None

    @property
    def options(self) -> Options:
        """The effective options by keyword."""
        if self._options is None:
            self._options = self.shape.options(self.line, self.address_index + 1)
        return self._options

    @property
    def unknown(self) -> int:
        """The index of the first word that is no known option (0: all are known)."""
        return self.address_index + 1 + self.shape.unknown if self.shape.unknown >= 0 else 0

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


def defaults_below(proxy: Proxy) -> Defaults:
    """Return what the `default-server` lines of a section, and of those it inherits from, leave to servers."""
    defaults = Defaults({})
    for section in reversed(list(proxy.chain())):
        for line in section.lines("default-server"):
            defaults = defaults.after(line)
    return defaults


def server_lines(proxy: Proxy) -> list[ServerLine]:
    """Return the servers of a backend or listen, in order. A `default-server` holds for the lines below it only."""
    index = proxy.index
    defaults = proxy.base.server_defaults if proxy.base is not None else Defaults({})
    if "default-server" not in index and "server-template" not in index:
        return [ServerLine(line, defaults) for line in index.get("server", ())]
    found = []
    for line in proxy.section.lines:
        if line.words[0] == "default-server":
            defaults = defaults.after(line)
        elif line.words[0] in SERVER_LINES:
            found.append(ServerLine(line, defaults))
    return found

"""Server lines with their effective options: `default-server` beneath them, in the order of writing (src/server.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.options import server_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.options import Option, Options
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line

#: The lines that make servers or change the ones after them.
SERVER_LINES = frozenset({"server", "server-template", "default-server"})

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?$")


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
        if line.word(self.address_index + 1) == "from":
            inherited = {}
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
            options = defaults_after(line, options)
    return options


def defaults_after(line: Line, options: Options) -> Options:
    """Return what a `default-server` line leaves to the servers below it.

    `from none` begins anew, `name X` makes settings that only `from X` asks for (3.5).
    """
    if line.word(1) == "name":
        return options
    if line.word(1) == "from":
        options = {}
    return server_options(line, 1, options)[0]


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
            inherited = defaults_after(line, inherited)
        elif line.words[0] in SERVER_LINES:
            found.append(ServerLine(line, inherited))
    return found

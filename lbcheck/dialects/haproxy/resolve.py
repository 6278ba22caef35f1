"""Inheritance: which line holds for a proxy, its own or one of the `defaults` sections above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.conditions import Acls
from lbcheck.dialects.haproxy.sections import PROXY_KINDS, sections
from lbcheck.dialects.haproxy.serverlines import SERVER_LINES, defaults_below, server_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lbcheck.dialects.haproxy.options import Defaults, Shape
    from lbcheck.dialects.haproxy.sections import Sections
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.dialects.haproxy.tree import Document, Line, Section
    from lbcheck.text import Span

#: Keywords that say little without their second word; lines are found by both words together.
_TWO_WORDS = frozenset({"option", "timeout", "stats", "http-check", "tcp-check", "compression", "stick", "capture"})


class Proxy:
    """A `frontend`, `backend`, `listen` or `defaults` section with what it inherits.

    `base` is the defaults section that it inherits from, None where there is none or it is not known.
    `index` finds the section's own lines by keyword, and by "option httpchk", "timeout client" and so on. `common` is
    what the lowering makes of backends that only list servers below a defaults section, kept for the next one.
    """

    __slots__ = (
        "_acls",
        "_disabled",
        "_mode",
        "_server_defaults",
        "_servers",
        "_shapes",
        "base",
        "common",
        "index",
        "kind",
        "name",
        "section",
    )

    def __init__(self, section: Section, base: Proxy | None) -> None:
        self.section = section
        self.kind = section.kind
        self.name = section.name
        self.base = base
        self.index = _index(section.lines)
        self._servers: list[ServerLine] | None = None
        self._shapes: dict[Shape, None] | None = None
        self._server_defaults: Defaults | None = None
        self._mode: str | None = None
        self._disabled: bool | None = None
        self.common: object = None
        self._acls: Acls | None = None

    @property
    def span(self) -> Span:
        """The place of the head's keyword and name."""
        return self.section.span

    @property
    def is_frontend(self) -> bool:
        """Whether it takes connections from clients (`frontend` and `listen`)."""
        return self.kind in ("frontend", "listen")

    @property
    def is_backend(self) -> bool:
        """Whether it has servers (`backend` and `listen`)."""
        return self.kind in ("backend", "listen")

    @property
    def servers(self) -> list[ServerLine]:
        """The `server` and `server-template` lines with their effective options, in order."""
        if self._servers is None:
            self._servers = server_lines(self)
        return self._servers

    @property
    def shapes(self) -> Collection[Shape]:
        """What the options of its server lines say, each once: mostly all lines say the same."""
        if self._shapes is None:
            self._shapes = dict.fromkeys(entry.shape for entry in self.servers)
        return self._shapes

    def gives(self, *keywords: str) -> bool:
        """Say whether any server has one of these options, its own or inherited."""
        return any(keyword in shape.keywords for shape in self.shapes for keyword in keywords)

    @property
    def server_defaults(self) -> Defaults:
        """What the `default-server` lines here, and in what it inherits, leave to the servers of other sections."""
        if self._server_defaults is None:
            self._server_defaults = defaults_below(self)
        return self._server_defaults

    @property
    def acls(self) -> Acls:
        """The ACLs that the section's own rules see: its own and the predefined ones, never inherited ones."""
        if self._acls is None:
            self._acls = Acls(self.lines("acl"))
        return self._acls

    def lines(self, keyword: str) -> Sequence[Line]:
        """Return the section's own lines with that keyword ("server", "option httpchk", "timeout client"), in order."""
        return self.index.get(keyword, ())

    def chain(self) -> Iterator[Proxy]:
        """Yield the proxy and the defaults sections it inherits from, nearest first."""
        proxy: Proxy | None = self
        while proxy is not None:
            yield proxy
            proxy = proxy.base

    def effective(self, keyword: str) -> Line | None:
        """Return the line that holds for a keyword of which the last one wins; a prefix `no` is in its modifier."""
        proxy: Proxy | None = self
        while proxy is not None:
            if found := proxy.index.get(keyword):
                return found[-1]
            proxy = proxy.base
        return None

    def inherited(self, keyword: str) -> Sequence[Line]:
        """Return the lines of the nearest section that has any with that keyword: own ones replace inherited ones."""
        return next((found for proxy in self.chain() if (found := proxy.index.get(keyword))), ())

    def every(self, keyword: str) -> list[Line]:
        """Return all lines with that keyword in the order of evaluation: inherited ones before own ones."""
        found: list[Line] = []
        for proxy in reversed(list(self.chain())):
            found.extend(proxy.index.get(keyword, ()))
        return found

    def option(self, name: str) -> Line | None:
        """Return the line that switches `option NAME` on, or None where it is off, by `no option` or by default."""
        line = self.effective("option " + name)
        return line if line is not None and not line.modifier else None

    def options(self) -> dict[str, Line]:
        """Return every `option X` that is on, by X, with the line that holds."""
        found: dict[str, Line] = {}
        for section in reversed(list(self.chain())):
            for line in section.lines("option"):
                if line.modifier:
                    found.pop(line.word(1), None)
                else:
                    found[line.word(1)] = line
        return found

    @property
    def lists_servers(self) -> bool:
        """Whether it has no lines but those of servers, so that it inherits all the rest."""
        return self.index.keys() <= SERVER_LINES

    @property
    def mode(self) -> str:
        """The effective `mode`: "tcp" where none is written."""
        if self._mode is None:
            line = self.effective("mode")
            self._mode = "tcp" if line is None else line.word(1) if 1 not in line.opaque else "opaque"
        return self._mode

    @property
    def disabled(self) -> bool:
        """Whether `disabled` holds, here or in what it inherits; `enabled` takes it back."""
        if self._disabled is None:
            written = next((found for section in self.chain() if (found := section.switches())), ())
            self._disabled = bool(written) and max(written, key=lambda line: line.start).words[0] == "disabled"
        return self._disabled

    def switches(self) -> list[Line]:
        """Return the section's own `disabled` and `enabled` lines."""
        return [*self.lines("disabled"), *self.lines("enabled")]

    def __repr__(self) -> str:
        return f"Proxy({self.kind} {self.name!r})"


def _index(lines: Sequence[Line]) -> dict[str, list[Line]]:
    index: dict[str, list[Line]] = {}
    for line in lines:
        words = line.words
        key = words[0]
        if key in _TWO_WORDS and len(words) > 1:
            index.setdefault(key + " " + words[1], []).append(line)
        index.setdefault(key, []).append(line)
    return index


class Tree:
    """The resolved tree of one config: what the checks of this dialect are handed as `Config.tree`.

    `proxies` are frontends, backends and listens in the order of writing; `defaults` the defaults sections;
    `others` everything else. `templated` says that a template engine decides about some lines.
    """

    __slots__ = ("backends", "defaults", "documents", "frontends", "others", "proxies", "read", "templated")

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = list(documents)
        self.read: Sections = sections(documents)
        self.templated = any(document.controls for document in documents)
        self.proxies: list[Proxy] = []
        self.defaults: list[Proxy] = []
        self.others: list[Section] = []
        _resolve(self)
        #: Proxies by name; of several alternatives of that name the first.
        self.backends: dict[str, Proxy] = {}
        self.frontends: dict[str, Proxy] = {}
        for proxy in self.proxies:
            if proxy.is_backend:
                self.backends.setdefault(proxy.name, proxy)
            if proxy.is_frontend:
                self.frontends.setdefault(proxy.name, proxy)

    def sections(self, kind: str) -> list[Section]:
        """Return the sections of a kind, such as "global", "peers" or "resolvers"."""
        return [section for section in self.read.sections if section.kind == kind]

    def global_lines(self, *words: str) -> list[Line]:
        """Return the lines of all `global` sections that begin with these words."""
        count = len(words)
        return [
            line for section in self.sections("global") for line in section.lines if tuple(line.words[:count]) == words
        ]


def _resolve(tree: Tree) -> None:
    named: dict[str, Proxy] = {}
    last: Proxy | None = None
    for section in tree.read.sections:
        if section.kind == "defaults":
            # a defaults section inherits only what it names, never from the one before it
            last = Proxy(section, named.get(section.base))
            tree.defaults.append(last)
            if section.name:
                named[section.name] = last
        elif section.kind in PROXY_KINDS:
            tree.proxies.append(Proxy(section, named.get(section.base) if section.base else last))
        else:
            tree.others.append(section)

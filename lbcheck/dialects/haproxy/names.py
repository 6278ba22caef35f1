"""Which pools a config knows, which a dynamic `use_backend` may name, and which are used by something else."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.files import UnreadableError
from lbcheck.findings import NotChecked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.haproxy.resolve import Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.files import Files
    from lbcheck.model import Pool

_MAP = re.compile(
    r"^%\[(?P<key>.*),map(?:_(?:str|beg|end|sub|dir|dom|reg|ip|int))?(?:_str)?\((?P<arguments>[^()]*)\)\]$", re.DOTALL
)
_IIF = re.compile(r"^%\[(?P<key>.*),iif\((?P<arguments>[^(),]*,[^(),]*)\)\]$", re.DOTALL)
#: Arguments of a fetch or converter: `nbsrv(app)`, `table_conn_rate(app)`, `srv_is_up(app/s1)`.
_ARGUMENTS = re.compile(r"\(([^()]*)\)")
#: A map file with more entries is not read for names.
MAX_MAP_LINES = 200_000


class Names:
    """The pools of a config by name, with the files that say more about their use and those that were not read."""

    __slots__ = ("_maps", "files", "folder", "pools", "unread", "used")

    def __init__(self, files: Files, folder: str) -> None:
        self.files = files
        self.folder = folder
        self.pools: dict[str, Pool] = {}
        self.used: set[str] = set()
        self.unread: dict[str, str] = {}
        self._maps: dict[str, list[str] | None] = {}

    def pool(self, name: str) -> Pool | None:
        """Return the pool of that name, or None."""
        return self.pools.get(name)

    def map_values(self, path: str) -> list[str] | None:
        """Return the values of a map file, or None where it cannot be read here."""
        if path not in self._maps:
            self._maps[path] = self._read(path)
        return self._maps[path]

    def _read(self, path: str) -> list[str] | None:
        for place in _places(path, self.folder, self.files):
            try:
                source = self.files.read(place)
            except UnreadableError as error:
                self.unread[path] = error.reason
                continue
            lines = source.text.split("\n", MAX_MAP_LINES)
            entries = [line.split(None, 1) for line in lines if line.strip() and not line.lstrip().startswith("#")]
            return [entry[1].strip() for entry in entries if len(entry) == 2]
        return None


def _places(path: str, folder: str, files: Files) -> Iterator[str]:
    if path.startswith("/"):
        mapped = files.mapped(path)
        yield mapped if mapped is not None else path
    elif not path.startswith(("virt@", "opt@")):
        yield os.path.join(folder, path)


def dynamic(expression: str, names: Names, *, opaque: bool) -> tuple[list[str], bool, bool]:
    """Return (names that it may give, are these all, does it always give one) of a `use_backend` expression.

    `%[…,map(FILE,DEFAULT)]` and `%[…,iif(A,B)]` over the whole name are understood; any other may name any pool.
    """
    match = None if opaque else _MAP.match(expression)
    if match is not None:
        path, _, default = (part.strip() for part in match["arguments"].partition(","))
        values = names.map_values(path)
        found = [*(values or []), *([default] if default else [])]
        if values is None:
            names.used.add("*")
        return found, values is not None, bool(default)
    match = None if opaque else _IIF.match(expression)
    if match is not None:
        return [part.strip() for part in match["arguments"].split(",")], True, True
    names.used.add("*")
    return [], False, False


def referenced(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the words that may name a pool outside routing: `table NAME`, fetch arguments, log and reverse backends."""
    for line in lines:
        words = line.words
        if words[0] in ("server", "bind", "acl", "http-request", "tcp-request") or len(words) > 1:
            for index, word in enumerate(words):
                if "(" in word:
                    for arguments in _ARGUMENTS.findall(word):
                        yield from (part.strip() for part in re.split(r"[,/]", arguments))
                elif word == "table" and index + 1 < len(words):
                    yield words[index + 1]
                elif "@" in word:
                    yield word.partition("@")[2].partition("/")[0]


def use_of(tree: Tree, names: Names) -> None:
    """Note the pools that something other than a route refers to."""
    for proxy in (*tree.proxies, *tree.defaults):
        index = proxy.index
        rest = (line for keyword, lines in index.items() if keyword not in _PLAIN for line in lines)
        names.used.update(name for name in referenced(rest) if name in names.pools)
        for line in index.get("filter", ()):
            if line.word(1) == "spoe":
                _spoe(line, names)
    for section in tree.others:
        names.used.update(name for name in referenced(section.lines) if name in names.pools)


#: Keywords whose lines name no pool in this way.
_PLAIN = frozenset({"server", "mode", "balance", "timeout", "option", "use_backend", "default_backend"})


def _spoe(line: Line, names: Names) -> None:
    """A SPOE filter sends to the backend that its own file names."""
    path = next((line.word(index + 1) for index, word in enumerate(line.words) if word == "config"), "")
    text = None
    for place in _places(path, names.folder, names.files):
        try:
            text = names.files.read(place).text
        except UnreadableError:
            text = None
    if text is None:
        names.used.add("*")
        return
    names.used.update(re.findall(r"^\s*use-backend\s+(\S+)", text, re.MULTILINE))


def unread_maps(names: Names, lines: Iterable[Line]) -> Iterator[NotChecked]:
    """Yield where a map file decides the backend and could not be read."""
    for line in lines:
        match = _MAP.match(line.word(1))
        if match is not None and names.map_values(match["arguments"].partition(",")[0].strip()) is None:
            path = match["arguments"].partition(",")[0].strip()
            yield NotChecked(line.span, f"the map file {path} is not here: {names.unread.get(path, 'it has no path')}")

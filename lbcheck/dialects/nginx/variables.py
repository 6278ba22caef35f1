"""What a variable in a `*_pass` may hold: the values that map, geo, split_clients and set give it."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import is_
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.passes import root
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config

#: More values than this are not followed.
MAX_VALUES = 20_000
#: A chain of variables longer than this is not followed.
_DEPTH = 4
_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
#: Words of map and geo blocks that are settings, not entries.
_MAP_WORDS = frozenset({"hostnames", "volatile", "include"})
_GEO_WORDS = frozenset({"delete", "include", "proxy", "proxy_recursive", "ranges"})
#: Other ways to give a variable a value; what they give is not known.
_SETTERS = pattern(r"(?:set_by_lua\w*|js_set|perl_set|auth_request_set|auth_jwt_claim_set|set_\w+|js_var)\Z")
_LUA = pattern(r"_by_lua(?:_block|_file)?\Z|\Ajs_(?:access|content|preread)\Z")
#: Blocks that give one variable its values; the lines in them are no directives.
_TABLES = frozenset({"map", "geo", "split_clients"})
_ENTRIES = frozenset((name,) for name in _TABLES)


class Table:
    """A `map`, `geo` or `split_clients` block that gives a variable its values. `kind` is the directive's name.

    `entries` are (value, directive). `exhaustive` is False where a request may match no entry; the variable is then
    empty. `opaque` says that a template fills in entries. `inner` are the variables in its values.
    """

    __slots__ = ("block", "entries", "exhaustive", "inner", "kind", "name", "opaque", "source")

    def __init__(self, scope: Scope, block: Directive) -> None:
        self.block = block
        self.kind = block.name
        self.name = bare(block.args[-1])
        self.source = block.args[0] if len(block.args) > 1 else "$remote_addr"
        words = _GEO_WORDS if self.kind == "geo" else _MAP_WORDS if self.kind == "map" else frozenset[str]()
        entries = [one for one in scope.directives if one.name not in words and len(one.args) == 1]
        self.opaque = any(OPAQUE in one.name or OPAQUE in one.args[0] for one in entries)
        self.entries = [(one.args[0], one) for one in entries]
        self.inner = {name for value, _ in self.entries for name in names_in(value)}
        self.exhaustive = self.opaque or _exhaustive(self.kind, entries)


def _exhaustive(kind: str, entries: list[Directive]) -> bool:
    names = {one.name for one in entries}
    if kind == "split_clients":
        return "*" in names or hundredths(entries) >= 10_000
    return "default" in names or (kind == "geo" and bool(names & {"0.0.0.0/0", "0/0"}))


def hundredths(entries: list[Directive]) -> int:
    """Return the sum of a split's percentages, in hundredths of a percent as nginx counts them."""
    total = 0
    for one in entries:
        whole, _, part = one.name.rstrip("%").partition(".")
        if whole.isdecimal() and (not part or part.isdecimal()):
            total += int(whole) * 100 + int((part + "00")[:2])
    return total


class Value:
    """One text that an expression may stand for. `unknown` names the variables in it whose value is not known.

    `table` and `entry` are the block and the line that gave it, where one did.
    """

    __slots__ = ("entry", "table", "text")

    def __init__(self, text: str, table: Table | None = None, entry: Directive | None = None) -> None:
        self.text = text
        self.table = table
        self.entry = entry

    @property
    def unknown(self) -> list[str]:
        """The names of the variables that are left in it."""
        return names_in(self.text)


class Variables:
    """All variables that a config gives values to."""

    __slots__ = ("_known", "_scripts", "hidden", "tables")

    def __init__(self, main: Scope | None) -> None:
        self.tables: dict[str, Table] = {}
        #: Variables that a script or a module sets.
        self.hidden: set[str] = set()
        self._scripts: set[int] = set()
        self._known: dict[str, list[Value] | None] = {}
        if main is not None:
            self._read_tables(main)
            self._find_setters(main)

    def _read_tables(self, main: Scope) -> None:
        if main.holders.keys().isdisjoint(_TABLES):
            return
        for scope in main.walk():
            block = scope.directive
            if block is not None and block.name in _TABLES and block.args:
                table = Table(scope, block)
                self.tables[table.name] = table

    def _find_setters(self, main: Scope) -> None:
        for name, scopes in main.holders.items():
            how = _sets(name)
            for scope in scopes if how else ():
                if scope.path[-1:] in _ENTRIES:
                    continue
                if how == "script":
                    self._scripts.add(id(_server(scope)))
                else:
                    self.hidden.update(bare(one.args[0]) for one in scope.all(name) if one.args)

    def scripted(self, scope: Scope) -> bool:
        """Say whether a script of the same server, or of the whole, may set variables."""
        top = _server(scope)
        return id(top) in self._scripts or (top.parent is not None and id(top.parent) in self._scripts)

    def local(self, scope: Scope, text: str) -> bool:
        """Say whether what `text` stands for depends on the place: a `set` takes part."""
        return any(sets(scope, name) for name in names_in(text))

    def values(self, scope: Scope, text: str) -> list[Value] | None:
        """Return what `text` may stand for in a scope; None where there are too many values to say."""
        if self.local(scope, text):
            return self._expanded(scope, text)
        if text not in self._known:
            self._known[text] = self._expanded(scope, text)
        return self._known[text]

    def _expanded(self, scope: Scope, text: str) -> list[Value] | None:
        found = [Value(text)]
        for _ in range(_DEPTH):
            step: list[Value] = []
            for value in found:
                step.extend(self._step(scope, value))
                if len(step) > MAX_VALUES:
                    return None
            if len(step) == len(found) and all(map(is_, step, found)):
                break
            found = step
        return found

    def _step(self, scope: Scope, value: Value) -> Iterator[Value]:
        """Yield the texts that one replacement of the first known variable gives; the value itself if there is none."""
        for match in _VARIABLE.finditer(value.text):
            given = self._given(scope, match[1] or match[2])
            if given is None:
                continue
            head, tail = value.text[: match.start()], value.text[match.end() :]
            for text, table, entry in given:
                yield Value(head + text + tail, table or value.table, entry if table else value.entry)
            return
        yield value

    def _given(self, scope: Scope, name: str) -> list[tuple[str, Table | None, Directive]] | None:
        if name in self.hidden:
            return None
        table = self.tables.get(name)
        if table is not None:
            return [(text, table, entry) for text, entry in table.entries if text] or None
        found = sets(scope, name)
        if not found or self.scripted(scope) or any(name in names_in(one.args[1]) for one in found):
            return None
        return [(one.args[1], None, one) for one in found if one.args[1]] or None

    def reached(self, scope: Scope, text: str) -> Iterator[Table]:
        """Yield the tables whose values may become a part of `text`."""
        waiting, seen = names_in(text), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            table = self.tables.get(name)
            if table is not None:
                yield table
                waiting.extend(table.inner)
            for one in sets(scope, name):
                waiting.extend(names_in(one.args[1]))


@lru_cache(maxsize=4096)
def _sets(name: str) -> str:
    """Return how a directive of that name sets variables: "script" any, "value" the one it names, "" none."""
    return "script" if _LUA.search(name) else "value" if _SETTERS.match(name) else ""


def sets(scope: Scope, name: str) -> list[Directive]:
    """Return the `set` directives that may give a variable its value in a scope: its own, and outer ones before it.

    An unconditional `set` further in hides those further out; one inside an `if` does not.
    """
    found: list[Directive] = []
    place: Scope | None = scope
    while place is not None and place.directive is not None and place.directive.name not in {"http", "stream"}:
        own = [one for one in place.all("set") if len(one.args) == 2 and bare(one.args[0]) == name]
        found.extend(own[-1:])
        for inner in place.scopes("if"):
            found.extend(one for one in inner.all("set") if len(one.args) == 2 and bare(one.args[0]) == name)
        if own:
            break
        place = place.parent
    return found


def bare(variable: str) -> str:
    """Return a variable's name without `$` and braces."""
    return variable.lstrip("$").strip("{}")


def _server(scope: Scope) -> Scope:
    """Return the `server` that a scope belongs to, else the outermost block below `http`, else the scope itself."""
    found = scope
    while found.parent is not None and found.parent.path not in {(), ("http",), ("stream",)}:
        found = found.parent
    return found


def names_in(text: str) -> list[str]:
    """Return the names of the variables in a text."""
    return [match[1] or match[2] for match in _VARIABLE.finditer(text)] if "$" in text else []


def variables(config: Config) -> Variables:
    """Return the config's variables, for `Context.once`."""
    return Variables(root(config))

"""The resolved tree: blocks with what they hold once includes are expanded, and what they inherit.

A file may be included in two places, so a directive has no parent; a Scope has one. For authors of checks:

* `scope.directives` are the directives of the block, includes expanded, and `scope.names` the same by name;
  `scope.find(name)` is the last one of a name (or None), `scope.all(name)` all of them, `scope.scopes(name)` the blocks
  of that name as Scopes;
* `scope.inherited(name)` is the nearest enclosing scope that has the directive: nginx replaces, it does not merge, so
  `scope.inherited_all("proxy_set_header")` is the whole list of the innermost scope that has any;
* `scope.walk()` is the scope and all below it, and `scope.holders` says which of them hold a name: most questions are
  about few of a config's many blocks. `scope.path` is ("http", "server", "location").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.dialects.nginx.tree import Directive

    #: The includes that led to a directive, outer before inner.
    Via = tuple[Directive, ...]
    Items = list[tuple[Directive, Via]]
    Expand = Callable[[Directive, Via], Items]


class Scope:
    """One block in its place.

    `directive` is None for the main context; `via` are the includes that led to it. `vias` are those that led to each
    of its directives; None where that is `via` for all of them.
    """

    __slots__ = (
        "_blocks", "_holders", "_walked", "directive", "directives", "expand", "names", "number", "parent", "path",
        "via", "vias",
    )  # fmt: skip

    def __init__(
        self,
        directive: Directive | None,
        parent: Scope | None,
        directives: list[Directive],
        expand: Expand,
        via: Via = (),
        vias: list[Via] | None = None,
    ) -> None:
        self.directive = directive
        self.parent = parent
        #: Its place among all scopes of the config, in the order of `walk`.
        self.number = 0
        self.expand = expand
        self.via = via
        self.vias = vias
        self.path: tuple[str, ...] = () if directive is None else ((*parent.path, directive.name) if parent else ())
        self.directives = directives
        self.names: dict[str, list[Directive]] = {}
        names = self.names
        for one in directives:
            if one.name in names:
                names[one.name].append(one)
            else:
                names[one.name] = [one]
        self._blocks: list[Scope] | None = None
        self._walked: list[Scope] | None = None
        self._holders: dict[str, list[Scope]] | None = None

    def all(self, name: str) -> list[Directive]:
        """Return the block's own directives of that name."""
        return self.names.get(name, [])

    def find(self, name: str) -> Directive | None:
        """Return the block's own last directive of that name, which is the one that counts in most of nginx."""
        found = self.names.get(name)
        return found[-1] if found else None

    def blocks(self) -> list[Scope]:
        """Return the blocks directly inside, as Scopes; the same objects at each call."""
        if self._blocks is None:
            self._blocks = [
                self._inside(directive, directive.children, self.via if self.vias is None else self.vias[number])
                for number, directive in enumerate(self.directives)
                if directive.children is not None
            ]
        return self._blocks

    def _inside(self, directive: Directive, children: list[Directive], via: Via) -> Scope:
        scope = Scope(directive, self, children, self.expand, via)
        if not any(map(_is_include, scope.all("include"))):
            return scope
        items: Items = []
        for child in children:
            items += self.expand(child, via) if _is_include(child) else [(child, via)]
        return Scope(directive, self, [one for one, _ in items], self.expand, via, [via for _, via in items])

    def scopes(self, name: str) -> list[Scope]:
        """Return the blocks of that name directly inside."""
        if name not in self.names:
            return []
        return [scope for scope in self.blocks() if scope.directive is not None and scope.directive.name == name]

    def inherited(self, name: str) -> Directive | None:
        """Return the directive that holds here: the block's own, else the nearest enclosing block's."""
        found = self.inherited_all(name)
        return found[-1] if found else None

    def inherited_all(self, name: str) -> list[Directive]:
        """Return the directives that hold here: those of the innermost block that has any."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return []

    def enclosing(self, name: str) -> Scope | None:
        """Return the nearest enclosing block of that name, or None."""
        scope = self.parent
        while scope is not None and (scope.directive is None or scope.directive.name != name):
            scope = scope.parent
        return scope

    def top(self) -> Scope:
        """Return the block directly in the main context that it lies in, or is."""
        scope = self
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope

    def walk(self) -> list[Scope]:
        """Return this scope and all below it, outer before inner, in order; the same list at each call."""
        if self._walked is None:
            found = []
            stack = [self]
            while stack:
                scope = stack.pop()
                found.append(scope)
                stack.extend(reversed(scope.blocks()))
            self._walked = found
        return self._walked

    @property
    def holders(self) -> dict[str, list[Scope]]:
        """Of each name that is written in this scope or below it, the scopes that hold it, in the order of `walk`."""
        if self._holders is None:
            found: dict[str, list[Scope]] = {}
            for scope in self.walk():
                for name in scope.names:
                    if name in found:
                        found[name].append(scope)
                    else:
                        found[name] = [scope]
            self._holders = found
        return self._holders

    def holding(self, *names: str) -> list[Scope]:
        """Return the scopes of `walk` that hold one of the names at least."""
        holders = self.holders
        lists = [holders[name] for name in names if name in holders]
        if len(lists) < 2:
            return lists[0] if lists else []
        found = {scope.number: scope for scopes in lists for scope in scopes}
        return [found[number] for number in sorted(found)]

    def __repr__(self) -> str:
        return f"Scope({' '.join(self.path) or 'main'})"


def main_context(items: Items, expand: Expand) -> Scope:
    """Return the scope around all others, with everything below it expanded."""
    main = Scope(None, None, [one for one, _ in items], expand, vias=[via for _, via in items])
    for number, scope in enumerate(main.walk()):
        scope.number = number
    return main


def _is_include(directive: Directive) -> bool:
    return directive.name == "include" and bool(directive.args) and directive.children is None

"""The resolved tree: blocks with what they hold once includes are expanded, and what they inherit.

A file may be included in two places, so a directive has no parent; a Scope has one. For authors of checks:

* `scope.items` are the directives of the block, includes expanded; `scope.find(name)` the last one of a name (or None),
  `scope.all(name)` all of them, `scope.scopes(name)` the blocks of that name as Scopes;
* `scope.inherited(name)` is the nearest enclosing scope that has the directive: nginx replaces, it does not merge, so
  `scope.inherited_all("proxy_set_header")` is the whole list of the innermost scope that has any;
* `scope.walk()` is the scope and all below it; `scope.path` is ("http", "server", "location").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.dialects.nginx.tree import Directive

    Expand = Callable[[Directive, tuple[Directive, ...]], list[tuple[Directive, tuple[Directive, ...]]]]


class Scope:
    """One block in its place. `directive` is None for the main context; `via` are the includes that led to it."""

    __slots__ = ("_by_name", "_scopes", "_walked", "directive", "expand", "items", "parent", "path", "via")

    def __init__(
        self,
        directive: Directive | None,
        parent: Scope | None,
        items: list[tuple[Directive, tuple[Directive, ...]]],
        expand: Expand,
        via: tuple[Directive, ...] = (),
    ) -> None:
        self.directive = directive
        self.parent = parent
        self.expand = expand
        self.via = via
        self.path: tuple[str, ...] = () if directive is None else ((*parent.path, directive.name) if parent else ())
        self.items = items
        self._by_name: dict[str, list[Directive]] | None = None
        self._scopes: list[Scope] | None = None
        self._walked: list[Scope] | None = None

    def _names(self) -> dict[str, list[Directive]]:
        names = self._by_name
        if names is None:
            names = self._by_name = {}
            for directive, _ in self.items:
                names.setdefault(directive.name, []).append(directive)
        return names

    @property
    def directives(self) -> list[Directive]:
        """The directives of the block, includes expanded, in order."""
        return [directive for directive, _ in self.items]

    def all(self, name: str) -> list[Directive]:
        """Return the block's own directives of that name."""
        return self._names().get(name, [])

    def find(self, name: str) -> Directive | None:
        """Return the block's own last directive of that name, which is the one that counts in most of nginx."""
        found = self._names().get(name)
        return found[-1] if found else None

    def blocks(self) -> list[Scope]:
        """Return the blocks directly inside, as Scopes; the same objects at each call."""
        if self._scopes is None:
            self._scopes = [
                Scope(directive, self, self.children(directive, via), self.expand, via)
                for directive, via in self.items
                if directive.children is not None
            ]
        return self._scopes

    def children(
        self, directive: Directive, via: tuple[Directive, ...]
    ) -> list[tuple[Directive, tuple[Directive, ...]]]:
        """Return what a block holds, includes expanded, each with the includes that led to it."""
        found: list[tuple[Directive, tuple[Directive, ...]]] = []
        for child in directive.children or ():
            if child.name == "include" and child.args and child.children is None:
                found.extend(self.expand(child, via))
            else:
                found.append((child, via))
        return found

    def scopes(self, name: str) -> list[Scope]:
        """Return the blocks of that name directly inside."""
        return [scope for scope in self.blocks() if scope.directive is not None and scope.directive.name == name]

    def inherited(self, name: str) -> Directive | None:
        """Return the directive that holds here: the block's own, else the nearest enclosing block's."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.find(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def inherited_all(self, name: str) -> list[Directive]:
        """Return the directives that hold here: those of the innermost block that has any."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.all(name)
            if found:
                return found
            scope = scope.parent
        return []

    def enclosing(self, name: str) -> Scope | None:
        """Return the nearest enclosing block of that name, or None."""
        scope = self.parent
        while scope is not None and (scope.directive is None or scope.directive.name != name):
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

    def __repr__(self) -> str:
        return f"Scope({' '.join(self.path) or 'main'})"

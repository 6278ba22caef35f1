"""Which files an `include` brings in: nginx's own rule first, then what stands for the server's paths on this machine.

nginx takes a relative path from the folder of its main config and sorts what a pattern matches by bytes
(`ngx_conf_include`, src/core/ngx_conf_file.c). An absolute path usually lives on the server: it is looked for under
`--root`, then by its end among the scanned files and beside the main config.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.parser import parse
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.files import MAX_DEPTH, MAX_FILES, UnreadableError
from lbcheck.findings import Hit, NotChecked, Related
from lbcheck.paths import is_glob, shared_folders
from lbcheck.text import Span

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.scope import Items, Via
    from lbcheck.dialects.nginx.tree import Directive, Tree
    from lbcheck.files import Files

#: Files that come with the package or hold settings without effect on where requests go. Not having them is no gap.
HARMLESS = frozenset(
    {"mime.types", "fastcgi_params", "fastcgi.conf", "scgi_params", "uwsgi_params", "koi-utf", "koi-win", "win-utf",
     "fastcgi-php.conf", "options-ssl-nginx.conf", "naxsi_core.rules", "naxsi.rules"}
)  # fmt: skip
#: Folders of the same kind.
HARMLESS_FOLDERS = frozenset({"modules-enabled", "modules", "modules.d"})

#: How many directives files that are included again and again may bring in.
MAX_REPEATED = 100_000
#: How far above the main config's folder a server's file is looked for among the scanned files.
MAX_LEVELS_UP = 3


class Library:
    """The trees of all files that a group of configs may include, each parsed once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._trees: dict[str, Tree | UnreadableError] = {}
        #: Of a dump: where each of its files begins, and its path on the server.
        self.regions: list[tuple[int, str]] = []

    def add(self, start: int, path: str, tree: Tree) -> None:
        """Put in a tree that was made elsewhere: the part of a dump that begins at `start`."""
        self._trees[path] = tree
        self.regions.append((start, path))

    def path_of(self, directive: Directive) -> str:
        """Return the path of the file in which a directive is written."""
        if not self.regions:
            return directive.source.path
        return self.regions[bisect_right(self.regions, (directive.start, "\uffff")) - 1][1]

    def tree(self, path: str) -> Tree:
        """Return the tree of a file. Raises UnreadableError."""
        path = os.path.normpath(path)
        known = self._trees.get(path)
        if known is None:
            try:
                known = parse(self.files.read(path))
            except UnreadableError as error:
                known = error
            self._trees[path] = known
        if isinstance(known, UnreadableError):
            raise known
        return known


class Includer:
    """Expands the includes of one config whose main file lies in the folder `prefix`; remembers what it could not.

    Of a `fragment` that folder is not known: it is the fragment's own or one above it (`sites-available/..`).
    """

    def __init__(self, library: Library, prefix: str, *, fragment: bool = False) -> None:
        self.library = library
        self.prefix = prefix
        self.fragment = fragment
        self.used: dict[str, Tree] = {}
        self.hits: list[Hit] = []
        self.unmodelled: list[NotChecked] = []
        #: Files that a server's path was taken to mean, and the path.
        self.assumed: dict[str, str] = {}
        #: Why the config may hold more than was seen.
        self.open: str | None = None
        self._resolved: dict[str, list[str]] = {}
        self._said: set[tuple[str, int]] = set()
        #: How many directives came in once more, from files that were included before.
        self._repeated = 0
        self._sizes: dict[int, int] = {}
        self._main = ""

    def main(self, path: str) -> Items:
        """Return the main context of a file, its own includes expanded."""
        self._main = self._main or os.path.normpath(path)
        return self._expanded(path, self.library.tree(path), ())

    def expand(self, directive: Directive, via: Via) -> Items:
        """Return what an include brings in, each directive with the includes that led to it."""
        found: Items = []
        for path in map(os.path.normpath, self.paths(directive)):
            if len(self.used) >= MAX_FILES or self._repeated > MAX_REPEATED or len(via) >= MAX_DEPTH:
                self._once(directive, "E04", "includes bring in too much to follow", "include fewer files, less deeply")
                break
            try:
                tree = self.library.tree(path)
            except UnreadableError as error:
                self._unreadable(directive, path, error)
                continue
            if self._cycle(directive, path, via):
                continue
            if path in self.used:
                self._repeated += 1 + self._size(tree)
            found.extend(self._expanded(path, tree, (*via, directive)))
        return found

    def _expanded(self, path: str, tree: Tree, via: Via) -> Items:
        path = os.path.normpath(path)
        self.used[path] = tree
        found: Items = []
        for directive in tree.directives:
            if directive.name == "include" and directive.args and directive.children is None:
                found.extend(self.expand(directive, via))
            else:
                found.append((directive, via))
        return found

    def _size(self, tree: Tree) -> int:
        size = self._sizes.get(id(tree))
        if size is None:
            size = self._sizes[id(tree)] = sum(1 for _ in tree.all())
        return size

    def _cycle(self, directive: Directive, path: str, via: Via) -> bool:
        path_of = self.library.path_of
        if path_of(directive) != path and all(path_of(include) != path for include in via):
            return False
        self._once(
            directive, "E05", f"{path} includes itself again from here: nginx follows until it runs out of files",
            "take the file out of its own include",
        )  # fmt: skip
        return True

    def paths(self, directive: Directive) -> list[str]:
        """Return the files that an include names; what is missing is noted once."""
        pattern = directive.args[0]
        if pattern not in self._resolved:
            self._resolved[pattern] = self._resolve(directive, pattern)
        return self._resolved[pattern]

    def _resolve(self, directive: Directive, pattern: str) -> list[str]:
        if OPAQUE in pattern or "${" in pattern or "\0" in pattern:
            self._gap(directive, "the include's path is filled in elsewhere")
            return []
        if pattern.startswith("/"):
            return self._absolute(directive, pattern)
        path = os.path.join(self.prefix, pattern)
        found = self._at(path)
        if not found and self.fragment and not is_glob(pattern):
            above = (os.path.join(self.prefix, *[".."] * level, pattern) for level in range(1, MAX_LEVELS_UP + 1))
            found = next((there for one in above if (there := self._at(os.path.normpath(one)))), [])
        if not found and not is_glob(pattern):
            self._relative(directive, pattern, path)
        return found

    def _relative(self, directive: Directive, pattern: str, path: str) -> None:
        """Say E02 where the include's folder is here and the file is not; else it may lie on the server alone."""
        try:
            self.library.tree(path)
        except UnreadableError as error:
            folder = os.path.dirname(os.path.normpath(path))
            beside = os.path.dirname(pattern) and folder in self.library.files.index().folders
            if error.code == "E02" and beside and os.path.basename(pattern) not in HARMLESS:
                self.open = self.open or f"line {directive.span.line} of {directive.source.path}: {pattern} is missing"
                problem = f"{path} is not here, so what it holds was not checked: without it nginx refuses the config"
                self._once(directive, "E02", problem, "check the config together with the file, or correct the name")
                return
        self._missing(directive, pattern)

    def _at(self, path: str) -> list[str]:
        files = self.library.files
        if is_glob(path):
            return files.expand(path)
        return [path] if self._there(path) else []

    def _there(self, path: str) -> bool:
        try:
            self.library.tree(path)
        except UnreadableError as error:
            return error.code not in {None, "E02"}
        return True

    def _absolute(self, directive: Directive, pattern: str) -> list[str]:
        found = self._at(pattern)
        mapped = self.library.files.mapped(pattern)
        if not found and mapped is not None:
            found = self._at(mapped)
        if not found:
            found = self._by_end(pattern)
            self.assumed.update((os.path.normpath(path), pattern) for path in found)
        if not found:
            self._missing(directive, pattern)
        return found

    def _by_end(self, pattern: str) -> list[str]:
        """Find a server's path by its end: beside the main config first, then among all scanned files."""
        parts = pattern.strip("/").split("/")
        for index in range(len(parts)):
            end = "/".join(parts[index:])
            if index == len(parts) - 1 and is_glob(end):
                break  # "*.conf" alone would take in whatever lies beside the main config
            found = [path for path in self._at(os.path.join(self.prefix, end)) if os.path.normpath(path) != self._main]
            if found:
                return found
        ends = ["/".join(parts[index:]) for index in range(max(len(parts) - 1, 0))]
        return next((found for end in ends if (found := self._known(end))), [])

    def _known(self, end: str) -> list[str]:
        found = self.library.files.index().nearest(end, self.prefix)
        if not found:
            return []
        far = len(self.prefix.split("/")) - shared_folders(self.prefix, found[0]) > MAX_LEVELS_UP
        # Files of several folders are as many servers' files: which is meant cannot be known.
        return [] if far or len({os.path.dirname(path) for path in found}) > 1 else found

    def _missing(self, directive: Directive, pattern: str) -> None:
        name = os.path.basename(pattern)
        if name in HARMLESS or os.path.basename(os.path.dirname(pattern)) in HARMLESS_FOLDERS:
            return
        self._gap(directive, f"{pattern} is not on this machine, so what it holds was not checked")

    def _gap(self, directive: Directive, reason: str) -> None:
        self.open = self.open or f"line {directive.span.line} of {directive.source.path}: {reason}"
        key = (directive.source.path, directive.start)
        if key not in self._said:
            self._said.add(key)
            self.unmodelled.append(NotChecked(directive.span, reason))

    def missed(self, directive: Directive) -> bool:
        """Say whether an include brings in what was not seen."""
        return (directive.source.path, directive.start) in self._said

    def _unreadable(self, directive: Directive, path: str, error: UnreadableError) -> None:
        if error.code is None or error.code == "E02":
            self._gap(directive, f"{path} was not read: {error.reason}")
        else:
            self.open = self.open or f"{path} was not read"
            self._once(directive, error.code, f"cannot read {path}: {error.reason}", "include a regular file")

    def _once(self, directive: Directive, code: str, problem: str, advice: str) -> None:
        key = (directive.source.path, directive.start)
        if key not in self._said:
            self._said.add(key)
            self.hits.append(Hit(code, directive.span, {"problem": problem, "advice": advice}))


def fault_hits(tree: Tree) -> list[Hit]:
    """Return a tree's faults as findings of reading."""
    return [
        Hit(
            fault.code,
            Span(tree.source, fault.start, fault.end),
            {"problem": fault.problem, "advice": fault.advice},
            related=[Related(Span(tree.source, fault.related[0], fault.related[1]), fault.related[2])]
            if fault.related
            else (),
        )
        for fault in tree.faults
    ]

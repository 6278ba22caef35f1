"""What one config is: roots with what they include, orphan fragments of one folder, and `nginx -T` dumps."""

from __future__ import annotations

import os
import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.includes import Includer, Library
from lbcheck.dialects.nginx.lower import lower
from lbcheck.dialects.nginx.parser import parse
from lbcheck.dialects.nginx.scope import main_context
from lbcheck.dialects.nginx.tree import Directive
from lbcheck.files import UnreadableError
from lbcheck.findings import Hit
from lbcheck.model import Config
from lbcheck.paths import PathIndex, is_glob
from lbcheck.patterns import pattern
from lbcheck.text import Source, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.nginx.scope import Items, Scope
    from lbcheck.dialects.nginx.tree import Tree
    from lbcheck.files import Files

_DUMP = pattern(r"^# configuration file (\S.*?):\r?$", re.MULTILINE)
_MAIN = frozenset(
    {"events", "http", "stream", "mail", "user", "worker_processes", "pid", "daemon", "load_module", "master_process",
     "worker_rlimit_nofile", "pcre_jit", "env", "thread_pool", "worker_cpu_affinity", "google_perftools_profiles"}
)  # fmt: skip
_HTTP = frozenset(
    {"upstream", "server", "map", "geo", "split_clients", "limit_req_zone", "limit_conn_zone", "log_format",
     "proxy_cache_path", "fastcgi_cache_path", "server_names_hash_bucket_size", "types_hash_max_size", "resolver",
     "default_type", "gzip", "sendfile", "types", "include", "set_real_ip_from", "real_ip_header", "charset"}
)  # fmt: skip
_SERVER = frozenset({"listen", "server_name", "location", "error_page", "root", "index", "rewrite", "if", "return"})
FRAGMENT = "it is a fragment: the config that includes it was not seen"


def configs(paths: Sequence[str], files: Files) -> list[Config]:
    """Return the configs that a group of files makes up. Never raises for bad input."""
    library = Library(files)
    found: list[Config] = []
    trees: dict[str, Tree] = {}
    for path in paths:
        try:
            tree = library.tree(path)
        except UnreadableError as error:
            found.append(_unreadable(path, error))
            continue
        if _DUMP.match(tree.source.text):
            found.append(_dump(tree.source, files))
        else:
            trees[os.path.normpath(path)] = tree
    found.extend(_roots(trees, library))
    return found


def _unreadable(path: str, error: UnreadableError) -> Config:
    source = Source(path, "")
    config = Config("nginx", path, [source])
    args = {"problem": f"cannot read this file: {error.reason}", "advice": "name a regular file"}
    config.hits.append(Hit(error.code or "E03", Span(source, 0, 0), args))
    return config


def _is_main(tree: Tree) -> bool:
    return any(directive.name in _MAIN for directive in tree.directives)


def _roots(trees: dict[str, Tree], library: Library) -> list[Config]:
    found: list[Config] = []
    reached: set[str] = set()
    mains = [path for path, tree in trees.items() if _is_main(tree)]
    opened = {path: _expanded(path, library) for path in mains}
    takers = Counter(path for _, includer in opened.values() for path in includer.used)
    for path in mains:
        main, includer = opened[path]
        reached.update(includer.used)
        if takers[path] == 1 or os.path.basename(path) == "nginx.conf":  # it takes itself in, too
            found.append(lower(path, main, includer, None, whole_root=True))
    orphans = [path for path in trees if path not in reached]
    found.extend(_orphans(orphans, trees, library))
    return found


def _expanded(path: str, library: Library, *, fragment: bool = False) -> tuple[Scope, Includer]:
    """Return the main context of a file with every block below it expanded."""
    includer = Includer(library, os.path.dirname(path), fragment=fragment)
    return main_context(includer.main(path), includer.expand), includer


def _orphans(paths: list[str], trees: dict[str, Tree], library: Library) -> list[Config]:
    """Join the fragments of a folder that no file includes into one open config."""
    included: set[str] = set()
    for path in paths if len(paths) > 1 else ():
        if "include" in trees[path].source.text:
            _, includer = _expanded(path, library, fragment=True)
            included.update(other for other in includer.used if other != path)
    folders: dict[str, list[str]] = {}
    for path in paths:
        if path not in included:
            folders.setdefault(os.path.dirname(path), []).append(path)
    return [_fragments(members, trees, library) for members in folders.values()]


def _fragments(paths: list[str], trees: dict[str, Tree], library: Library) -> Config:
    includer = Includer(library, os.path.dirname(paths[0]), fragment=True)
    main_items: Items = []
    for path in paths:
        includer.main(path)
        main_items.append((_wrapped(trees[path]), ()))
    return lower(paths[0], main_context(main_items, includer.expand), includer, FRAGMENT, whole_root=False)


def _wrapped(tree: Tree) -> Directive:
    """Return the fragment inside the blocks that it must have been meant for."""
    context = context_of_fragment(tree)
    wrapped: Directive | None = None
    for name in reversed(context):
        block = Directive(tree.source, name, ["/"] if name == "location" else [], 0, 0)
        block.children = [wrapped] if wrapped is not None else list(tree.directives)
        block.close = len(tree.source.text)
        wrapped = block
    assert wrapped is not None  # noqa: S101 - a context has at least one block
    return wrapped


def context_of_fragment(tree: Tree) -> tuple[str, ...]:
    """Return the blocks in which a fragment's directives fit, such as ("http",) or ("http", "server")."""
    names = {directive.name for directive in tree.directives}
    if any(d.name == "server" and d.children is None for d in tree.directives):
        return ("http", "upstream")
    servers = [d for d in tree.directives if d.name == "server" and d.children is not None]
    streams = [d for d in servers if any(c.name == "proxy_pass" for c in d.children or ())]
    if streams and not any(c.name in {"location", "server_name"} for d in servers for c in d.children or ()):
        return ("stream",)
    if servers or names & {"upstream", "map", "geo", "split_clients"}:
        return ("http",)
    if names & _SERVER:
        return ("http", "server")
    if names and names <= _HTTP:
        return ("http",)
    return ("http", "server", "location")


def _dump(source: Source, files: Files) -> Config:
    """Return the config that an `nginx -T` dump holds: every file stands in it under its own name."""
    marks = list(_DUMP.finditer(source.text))
    library = Library(_DumpFiles(files, [mark[1] for mark in marks]))
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(source.text)
        library.add(mark.start(), os.path.normpath(mark[1]), parse(source, mark.end(), end))
    main, includer = _expanded(marks[0][1], library)
    config = lower(source.path, main, includer, None, whole_root=True)
    config.path = source.path
    return config


class _DumpFiles:
    """The paths of a dump, as nginx's own include patterns see them."""

    def __init__(self, files: Files, paths: list[str]) -> None:
        self.known: list[str] = []
        self._files = files
        self._paths = sorted({os.path.normpath(path) for path in paths})

    def read(self, path: str) -> Source:
        """Every file of a dump was put into the library before; another one is not there."""
        raise UnreadableError("E02", f"{path} is not in the dump")

    def expand(self, pattern: str) -> list[str]:
        """Return the dump's paths that match."""
        if not is_glob(pattern):
            return [pattern] if pattern in self._paths else []
        return [p for p in self._paths if fnmatchcase(p, pattern) and p.count("/") == pattern.count("/")]

    def mapped(self, path: str) -> str | None:
        """A dump is whole: nothing is looked for elsewhere."""
        del path
        return None

    def index(self) -> PathIndex:
        """The same: no other path is known."""
        return PathIndex(())

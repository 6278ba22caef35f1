"""Which files of the given paths are load-balancer configs, and of which dialect."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import DIALECTS, dialect
from lbcheck.files import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.files import FileTree
    from lbcheck.text import Source

#: Folders that hold no config of the project itself.
SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", ".terraform", ".cache"}
)
#: Folders in which Debian and others keep nginx sites without a suffix.
SUFFIXLESS_FOLDERS = frozenset({"sites-enabled", "sites-available", "snippets", "conf.d", "vhosts", "vhosts.d"})
#: The dialects to try for a file name's end, likeliest first. A folder's files with other ends are left alone.
BY_SUFFIX: dict[str, tuple[str, ...]] = {
    ".conf": ("nginx", "haproxy"),
    ".nginx": ("nginx",),
    ".nginxconf": ("nginx",),
    ".vhost": ("nginx",),
    ".cfg": ("haproxy", "nginx"),
    ".haproxy": ("haproxy",),
    ".yaml": ("envoy", "native", "traefik", "compose", "kubernetes"),
    ".yml": ("envoy", "native", "traefik", "compose", "kubernetes"),
    ".json": ("envoy", "native", "kubernetes"),
    ".toml": ("traefik",),
}
#: Ends that template engines add: `nginx.conf.j2` is looked at as `nginx.conf`.
TEMPLATE_SUFFIXES = (".j2", ".jinja2", ".jinja", ".erb", ".tmpl", ".tpl", ".template", ".in", ".dist", ".example")


class Found(NamedTuple):
    """A file that was recognised. `named` is whether the user named it himself."""

    path: str
    dialect: str
    named: bool


class Refused(NamedTuple):
    """A path that could not be read or was not recognised. `code` None: it is only not checked."""

    path: str
    code: str | None
    reason: str


class PathMissingError(Exception):
    """A path that the user named and that does not exist."""


def git_top(path: str) -> str | None:
    """Return the folder above (or at) `path` that holds `.git`, or None."""
    folder = os.path.realpath(path)
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def roots(paths: Iterable[str]) -> list[str]:
    """Return the folders that a run over `paths` may read in: each path's own, and the git checkout around it."""
    found = []
    for path in paths:
        folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
        found.append(git_top(folder) or folder)
        found.append(folder)
    return list(dict.fromkeys(found))


def candidates(path: str) -> tuple[str, ...]:
    """Return the dialects that a file of this name may be of, likeliest first; () for names that are no config's."""
    name = os.path.basename(path).lower()
    if name.startswith(("dockerfile", "containerfile")):
        return ()
    for suffix in TEMPLATE_SUFFIXES:
        name = name.removesuffix(suffix)
    stem, suffix = os.path.splitext(name)
    if suffix in BY_SUFFIX:
        composed = suffix == ".json" and stem.startswith(("compose", "docker-compose"))
        return ("traefik", "compose") if composed else BY_SUFFIX[suffix]
    if stem.startswith("haproxy") and not suffix:
        return ("haproxy",)
    if name.startswith("nginx.conf"):
        return ("nginx",)
    if not suffix or os.path.basename(os.path.dirname(path)) in SUFFIXLESS_FOLDERS:
        folder = os.path.basename(os.path.dirname(path))
        return ("nginx",) if folder in SUFFIXLESS_FOLDERS else ()
    return ()


def walk(folder: str, files: FileTree, exclude: Sequence[str]) -> Iterator[str]:
    """Yield the files below a folder that may be configs, by name; links to folders are not followed."""
    for parent, folders, names in files.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED_FOLDERS and not _excluded(os.path.join(parent, name), exclude)
        )
        for name in sorted(names):
            path = os.path.normpath(os.path.join(parent, name))
            if candidates(path) and not _excluded(path, exclude):
                yield path


def _excluded(path: str, patterns: Sequence[str]) -> bool:
    path = os.path.normpath(path)
    name = os.path.basename(path)
    return any(
        fnmatchcase(path, pattern) or fnmatchcase(name, pattern) or path.startswith(pattern.rstrip("/") + "/")
        for pattern in patterns
    )


def discover(
    paths: Sequence[str],
    files: FileTree,
    exclude: Sequence[str] = (),
    forced: str | None = None,
    *,
    held: frozenset[str] = frozenset(),
) -> tuple[list[Found], list[Refused]]:
    """Return what is a config among `paths` (files, folders, "-"), and what could not be read or recognised.

    `forced` takes every file that the user named for that dialect. `held` are paths whose text is in memory.
    Raises PathMissingError.
    """
    found: list[Found] = []
    refused: list[Refused] = []
    for path, named in _listed(paths, files, exclude, held):
        names = (forced,) if forced else _tried(path, named=named)
        try:
            source = files.read(path)
        except UnreadableError as error:
            if named or error.code != "E02":  # a link that leads nowhere, met while walking, is nobody's config
                refused.append(Refused(path, error.code if error.code != "E02" else "E03", error.reason))
            continue
        if _binary(source.text):
            if named:
                refused.append(Refused(path, None, "not a text file"))
            continue
        chosen = forced if forced and named else _recognised(source, names)
        if chosen:
            found.append(Found(path, chosen, named))
        elif named:
            refused.append(Refused(path, None, "not recognised as a load balancer's config; --dialect NAME forces one"))
    refused += [Refused(path, None, reason) for path, reason in files.skipped.items()]
    return _alike(found), refused


def _alike(found: list[Found]) -> list[Found]:
    """Give a Compose file and the one that is merged into it one dialect: Traefik's labels may be in either."""
    by_path = {item.path: item for item in found if item.dialect in ("compose", "traefik")}
    if not by_path:
        return found
    from lbcheck.dialects import composeoverride

    pairs = composeoverride.overrides(by_path)
    unlike = [pair for pair in pairs.items() if len({by_path[path].dialect for path in pair}) > 1]
    changed = {path for pair in unlike for path in pair}
    return [item._replace(dialect="traefik") if item.path in changed else item for item in found]


def _listed(
    paths: Sequence[str], files: FileTree, exclude: Sequence[str], held: frozenset[str]
) -> list[tuple[str, bool]]:
    listed: dict[str, bool] = {}
    for path in paths:
        if path in held:
            listed[path] = True
        elif files.is_folder(path):
            for name in walk(path, files, exclude):
                listed.setdefault(name, False)
        elif files.exists(path):
            listed[os.path.normpath(path)] = True
        else:
            raise PathMissingError(path)
    return _without_link_targets(listed, files)


def _without_link_targets(listed: dict[str, bool], files: FileTree) -> list[tuple[str, bool]]:
    """Drop a file to which a listed link leads: the proxy loads `sites-enabled/app`, not `sites-available/app`."""
    links = {path for path in listed if files.is_link(path)}
    targets = set(map(files.real, links))
    return [
        (path, named)
        for path, named in listed.items()
        if named or not targets or path in links or files.real(path) not in targets
    ]


def _binary(text: str) -> bool:
    """Say whether a file's beginning is no text: NUL bytes, and many others that no text has."""
    head = text[:4096]
    if "\0" not in head:
        return False
    odd = sum((char < " " and char not in "\t\n\r\f") or "\ud800" <= char <= "\udfff" for char in head)
    return odd * 10 > len(head)


def _tried(path: str, *, named: bool) -> tuple[str, ...]:
    names = candidates(path) or (tuple(DIALECTS) if named else ())
    return tuple(dict.fromkeys((*names, *DIALECTS))) if named else names


def _recognised(source: Source, names: Iterable[str]) -> str | None:
    return next((name for name in names if dialect(name).recognises(source)), None)

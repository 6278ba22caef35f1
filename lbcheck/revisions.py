"""Files as a git revision holds them, read blob by blob: nothing is checked out, nothing is written."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lbcheck import git
from lbcheck.files import MAX_FILE_BYTES, DiskFiles, GitError, UnreadableError, decode
from lbcheck.git import MissingObjectError, Objects
from lbcheck.paths import PathIndex, is_glob
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Modes of a tree's entries.
_TREE, _LINK, _MODULE = 0o040000, 0o120000, 0o160000
_KIND = 0o170000
#: How many links may lead to a file; Linux follows 40.
_MAX_LINKS = 40
#: How many names a walk may meet, and how many bytes one folder's list may have: far beyond any project, and an end
#: for a tree of trees of trees that all are the same one.
_MAX_NAMES = 1_000_000
_MAX_TREE_BYTES = 64 * 1024 * 1024
_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_SUBMODULE = "it is a submodule: another repository, which is not read"


class Entry(NamedTuple):
    """One name in a folder of a revision."""

    mode: int
    name: str

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode & _KIND == _TREE

    @property
    def link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & _KIND == _LINK

    @property
    def module(self) -> bool:
        """Whether it is a submodule."""
        return self.mode & _KIND == _MODULE


class Repository:
    """The git repository around a folder. Without a working tree (a bare clone) the folder stands for its top."""

    def __init__(self, folder: str = ".") -> None:
        """Find it. Raises GitError."""
        self.folder = os.path.realpath(folder)
        top, prefix = git.top_and_prefix(self.folder)
        #: The top of the working tree, None where there is none.
        self.top = None if top is None else os.path.realpath(top)
        #: Where the folder lies below the top.
        self.prefix = prefix
        self.objects = Objects(self.folder)

    def close(self) -> None:
        """End the git that serves objects."""
        self.objects.close()

    def is_revision(self, name: str) -> bool:
        """Say whether a word names a revision that has files."""
        return git.object_name(self.folder, name, "tree") is not None

    def files(self, revision: str, root: str | None = None) -> RevisionFiles:
        """Return the files of a revision. Raises GitError where it names none."""
        tree = git.object_name(self.folder, revision, "tree")
        if tree is None:
            raise GitError(f"{revision}: no such revision")
        return RevisionFiles(self, tree, root)

    def working_files(self, roots: Iterable[str], root: str | None = None) -> WorkingFiles:
        """Return the files on the disk, walks leaving out what git ignores.

        Raises GitError where there is no working tree.
        """
        if self.top is None:
            raise GitError("there is no working tree here: name the newer revision too")
        return WorkingFiles(self.top, git.ignored(self.top), roots, root)


class WorkingFiles(DiskFiles):
    """The working tree: what git tracks, and what it would if it were asked to."""

    def __init__(self, top: str, ignored: Iterable[str], roots: Iterable[str], root: str | None = None) -> None:
        super().__init__(roots, root)
        self._top = top
        self._ignored = frozenset(os.path.join(top, path.rstrip("/")) for path in ignored)

    def walk(self, folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        """Walk as os.walk does, past what git ignores and past other repositories, which are noted."""
        for parent, folders, names in super().walk(folder):
            real = os.path.realpath(parent)
            if real != self._top and (".git" in folders or ".git" in names):
                folders.clear()
                self.skipped[os.path.normpath(parent)] = _SUBMODULE
                continue
            folders[:] = [name for name in folders if os.path.join(real, name) not in self._ignored]
            yield parent, folders, [name for name in names if os.path.join(real, name) not in self._ignored]


class RevisionFiles:
    """The files of one revision. Paths are the working tree's, relative to the folder in which lbcheck runs.

    Links are followed inside the revision only. `root` maps the server's absolute paths to a folder of it.
    """

    def __init__(self, repository: Repository, tree: str, root: str | None = None) -> None:
        self.known: list[str] = []
        self.skipped: dict[str, str] = {}
        self._objects = repository.objects
        self._top = repository.top or repository.folder
        self._here = os.path.join(self._top, repository.prefix)
        self._root = root
        self._sources: dict[str, Source] = {}
        self._tree = Entry(_TREE, tree)
        self._folders: dict[str, dict[str, Entry]] = {}
        self._index: tuple[list[str], PathIndex] | None = None

    def read(self, path: str) -> Source:
        """Return the text at `path`. Raises UnreadableError."""
        path = os.path.normpath(path)
        source = self._sources.get(path)
        if source is None:
            source = self._sources[path] = Source(path, decode(self._bytes(path)))
        return source

    def _bytes(self, path: str) -> bytes:
        entry = self._found(path)[1]
        if entry.module:
            raise UnreadableError(None, _SUBMODULE)
        if entry.folder:
            raise UnreadableError("E03", "it is a directory, not a regular file")
        data = self._object(entry, MAX_FILE_BYTES)
        if data.startswith(_LFS):
            raise UnreadableError(None, "it is a pointer of Git LFS: the text itself is not in the repository")
        return data

    def _object(self, entry: Entry, limit: int) -> bytes:
        try:
            return self._objects.read(entry.name, limit)[1]
        except MissingObjectError as error:
            if error.size is None:
                raise UnreadableError(None, git.MISSING) from None
            raise UnreadableError("E04", f"it has {error.size:,} bytes, more than the limit of {limit:,}") from None

    def _listing(self, at: str, entry: Entry) -> dict[str, Entry]:
        known = self._folders.get(at)
        if known is None:
            known = self._folders[at] = dict(_entries(self._object(entry, _MAX_TREE_BYTES), len(entry.name) // 2))
        return known

    def _found(self, path: str, *, last: bool = True) -> tuple[str, Entry]:
        """Return where in the tree a path leads, and what is there; `last`: follow a link at its end as well.

        Raises UnreadableError: E02 where there is nothing, None where a link leads out of the revision.
        """
        inside = os.path.relpath(os.path.join(self._here, path), self._top)
        if "\0" in path:
            raise UnreadableError("E03", "not a usable path")
        at: list[str] = []
        chain = [self._tree]
        todo = inside.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if not at:
                    raise UnreadableError(None, "it lies outside the repository")
                at.pop()
                chain.pop()
                continue
            entry = self._listing("/".join(at), chain[-1]).get(part) if chain[-1].folder else None
            if entry is None:
                raise UnreadableError("E02", "no such file")
            if entry.link and (todo or last):
                links += 1
                todo += self._target(entry, links).split("/")[::-1]
                continue
            at.append(part)
            chain.append(entry)
        return "/".join(at), chain[-1]

    def _target(self, entry: Entry, links: int) -> str:
        if links > _MAX_LINKS:
            raise UnreadableError("E03", "too many levels of symbolic links")
        target = decode(self._object(entry, 4096))
        if target.startswith("/"):
            raise UnreadableError(None, f"it is a link to {target}, outside the repository")
        return target

    def exists(self, path: str) -> bool:
        """Say whether something is there, a link that leads nowhere included."""
        return self._peek(path, last=False) is not None

    def is_folder(self, path: str) -> bool:
        """Say whether the path is a folder, or a link to one."""
        found = self._peek(path)
        return found is not None and found.folder

    def is_link(self, path: str) -> bool:
        """Say whether the path is a symbolic link."""
        found = self._peek(path, last=False)
        return found is not None and found.link

    def _peek(self, path: str, *, last: bool = True) -> Entry | None:
        try:
            return self._found(path, last=last)[1]
        except UnreadableError:
            return None

    def real(self, path: str) -> str:
        """Return the path with all links followed; as it is where they lead nowhere."""
        try:
            return os.path.join(self._top, self._found(path)[0])
        except UnreadableError:
            return os.path.join(self._here, path)

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, sorted. Raises UnreadableError."""
        at, entry = self._found(folder)
        if not entry.folder:
            raise UnreadableError("E03", "not a directory")
        return sorted(self._listing(at, entry))

    def walk(self, folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        """Walk as os.walk does; links to folders are not followed, submodules are noted."""
        waiting = [folder]
        met = 0
        while waiting:
            parent = waiting.pop()
            try:
                listing = self._listing(*self._found(parent))
            except UnreadableError as error:
                self.skipped[os.path.normpath(parent)] = error.reason
                continue
            met += len(listing)
            if met > _MAX_NAMES:
                raise GitError(f"more than {_MAX_NAMES:,} files below {folder}: name the folders to compare")
            folders = [name for name, entry in listing.items() if entry.folder]
            for name, entry in listing.items():
                if entry.module:
                    self.skipped[os.path.normpath(os.path.join(parent, name))] = _SUBMODULE
            yield parent, folders, [name for name, entry in listing.items() if not entry.folder and not entry.module]
            waiting += [os.path.join(parent, name) for name in reversed(folders)]

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that match a shell pattern, in byte order; names that begin with a dot are not matched."""
        start, rest = "", pattern
        if pattern.startswith("/"):
            start, rest = self._top, pattern.removeprefix(self._top + "/")
            if rest == pattern:
                return []
        found = [start]
        for part in rest.split("/"):
            if is_glob(part):
                found = [os.path.join(base, name) for base in found for name in self._matching(base, part)]
            else:
                found = [path for base in found if self.exists(path := os.path.join(base, part))]
        return sorted(found, key=os.fsencode)

    def _matching(self, folder: str, pattern: str) -> list[str]:
        try:
            names = self.names(folder or ".")
        except UnreadableError:
            return []
        return [name for name in names if fnmatchcase(name, pattern) and (name[0] != "." or pattern[0] == ".")]

    def mapped(self, path: str) -> str | None:
        """Return where an absolute path of the server lies under the mapped root, or None."""
        if self._root is None or not path.startswith("/"):
            return None
        return os.path.normpath(self._root + os.path.normpath(path))

    def index(self) -> PathIndex:
        """Return the known paths, to be found by how they end; made once for a list of them."""
        if self._index is None or self._index[0] is not self.known:
            self._index = (self.known, PathIndex(self.known))
        return self._index[1]


_ENTRY = re.compile(rb"([0-7]{1,7}) ([^\0]+)\0", re.DOTALL)


def _entries(data: bytes, width: int) -> Iterator[tuple[str, Entry]]:
    """Yield what a tree object holds: mode, blank, name, NUL, and the object's name in `width` bytes; again and again.

    Names that no file system has ("..", with "/") are left out: git refuses to make them, other tools do not.
    """
    at = 0
    while match := _ENTRY.match(data, at):
        at = match.end() + width
        name = decode(match[2])
        if "/" not in name and name not in {".", ".."}:
            yield name, Entry(int(match[1], 8), data[match.end() : at].hex())

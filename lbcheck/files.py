"""Guarded reading: the one place that opens files, and only regular ones inside the roots that were named."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

from lbcheck.paths import PathIndex, is_glob
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: 16 MiB: larger than any config that a person maintains, small enough to read without harm.
MAX_FILE_BYTES = 16 * 1024 * 1024
#: How deep blocks may nest before the reader stops following.
MAX_DEPTH = 200
#: How many files one include graph may hold.
MAX_FILES = 10_000
#: How many servers one template line may stand for.
MAX_TEMPLATE_SERVERS = 10_000


class UnreadableError(Exception):
    """A file that was not read. `code` is the finding it becomes; None means "not checked" and no finding.

    E02 no such file, E03 unreadable, E04 too large; None where it lies outside the roots.
    """

    def __init__(self, code: str | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GitError(Exception):
    """git is not there, is no help here, or does not know the revision: one line."""


class Files(Protocol):
    """How a dialect gets at text: from disk, from memory, or from a git revision."""

    #: Every path that the run was asked to look at, in order.
    known: list[str]

    def read(self, path: str) -> Source:
        """Return the text at `path`; the same Source for the same path. Raises UnreadableError."""

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that match a shell pattern, sorted by bytes as nginx sorts them."""

    def mapped(self, path: str) -> str | None:
        """Return where an absolute path of the server is found here (`--root`), or None."""

    def index(self) -> PathIndex:
        """Return the known paths, to be found by how they end."""


class FileTree(Files, Protocol):
    """What finding configs needs besides: how the files lie in folders, on disk or in a git revision."""

    #: Path → why a walk passed it over although it may hold configs (a submodule).
    skipped: dict[str, str]

    def exists(self, path: str) -> bool:
        """Say whether something is there, a link that leads nowhere included."""

    def is_folder(self, path: str) -> bool:
        """Say whether the path is a folder, or a link to one."""

    def is_link(self, path: str) -> bool:
        """Say whether the path is a symbolic link."""

    def real(self, path: str) -> str:
        """Return the path with all links followed; two paths of one file have one real path."""

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, sorted. Raises UnreadableError."""

    def walk(self, folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yield (folder, names of folders in it, other names) from the top down, as os.walk does.

        A caller that takes names out of the second list keeps the walk out of those folders.
        """


def decode(data: bytes) -> str:
    """Return bytes as text, each byte that is not UTF-8 as one lone surrogate. A BOM stays: the proxies refuse it."""
    return data.decode("utf-8", "surrogateescape")


def read_regular(path: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a regular file.

    Opened without blocking, so that a FIFO cannot hang the run, and judged by the open descriptor, so that
    nothing can be swapped in between. Raises UnreadableError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise UnreadableError("E02", "no such file") from None
    except (OSError, ValueError) as error:
        raise UnreadableError("E03", _reason(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("E03", f"it is {_kind(status.st_mode)}, not a regular file")
        if status.st_size > limit:
            raise UnreadableError("E04", f"it has {status.st_size:,} bytes, more than the limit of {limit:,}")
        data = _all(descriptor, status.st_size, limit)
    except OSError as error:
        raise UnreadableError("E03", _reason(error)) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise UnreadableError("E04", f"it has more than the limit of {limit:,} bytes")
    return data


def text_at(path: str, files: FileTree | None = None) -> str:
    """Return the text at `path` of these files; without any, of the disk, wherever it lies. Raises UnreadableError."""
    return decode(read_regular(path)) if files is None else files.read(path).text


def _all(descriptor: int, size: int, limit: int) -> bytes:
    """Return the bytes of an open file that had `size` of them a moment ago, at most one more than `limit`."""
    pieces = []
    left = limit + 1
    block = max(size + 1, 16_384)
    while left > 0 and (piece := os.read(descriptor, min(block, left))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _followed(folder: str, name: str) -> str:
    """Return where a name in a real folder leads."""
    path = os.path.join(folder, name)
    return os.path.realpath(path) if name in {"", ".", ".."} or os.path.islink(path) else path


def _reason(error: Exception) -> str:
    return (error.strerror or "cannot be read").lower() if isinstance(error, OSError) else "not a usable path"


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in kinds if test(mode)), "something else")


class DiskFiles:
    """Files on this machine, read only inside `roots` after symbolic links are resolved.

    `root` maps the server's absolute paths (`/etc/nginx/mime.types`) into a folder here. Texts put into `memory`
    (standard input, a test's files) are found before the disk.
    """

    exists = staticmethod(os.path.lexists)
    is_folder = staticmethod(os.path.isdir)
    is_link = staticmethod(os.path.islink)

    def __init__(
        self, roots: Iterable[str] = (".",), root: str | None = None, memory: dict[str, str] | None = None
    ) -> None:
        self.known: list[str] = []
        self.skipped: dict[str, str] = {}
        self.memory = memory or {}
        self._root = os.path.realpath(root) if root else None
        self._roots = [os.path.realpath(path) for path in roots] + ([self._root] if self._root else [])
        self._sources: dict[str, Source] = {}
        #: Folder → where it really is.
        self._folders: dict[str, str] = {}
        self._index: tuple[list[str], PathIndex] | None = None

    def read(self, path: str) -> Source:
        """Return the text at `path`. Raises UnreadableError."""
        path = os.path.normpath(path) if path != "-" else path
        source = self._sources.get(path)
        if source is None:
            text = self.memory.get(path)
            source = Source(path, decode(self._bytes(path)) if text is None else text)
            self._sources[path] = source
        return source

    def real(self, path: str) -> str:
        """Return the path with all links followed."""
        return os.path.realpath(path)

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, sorted. Raises UnreadableError."""
        try:
            return sorted(os.listdir(folder))
        except (OSError, ValueError) as error:
            raise UnreadableError("E03", _reason(error)) from None

    def walk(self, folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        """Walk as os.walk does; links to folders are not followed."""
        return os.walk(folder)

    def _bytes(self, path: str) -> bytes:
        real = self._real(path) if "\0" not in path else path
        if not self._inside(real):
            raise UnreadableError(None, "it lies outside the scanned folders")
        return read_regular(real)

    def _real(self, path: str) -> str:
        """Return os.path.realpath(path), looking at each folder on the way once for all that it holds."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            above, own = os.path.split(folder)
            if above not in self._folders:
                self._folders[above] = os.path.realpath(above)
            self._folders[folder] = _followed(self._folders[above], own)
        return _followed(self._folders[folder], name)

    def _inside(self, real: str) -> bool:
        return any(real == root or real.startswith(root.rstrip("/") + "/") for root in self._roots)

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that match a shell pattern, in byte order, the texts in memory among them."""
        from fnmatch import fnmatchcase

        held = [path for path in self.memory if fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")]
        folder = os.path.dirname(pattern.split("*", maxsplit=1)[0]) or "."
        if "\0" in pattern or not self._inside(self._real(folder)):
            return sorted(held)
        if not is_glob(folder) and not os.path.isdir(folder):
            return sorted(held)
        from glob import iglob

        return sorted({*held, *iglob(pattern)}, key=os.fsencode)

    def mapped(self, path: str) -> str | None:
        """Return where an absolute path of the server lies under the mapped root, or None."""
        if self._root is None or not path.startswith("/"):
            return None
        return os.path.relpath(self._root + os.path.normpath(path))

    def index(self) -> PathIndex:
        """Return the known paths, to be found by how they end; made once for a list of them."""
        if self._index is None or self._index[0] is not self.known:
            self._index = (self.known, PathIndex(self.known))
        return self._index[1]


class Overlaid:
    """Other files with some texts in place of theirs, for readers that are asked what a config would be with these."""

    def __init__(self, files: Files, texts: Mapping[str, str]) -> None:
        self.known = files.known
        self._files = files
        self._sources = {os.path.normpath(path): Source(path, text) for path, text in texts.items()}

    def read(self, path: str) -> Source:
        """Return the text at `path`. Raises UnreadableError."""
        return self._sources.get(os.path.normpath(path)) or self._files.read(path)

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that match a shell pattern, as the files below have them."""
        return self._files.expand(pattern)

    def mapped(self, path: str) -> str | None:
        """Return where an absolute path of the server is found here, or None."""
        return self._files.mapped(path)

    def index(self) -> PathIndex:
        """Return the known paths, to be found by how they end."""
        return self._files.index()

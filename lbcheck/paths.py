"""Finding paths by how they end: what a server's path means on another machine."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_GLOB = frozenset("*?[")


def is_glob(pattern: str) -> bool:
    """Say whether a pattern stands for several paths (it holds `*`, `?` or `[`)."""
    return not _GLOB.isdisjoint(pattern)


class PathIndex:
    """Paths, found by their last parts without looking at each."""

    __slots__ = ("_by_folder", "_by_name", "folders")

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        self._by_folder: dict[str, list[str]] = {}
        #: The folders in which the paths lie.
        self.folders: set[str] = set()
        for path in paths:
            folder, name = os.path.split(path)
            self.folders.add(folder)
            self._by_name.setdefault(name, []).append(path)
            self._by_folder.setdefault(os.path.basename(folder), []).append(path)

    def ending(self, end: str) -> list[str]:
        """Return the paths whose last parts match those of `end`, part by part; a glob needs a folder before it."""
        folder, name = os.path.split(end)
        if not is_glob(name):
            among = self._by_name.get(name, [])
        elif is_glob(os.path.basename(folder)):
            among = [path for paths in self._by_folder.values() for path in paths]
        else:
            among = self._by_folder.get(os.path.basename(folder), []) if folder else []
        return [path for path in among if _ends_with(path, end)]

    def nearest(self, end: str, origin: str) -> list[str]:
        """Return those of `ending` that share the most leading folders with `origin`."""
        found = self.ending(end)
        most = max((shared_folders(origin, path) for path in found), default=0)
        return [path for path in found if shared_folders(origin, path) == most]


def _ends_with(path: str, end: str) -> bool:
    parts, wanted = path.split("/"), end.split("/")
    return len(parts) >= len(wanted) and all(
        part == pattern or fnmatchcase(part, pattern)
        for part, pattern in zip(parts[-len(wanted) :], wanted, strict=True)
    )


def shared_folders(one: str, other: str) -> int:
    """Return how many leading parts two paths have in common."""
    count = 0
    for mine, its in zip(one.split("/"), other.split("/"), strict=False):
        if mine != its:
            break
        count += 1
    return count

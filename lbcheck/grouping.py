"""Which of the found files have to be read together, so that the rest can be read in parallel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import dialect
from lbcheck.paths import PathIndex, is_glob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.discovery import Found
    from lbcheck.files import Files


class Unit(NamedTuple):
    """Files that are read together. `ordered`: the user named them as one config, in this order."""

    dialect: str
    paths: tuple[str, ...]
    ordered: bool = False


def units(found: Sequence[Found], files: Files) -> list[Unit]:
    """Split the files into groups that have nothing to do with each other, in order of discovery.

    Rather too coarse than too fine: the dialect itself decides what one config is.
    """
    grouped: list[Unit] = []
    for name in dict.fromkeys(item.dialect for item in found):
        paths = [item.path for item in found if item.dialect == name]
        grouped.extend(Unit(name, tuple(group)) for group in _connected(name, paths, files))
    return grouped


def _connected(name: str, paths: Sequence[str], files: Files) -> list[list[str]]:
    leader = {path: path for path in paths}

    def find(path: str) -> str:
        while leader[path] != path:
            leader[path] = leader[leader[path]]
            path = leader[path]
        return path

    for one, other in _ties(name, paths, files):
        leader[find(one)] = find(other)
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(find(path), []).append(path)
    return list(groups.values())


def _ties(name: str, paths: Sequence[str], files: Files) -> Iterator[tuple[str, str]]:
    """Yield pairs that may belong to one config: neighbours in a folder, and files of which one names the other."""
    module = dialect(name)
    first: dict[str, str] = {}
    index = PathIndex(paths)
    for path in paths:
        source = files.read(path)
        folder = module.neighbourhood(source)
        if folder is not None:
            yield path, first.setdefault(folder, path)
        for pattern in module.references(source):
            for other in index.nearest(_end(pattern, path), path):
                yield path, other


def _end(pattern: str, path: str) -> str:
    """Return the part of an include's path that has to fit: a file's name, or a pattern with the folder before it."""
    parent, name = os.path.split(pattern)
    if not is_glob(name):
        return name
    return f"{os.path.basename(parent) or os.path.basename(os.path.dirname(path))}/{name}"

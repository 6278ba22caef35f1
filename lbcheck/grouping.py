"""Which of the found files have to be read together, so that the rest can be read in parallel."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import TYPE_CHECKING

from lbcheck.dialects import dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.discovery import Found
    from lbcheck.files import Files

#: A file that opens one of nginx's top blocks stands on its own.
_NGINX_ROOT = re.compile(r"^\s*(?:events|http|stream|mail)\s*\{", re.MULTILINE)


def units(found: Sequence[Found], files: Files) -> list[tuple[str, list[str]]]:
    """Split the files into groups that have nothing to do with each other: (dialect, paths), in order of discovery.

    Rather too coarse than too fine: the dialect itself decides what one config is.
    """
    grouped: list[tuple[str, list[str]]] = []
    for name in dict.fromkeys(item.dialect for item in found):
        paths = [item.path for item in found if item.dialect == name]
        grouped.extend((name, group) for group in _connected(name, paths, files))
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
    first: dict[str, str] = {}
    for path in paths:
        if name == "nginx" and _NGINX_ROOT.search(files.read(path).text):
            continue
        folder = os.path.dirname(path)
        folder = os.path.dirname(folder) if folder.endswith(".d") and name == "haproxy" else folder
        yield path, first.setdefault(folder, path)
    by_end = _by_end(paths)
    for path in paths:
        for pattern in dialect(name).references(files.read(path)):
            for other in _matches(pattern, path, by_end):
                yield path, other


def _by_end(paths: Sequence[str]) -> dict[str, list[str]]:
    """Index paths by base name, and by parent folder's name with a slash behind it."""
    index: dict[str, list[str]] = {}
    for path in paths:
        parent, name = os.path.split(path)
        index.setdefault(name, []).append(path)
        index.setdefault(os.path.basename(parent) + "/", []).append(path)
    return index


def _matches(pattern: str, path: str, by_end: dict[str, list[str]]) -> list[str]:
    """Return the paths that an include pattern may mean, those nearest to the including file only."""
    parent, name = os.path.split(pattern)
    globbed = any(mark in name for mark in "*?[")
    folder = os.path.basename(parent) or os.path.basename(os.path.dirname(path))
    among = by_end.get(folder + "/", []) if globbed else by_end.get(name, [])
    fitting = [
        other for other in among if other != path and (not globbed or fnmatchcase(os.path.basename(other), name))
    ]
    nearest = max((_shared(path, other) for other in fitting), default=0)
    return [other for other in fitting if _shared(path, other) == nearest]


def _shared(one: str, other: str) -> int:
    parts = zip(one.split("/"), other.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], parts))

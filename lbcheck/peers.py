"""Balancers of one group: configs in sibling folders that differ only in a number or a letter, such as lb1 and lb2."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lbcheck.dialects import dialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.files import FileTree
    from lbcheck.grouping import Unit
    from lbcheck.model import Config

    #: What the paths of a group have in common: dialect, number of the folder that differs, path around its number.
    Key = tuple[str, int, str]

#: A folder's name that ends in what tells the members of a group apart.
_MEMBER = re.compile(r"(?i)(.*?[a-z][-_.]?)\d{1,3}\Z|(.*[a-z0-9][-_.])[a-d]\Z", re.ASCII)
#: Words for balancers and the machines they run on. Folders of other things are numbered, too: tests, steps, versions.
_BALANCERS = frozenset(
    {
        "lb", "lbs", "balancer", "loadbalancer", "slb", "proxy", "haproxy", "nginx", "envoy", "traefik", "edge", "gw",
        "gateway", "router", "front", "frontend", "fe", "node", "host", "server", "srv", "web", "ingress", "keepalived",
    }
)  # fmt: skip


class Peers:
    """The groups among the files of a run; a peer is read when a check asks for it."""

    __slots__ = ("_files", "_first", "_known", "_units")

    def __init__(self, units: Iterable[Unit], files: FileTree) -> None:
        self._files = files
        self._units: dict[str, Unit] = {}
        self._known: dict[str, Config | None] = {}
        #: The first member of each group that has several.
        self._first: dict[str, str] = {}
        groups: dict[Key, list[str]] = {}
        for unit in units:
            for path in unit.paths:
                self._units[path] = unit
                for key in _keys(unit.dialect, path):
                    groups.setdefault(key, []).append(path)
        for paths in groups.values():
            first = min(paths)
            for path in paths:
                if path != first:
                    self._first.setdefault(path, first)

    def first(self, path: str) -> str | None:
        """Return the first member of a file's group; None for that one itself, and where there is no group."""
        return self._first.get(path)

    def place(self, configs: Sequence[Config]) -> None:
        """Let each config ask for the first member of its group; that one itself has nobody to ask for."""
        for config in configs if self._first else ():
            first = self.first(config.path)
            if first is not None:
                config.peer = partial(self._read, first)

    def _read(self, path: str) -> Config | None:
        """Return the config whose root is the file; None where the file is none's, or part of one that was named."""
        if path not in self._known:
            unit = self._units[path]
            found = [] if unit.ordered else dialect(unit.dialect).read(unit.paths, self._files)
            self._known[path] = next((config for config in found if config.path == path), None)
        return self._known[path]


def _keys(name: str, path: str) -> Iterator[Key]:
    parts = path.split("/")
    for place, part in enumerate(parts[:-1]):
        found = _MEMBER.match(part)
        stem = "" if found is None else found[1] or found[2]
        if _BALANCERS.intersection(re.split(r"[^a-z]+", stem.lower())):
            yield name, place, "/".join([*parts[:place], stem, *parts[place + 1 :]])

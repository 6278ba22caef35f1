"""The Compose projects of a run: a balancer's config that one of their services mounts meets their names there.

Those of its ports that the service does not publish only the others of its project reach.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.files import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.dialects.containers import Containers
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import Files
    from lbcheck.model import Config

#: Projects beyond so many are not looked at.
_MOST = 1_000


class Surroundings:
    """Compose files of a run, read when the first config asks for them."""

    __slots__ = ("_files", "_mounts", "_paths")

    def __init__(self, paths: Sequence[str], files: Files) -> None:
        self._paths = paths[:_MOST]
        self._files = files
        #: (host path, project, service) of everything that is mounted.
        self._mounts: list[tuple[str, Containers, str]] | None = None

    def place(self, configs: Iterable[Config]) -> None:
        """Give each config that a service mounts the world of that service's project."""
        for config in configs if self._paths else ():
            if config.world is None:
                found = self._home(config)
                if found is not None:
                    from lbcheck.dialects.containers import note_published

                    config.world, config.home = found[0].world, found[1]
                    note_published(config.admins, found[0].by_name[found[1]])

    def _home(self, config: Config) -> tuple[Containers, str] | None:
        """Return the project and the service that mount the config's first file; None where it is not the only one."""
        if self._mounts is None:
            self._mounts = list(self._mounted())
        path = os.path.normpath(config.path)
        homes = {
            (id(project), name): (project, name)
            for place, project, name in self._mounts
            if path == place or path.startswith(place.rstrip("/") + "/")
        }
        return next(iter(homes.values())) if len(homes) == 1 else None

    def _mounted(self) -> Iterator[tuple[str, Containers, str]]:
        from lbcheck.dialects import composeoverride  # most runs have no Compose file

        overrides = composeoverride.overrides(self._paths)
        others = set(overrides.values())
        for path in self._paths:
            project = None if path in others else self._project(path, overrides.get(path))
            if project is None:
                continue
            for container in project.by_name.values():
                for mount in container.mounts:
                    place = os.path.join(os.path.dirname(path), mount.source)
                    yield os.path.normpath(place), project, container.name

    def _project(self, path: str, override: str | None) -> Containers | None:
        """Return the project of a Compose file, with the one that is merged into it; None where it says nothing."""
        from lbcheck.dialects import composefile, composemerge

        root = self._root(path)
        other = None if override is None else self._root(override)
        if root is None:
            return None
        return composefile.containers(root if other is None else composemerge.merged(root, other), root.source)

    def _root(self, path: str) -> Node | None:
        from lbcheck.dialects import yaml

        try:
            source = self._files.read(path)
        except UnreadableError:
            return None
        return next(iter(yaml.read(source).documents), None)

"""Load assignments: where the endpoints of a cluster of EDS come from, and which of them Envoy takes.

A file for a cluster has to hold one load assignment, of the name that the cluster asks for: Envoy refuses the update
otherwise, and the cluster stays empty (EdsClusterImpl::onConfigUpdate() in eds.cc).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.envoy.message import TEMPLATE, Message
from lbcheck.findings import Related
from lbcheck.paths import PathIndex
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.resources import Resources
    from lbcheck.model import Config

CONTROL_PLANE = "a control plane sends its endpoints (EDS)"


class Endpoints(NamedTuple):
    """The load assignment of a cluster, and why there is none.

    `open`: it is somewhere else. `refused`: Envoy takes none of what is there, with the places of it.
    """

    assignment: Message
    open: str | None = None
    refused: str | None = None
    related: tuple[Related, ...] = ()


class Assignments:
    """The load assignments of the files that are read, by their names and by the files."""

    __slots__ = ("_by_name", "_files", "_paths")

    def __init__(self, resources: Resources, config: Config) -> None:
        self._by_name = {one.word("cluster_name"): one for one in resources.assignments}
        self._files: dict[str, list[Message]] = {file.path: [] for file in config.files if file.text}
        for one in resources.assignments:
            if one.node is not None:
                self._files.setdefault(one.node.source.path, []).append(one)
        self._paths = PathIndex(self._files)

    def of(self, cluster: Message, name: str) -> Endpoints:
        """Return the endpoints of a cluster of EDS that is called so."""
        asked = cluster.message("eds_cluster_config")
        wanted = asked.word("service_name") or name
        path = source_path(asked.message("eds_config"))
        files = self._paths.nearest(os.path.basename(path), _origin(cluster)) if path else []
        if len(files) == 1:
            return _of_file(self._files[files[0]], wanted, os.path.basename(path))
        if wanted in self._by_name and (files or not path):
            return Endpoints(self._by_name[wanted])
        where = f"its endpoints come from the file {path}, which was not given" if path else CONTROL_PLANE
        return Endpoints(Message(None), "which file has its endpoints is not known" if files else where)


def source_path(source: Message) -> str:
    """Return the path of a ConfigSource that is a file; "" of any other."""
    return source.message("path_config_source").word("path") or source.word("path")


def _origin(cluster: Message) -> str:
    return "" if cluster.node is None else cluster.node.source.path


def _of_file(found: list[Message], wanted: str, file: str) -> Endpoints:
    """Return the endpoints of a file that is for a cluster which asks for this name."""
    if len(found) == 1 and found[0].word("cluster_name") == wanted:
        return Endpoints(found[0])
    names = [one.word("cluster_name") for one in found]
    if any(TEMPLATE.search(name) for name in (wanted, *names)):
        return Endpoints(Message(None), "a template decides its members")
    if not found:
        return Endpoints(Message(None), refused=f"{file} has no load assignment")
    places = tuple(
        Related(one.place("cluster_name") if "cluster_name" in one else one.span, "what the file has") for one in found
    )
    if len(found) > 1:
        problem = f"{file} has {counted(len(found), 'load assignment')}, and Envoy takes a file with one alone"
    else:
        problem = f"{file} has the endpoints of {names[0] or 'no name'}, and Envoy takes those of {wanted} alone"
    return Endpoints(Message(None), refused=problem, related=places)

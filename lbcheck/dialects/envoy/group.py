"""Which files are one Envoy: a bootstrap and the resource files that it names, by the ends of their paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import judge, longlists, lower, shape
from lbcheck.dialects.envoy.eds import source_path
from lbcheck.dialects.envoy.message import STATEMENT, TEMPLATE, Message, first_line
from lbcheck.dialects.envoy.names import references
from lbcheck.dialects.envoy.resources import Resources
from lbcheck.dialects.yaml_nodes import blocks, duplicate_keys
from lbcheck.files import UnreadableError
from lbcheck.findings import WARNING, Hit, NotChecked, Related
from lbcheck.model import Config
from lbcheck.paths import PathIndex
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import Files
    from lbcheck.text import Span

#: Configuration sources of a bootstrap, and what comes from them.
_SOURCES = {"cds_config": "its clusters", "lds_config": "its listeners"}


class File:
    """One file: the document that Envoy reads, and those behind it, which it does not."""

    __slots__ = ("documents", "further", "hits", "path", "problem", "source")

    def __init__(self, path: str, files: Files) -> None:
        self.path = path
        self.documents: list[Node] = []
        self.further: list[Node] = []
        self.hits: list[Hit] = []
        self.problem: UnreadableError | None = None
        try:
            self.source = files.read(path)
        except UnreadableError as error:
            self.source = Source(path, "")
            self.problem = error
            return
        stream = longlists.read(self.source)
        self.documents, self.further, self.hits = stream.documents[:1], stream.documents[1:], stream.hits

    @property
    def root(self) -> bool:
        """Whether it holds a bootstrap."""
        from lbcheck.dialects.envoy.resources import is_bootstrap

        return any(is_bootstrap(document) for document in self.documents)


def configs(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn files into configs: one for each bootstrap with what it names, one for each file that none names."""
    read = {path: File(path, files) for path in dict.fromkeys(paths)}
    index = PathIndex(read)
    named: set[str] = set()
    groups = []
    for path, file in read.items():
        if file.root:
            members = _members(path, read, index)
            named.update(members[1:])
            groups.append(members)
    groups += [[path] for path, file in read.items() if not file.root and path not in named]
    order = {path: number for number, path in enumerate(read)}
    return [_config([read[path] for path in group]) for group in sorted(groups, key=lambda group: order[group[0]])]


def _members(path: str, read: dict[str, File], index: PathIndex) -> list[str]:
    """Return a bootstrap's file and those that it names, and those that they name in turn."""
    found = [path]
    for one in found:
        for reference in references(read[one].source):
            for other in index.nearest(os.path.basename(reference), one):
                if other not in found and not read[other].root:
                    found.append(other)
    return found


def _config(members: list[File]) -> Config:
    first = members[0]
    config = Config("envoy", first.path, [file.source for file in members])
    documents = [document for file in members for document in file.documents]
    config.blocks = lambda: blocks(documents)
    resources = Resources()
    config.tree = resources
    for file in members:
        _take(file, resources, config)
    if not resources.bootstraps and config.open is None:
        config.open = "resources of an Envoy whose bootstrap was not seen"
    _sources(resources, members, config)
    shape.check(resources, config)
    lower.lower(resources, config)
    judge.judge(resources, config)
    return config


def _take(file: File, resources: Resources, config: Config) -> None:
    """Sort a file's documents in, and take over what is wrong with its text."""
    nowhere = file.source.span(0, 0)
    if file.problem is not None and file.problem.code is None:
        config.unmodelled.append(NotChecked(nowhere, file.problem.reason))
        config.open = "a file of it was not read"
    elif file.problem is not None:
        args = {"problem": f"{file.path} cannot be read: {file.problem.reason}", "advice": "name a readable file"}
        config.hits.append(Hit(file.problem.code or "E03", nowhere, args))
    for hit in file.hits:
        _note(hit, config)
    resources.documents += [*file.documents, *file.further]
    for document in file.further:
        config.unmodelled.append(NotChecked(first_line(document), "Envoy reads the first document of a file alone"))
    found = [resources.take(document) for document in file.documents if document.end > document.start]
    for document in file.documents:
        _repeated(document, config)
    if not any(found) and not file.hits and file.problem is None:
        problem = "there is no bootstrap and no resource of Envoy in this file"
        args = {"problem": problem, "advice": "begin with static_resources, dynamic_resources or resources"}
        config.hits.append(Hit("E01", file.source.span(0, min(1, len(file.source.text))), args))


def _note(hit: Hit, config: Config) -> None:
    """Take over a finding about the text; what a template engine has yet to fill in is not wrong."""
    source = hit.span.source
    if hit.code == "E01" and (TEMPLATE.search(source.line(hit.span.line)) or STATEMENT.search(source.text)):
        config.open = "a template that has yet to be filled in"
        config.unmodelled.append(NotChecked(hit.span, config.open))
    else:
        config.hits.append(hit)


def _repeated(document: Node, config: Config) -> None:
    for first, second in duplicate_keys(document):
        args = {
            "problem": f"the key {second.span.text[:60]} stands here twice, and Envoy takes the last",
            "advice": "keep one of them",
        }
        related = [Related(first.span, "the first one is here")]
        config.hits.append(Hit("E10", second.span, args, severity=WARNING, related=related))


def _sources(resources: Resources, members: list[File], config: Config) -> None:
    """Say which resources come from where nobody looked: a control plane, or a file that was not given."""
    index = PathIndex(file.path for file in members)
    for bootstrap in resources.bootstraps:
        dynamic = bootstrap.message("dynamic_resources")
        for name, what in _SOURCES.items():
            if name not in dynamic:
                continue
            path = source_path(dynamic.message(name))
            if path and index.ending(os.path.basename(path)):
                continue
            where = f"the file {path}, which was not given" if path else "a control plane"
            reason = f"{what} come from {where}"
            config.unmodelled.append(NotChecked(_place(dynamic, name), reason))
            config.open = config.open or reason


def _place(message: Message, name: str) -> Span:
    return message.fields[name][0].span

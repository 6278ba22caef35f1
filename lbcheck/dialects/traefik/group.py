"""Which files are one configuration: a static file with the dynamic ones that it names, or dynamic ones alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import composefile, composemerge, composeoverride
from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik import labels
from lbcheck.dialects.traefik.document import Document
from lbcheck.dialects.traefik.entries import names
from lbcheck.dialects.traefik.values import TEMPLATE
from lbcheck.dialects.yaml_nodes import MappingNode
from lbcheck.findings import NotChecked
from lbcheck.paths import PathIndex
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.containers import Container, Containers
    from lbcheck.dialects.traefik.labels import Labelled

#: Where Traefik looks for its static file; the image's working folder is the root.
_LOOKED_AT = pattern(r"(?:/etc/traefik|/[\w./-]*\.config)?/traefik\.(?:toml|ya?ml)\Z")
#: What the file provider reads in a directory.
SUFFIXES = (".toml", ".yaml", ".yml")


class Project(NamedTuple):
    """A Compose project with Traefik in it: its file, its containers, and the one that runs Traefik, if one does.

    `documents` are its files as they are written, the one that Compose merges into the first among them; `document` is
    what they come to.
    """

    document: Document
    documents: tuple[Document, ...]
    containers: Containers
    proxy: Container | None
    labelled: Labelled


class Group(NamedTuple):
    """The files of one configuration. `complete`: these are all files that its file provider reads."""

    static: Document | None
    dynamic: tuple[Document, ...]
    complete: bool
    project: Project | None = None


def groups(documents: Sequence[Document]) -> Iterator[Group]:
    """Yield the configurations that the files make, in order of their first file."""
    files = [document for document in documents if composefile.recognises(document.source)]
    documents = [document for document in documents if document not in files]
    written = _written(files)
    composed = list(written)
    alone = list(composed)
    for group in _groups(documents):
        found = [one for one in composed if _belongs(one, group)] if group.static is not None else []
        if not found:
            yield group
        for one in found:  # several where projects for production and for a laptop mount the same file
            if one in alone:
                alone.remove(one)
                yield _with_labels(one, group, written[one])
    for one in alone:
        yield _with_labels(one, None, written[one])


def _written(files: Sequence[Document]) -> dict[Document, tuple[Document, ...]]:
    """Return by each project's document the files in which it is written: its own, and one that is merged into it."""
    by_path = {document.path: document for document in files}
    overrides = composeoverride.overrides(by_path)
    others = set(overrides.values())
    found: dict[Document, tuple[Document, ...]] = {}
    for document in files:
        other = by_path.get(overrides.get(document.path, ""))
        if other is not None:
            found[_merged(document, other)] = (document, other)
        elif document.path not in others:
            found[document] = (document,)
    return found


def _merged(own: Document, other: Document) -> Document:
    """Return what two Compose files come to; what is wrong with their texts stays with each."""
    made = Document(own.source)
    roots = [document.root for document in (own, other) if document.root is not None]
    node = composemerge.merged(*roots) if len(roots) > 1 else next(iter(roots), None)
    if isinstance(node, MappingNode):
        made.root, made.fields = node, f.of(node)
    return made


def mounted(composed: Document) -> list[str]:
    """Return the files and folders of the host that a Compose file mounts into Traefik."""
    folder = os.path.dirname(composed.path)
    sources = [mount.source for one in _proxies(composed) for mount in one.mounts]
    return [os.path.normpath(os.path.join(folder, source)) for source in sources]


def mentions(composed: Document) -> Iterator[str]:
    """Yield the configurations that a Compose file may mount into Traefik, as paths and patterns."""
    for place in mounted(composed):
        if place.endswith(SUFFIXES):
            yield place
        elif not os.path.splitext(place)[1]:
            yield from (f"{place}/*{suffix}" for suffix in SUFFIXES)


def _proxies(composed: Document) -> list[Container]:
    if composed.root is None:
        return []
    project = composefile.containers(composed.root, composed.source)
    return [one for one in project.by_name.values() if labels.is_traefik(one)]


def _belongs(composed: Document, group: Group) -> bool:
    """Say whether a Compose file mounts a static file where Traefik reads it, or lies beside it with Traefik in it."""
    if group.static is None:
        return False
    proxies = _proxies(composed)
    folder = os.path.dirname(composed.path)
    path = os.path.normpath(group.static.path)
    if any(_reads(proxy, path, folder) for proxy in proxies):
        return True
    alone = len(proxies) == 1 and labels.static(proxies[0], composed.source) is None
    return alone and os.path.dirname(path) == folder


def _reads(proxy: Container, path: str, folder: str) -> bool:
    """Say whether a container has a file of the host where its Traefik looks for a static one.

    That is where --configFile says, or one of a few places (cmd/traefik, pkg/cli/loader_file.go). Where no argument
    says anything, something else may tell it.
    """
    named = {one.value.partition("=")[2] for one in proxy.arguments if one.value.lower().startswith("--configfile=")}
    for mount in proxy.mounts:
        place = os.path.normpath(os.path.join(folder, mount.source))
        if path == place or path.startswith(place.rstrip("/") + "/"):
            inside = os.path.normpath(mount.target + path[len(place) :])
            if inside in named or (not named and (not proxy.arguments or _LOOKED_AT.match(inside))):
                return True
    return False


def _with_labels(composed: Document, group: Group | None, written: tuple[Document, ...]) -> Group:
    """Return the configuration of a Compose file's labels, with the files that belong to it."""
    root = composed.root or MappingNode(composed.source, 0, 0, None)
    containers = composefile.containers(root, composed.source)
    proxies = [one for one in containers.by_name.values() if labels.is_traefik(one)]
    proxy = proxies[0] if len(proxies) == 1 else None
    static = group.static if group is not None else None
    if static is None and proxy is not None:
        static = labels.static(proxy, composed.source)
    labelled = labels.dynamic(containers, labels.provider(static))
    dynamic = group.dynamic if group is not None else ()
    # other projects on the host are read as well, so what is not here may be there
    project = Project(composed, written, containers, proxy, labelled)
    return Group(static, (labelled.document, *dynamic), complete=False, project=project)


def _groups(documents: Sequence[Document]) -> Iterator[Group]:
    statics = [document for document in documents if document.static]
    taken: set[str] = set()
    for static in statics:
        others = [document for document in documents if document is not static and not document.static]
        named, complete = _named(static, others)
        own = (static,) if static.dynamic and _reads_itself(static) else ()
        if static.dynamic and not own:
            static.unmodelled.append(
                NotChecked(static.source.span(0, 0), "Traefik takes no routers from its static file")
            )
        taken.add(static.path)
        taken.update(document.path for document in named)
        yield Group(static, (*own, *named), complete or (bool(own) and static.open is None))
    left: dict[str, list[Document]] = {}
    for document in documents:
        if document.path not in taken:
            left.setdefault(os.path.dirname(document.path), []).append(document)
    for alike in left.values():
        for together in _compatible(alike):
            yield Group(None, tuple(together), complete=False)


def references(document: Document) -> list[str]:
    """Return the paths and patterns of the files that a static file's file provider reads."""
    file = f.inside(document.fields, "providers", "file")
    directory, filename = f.text(file, "directory"), f.text(file, "filename")
    if directory is not None:
        return [os.path.join(os.path.normpath(directory.value), f"*{suffix}") for suffix in SUFFIXES]
    return [filename.value] if filename is not None else []


def _reads_itself(static: Document) -> bool:
    """Say whether a static file names itself as the file provider's; a template's name may be its own."""
    name = os.path.basename(static.path)
    return any(os.path.basename(path) == name or TEMPLATE.search(path) for path in references(static))


def _named(static: Document, others: Sequence[Document]) -> tuple[list[Document], bool]:
    """Return the dynamic files that a static one names; and whether all that it names was found.

    The path is one of the server. A directory here counts that ends as it does, or at least bears its last name; where
    several do alike, as those of scenarios and environments, any of them may be meant, and none is taken.
    """
    by_path = {document.path: document for document in others}
    patterns = references(static)
    if not patterns:
        return [], bool(f.inside(static.fields, "providers")) and "file" not in f.inside(static.fields, "providers")
    index = PathIndex(by_path)
    found: dict[str, Document] = {}
    for wanted in patterns:
        parts = [part for part in wanted.split("/") if part not in ("", ".", "..")]
        for start in range(max(len(parts) - (1 if len(patterns) == 1 else 2), 0) + 1):
            near = index.nearest("/".join(parts[start:]), static.path)
            if near:
                if len({os.path.dirname(path) for path in near}) == 1:
                    found.update((path, by_path[path]) for path in near)
                break
    return [found[path] for path in sorted(found)], bool(found) and all(
        document.open is None for document in found.values()
    )


def _compatible(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Yield the files of one folder as one where no two define the same, else each alone: they are alternatives."""
    seen: set[tuple[str, str, str]] = set()
    for document in documents:
        own = names(document)
        if not seen.isdisjoint(own):
            yield from ([one] for one in documents)
            return
        seen |= own
    yield list(documents)

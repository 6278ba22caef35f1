"""The two versions that a diff compares: two paths, or two git revisions, or a revision and the working tree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.discovery import PathMissingError, roots
from lbcheck.files import GitError
from lbcheck.git import merge_base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.files import FileTree
    from lbcheck.project import Request
    from lbcheck.revisions import Repository


class Side(NamedTuple):
    """One version: what to read, and the folder below which its paths are the other version's.

    `alone` is the file that is all of it, whatever it is called.
    """

    request: Request
    base: str = "."
    alone: str | None = None


class Range(NamedTuple):
    """What `--git` names: the older revision, the newer one (None: the working tree), and paths."""

    base: str
    head: str | None
    paths: tuple[str, ...]


def of_paths(old: str, new: str, request: Request) -> tuple[Side, Side]:
    """Return the versions that two files or folders are. `request` says how to read either, whatever its paths are.

    "-" is the request's standard input, and /dev/null holds nothing.
    """
    alone = not (os.path.isdir(old) or os.path.isdir(new))
    bases = (_base(old), _base(new))
    groups = [[_member(path, bases) for path in group] for group in request.together]
    whole = [[path for path in group if path is not None] for group in groups if None not in group]
    before, after = (
        Side(
            request._replace(paths=_named(path), together=_there(base, whole)),
            base,
            _shown(path, request) if alone else None,
        )
        for path, base in zip((old, new), bases, strict=True)
    )
    return before, after


def _named(path: str) -> tuple[str, ...]:
    return () if path == os.devnull else (path,)


def _shown(path: str, request: Request) -> str:
    return request.stdin_name if path == "-" else os.path.normpath(path)


def _base(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def _member(path: str, bases: Sequence[str]) -> str | None:
    """Return a path as seen from the version that it lies in; None where it lies in neither."""
    for base in reversed(bases):
        inside = os.path.relpath(path, base)
        if not inside.startswith("../"):
            return inside
    return None


def _there(base: str, groups: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the files that make one config together, as far as they are in the version below `base`."""
    found = ([os.path.join(base, name) for name in group] for group in groups)
    return tuple(filter(None, (tuple(filter(os.path.lexists, group)) for group in found)))


def in_range(repository: Repository, words: Sequence[str]) -> Range:
    """Return what the words after `--git` name: BASE [HEAD] [PATHS…], or BASE..HEAD, or BASE...HEAD, and paths.

    A word that names a revision is one, else it is a path, as git has it; three dots mean the revision where the two
    parted. Raises GitError where the first one names none.
    """
    first, *rest = words
    if "..." in first:
        one, _, other = first.partition("...")
        base = merge_base(repository.folder, one or "HEAD", other or "HEAD")
        if base is None:
            raise GitError(f"{first}: no such revisions, or they have nothing in common")
        return Range(base, other or "HEAD", tuple(rest))
    if ".." in first:
        one, _, other = first.partition("..")
        return Range(one or "HEAD", other or "HEAD", tuple(rest))
    if rest and repository.is_revision(rest[0]):
        return Range(first, rest[0], tuple(rest[1:]))
    return Range(first, None, tuple(rest))


def of_revisions(repository: Repository, named: Range, request: Request) -> tuple[Side, Side]:
    """Return the versions that `--git` names. `request` says how to read either.

    Raises GitError, and PathMissingError for a path that neither version has.
    """
    paths = named.paths or (".",)
    old: FileTree = repository.files(named.base, request.root)
    new: FileTree
    if named.head is None:
        new = repository.working_files(roots(paths), request.root)
    else:
        new = repository.files(named.head, request.root)
    for path in paths:
        if not old.exists(path) and not new.exists(path):
            raise PathMissingError(path)
    return _revision(old, paths, request), _revision(new, paths, request)


def _revision(files: FileTree, paths: Sequence[str], request: Request) -> Side:
    groups = (tuple(path for path in group if files.exists(path)) for group in request.together)
    there = tuple(path for path in paths if files.exists(path))
    return Side(request._replace(files=files, paths=there, together=tuple(filter(None, groups))))

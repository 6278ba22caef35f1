"""Which files are one config: those of a `conf.d` or `*.d` folder, and those of a folder of numbered files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.text import Source


def groups(paths: Sequence[str]) -> list[list[str]]:
    """Split files into configs, in the order of their first files.

    The files of a folder are one config, in lexical order, if the folder is called `conf.d` or `*.d` or if every
    .cfg name in it begins with a digit; a `haproxy.cfg` beside such a folder comes first (Debian's and the
    packages' service files start `haproxy -f haproxy.cfg -f conf.d`). Every other file is a config of its own.
    """
    folders: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        folders.setdefault(os.path.dirname(path), []).append(path)
    joined = {folder: sorted(found) for folder, found in folders.items() if _is_one(folder, found)}
    heads = {}
    for folder in joined:
        head = os.path.join(os.path.dirname(folder), "haproxy.cfg")
        if folder.endswith(".d") and head in folders.get(os.path.dirname(folder), ()):
            heads[head] = folder
    result: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        folder = heads.get(path, os.path.dirname(path))
        if folder in joined:
            first = [head for head, owner in heads.items() if owner == folder]
            result.setdefault(folder + "/", [*first, *joined[folder]])
        else:
            result.setdefault(path, [path])
    return list(result.values())


def neighbourhood(source: Source) -> str:
    """Return the folder in which the files of a config lie, that of `haproxy.cfg` for a folder `conf.d` beside it."""
    folder = os.path.dirname(source.path)
    return os.path.dirname(folder) if folder.endswith(".d") else folder


def _is_one(folder: str, found: Sequence[str]) -> bool:
    if os.path.basename(folder).endswith(".d"):
        return True
    names = [os.path.basename(path) for path in found]
    return len(found) > 1 and all(name[:1].isdigit() for name in names if name.endswith(".cfg"))

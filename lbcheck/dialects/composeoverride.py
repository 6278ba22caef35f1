"""The file that `docker compose up` merges into a project's own one, by their names (compose-go, cli/options.go).

Of a folder Compose takes the first file of `DEFAULTS` that is there, and with it the first of `OVERRIDES`, whichever
way either is spelled.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.findings import NotChecked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.files import Files
    from lbcheck.text import Source

#: What Compose looks for, in this order.
DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


def is_override(path: str) -> bool:
    """Say whether a file is called as one that is merged into another."""
    return os.path.basename(path) in OVERRIDES


def overrides(paths: Iterable[str]) -> dict[str, str]:
    """Return by each project's own file among the paths the one that is merged into it."""
    folders: dict[str, dict[str, str]] = {}
    for path in paths:
        folder, name = os.path.split(path)
        if name in DEFAULTS or name in OVERRIDES:
            folders.setdefault(folder, {})[name] = path
    found = {}
    for names in folders.values():
        own = next((names[name] for name in DEFAULTS if name in names), None)
        other = next((names[name] for name in OVERRIDES if name in names), None)
        if own is not None and other is not None:
            found[own] = other
    return found


def missed(source: Source, paths: Sequence[str], files: Files) -> Iterator[NotChecked]:
    """Yield what Compose would merge with a file and was not given: an override beside it, or what it overrides."""
    folder, name = os.path.split(source.path)
    if name not in DEFAULTS and name not in OVERRIDES:
        return
    beside = files.expand(os.path.join(folder, "*compose*.y*ml"))
    pairs = overrides({*map(os.path.normpath, beside), source.path})
    given = set(paths)
    for own, other in pairs.items():
        left = other if own == source.path else own if other == source.path else None
        if left is not None and left not in given:
            reason = f"docker compose merges it with {os.path.basename(left)}, which is not among the files"
            yield NotChecked(source.span(0, 0), reason)

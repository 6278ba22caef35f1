"""Traefik 2 and 3: static configuration and the file provider's dynamic one, in YAML and TOML."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source


def recognises(source: Source) -> bool:
    """Say whether the text is one of Traefik's files, by its sections."""
    from lbcheck.dialects.traefik import recognise

    return recognise.recognises(source)


def references(source: Source) -> list[str]:
    """Return the files that a static configuration's file provider reads, or that a Compose file gives to Traefik."""
    from lbcheck.dialects import composefile
    from lbcheck.dialects.traefik import document, group

    if composefile.recognises(source):
        return list(group.mentions(document.parse(source)))
    if "file" not in source.text.lower():
        return []
    return group.references(document.parse(source))


def neighbourhood(source: Source) -> str:
    """Return the file's folder: the dynamic files of one folder may be one configuration."""
    return os.path.dirname(source.path)


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn files that may belong together into configs; never raises."""
    from lbcheck.dialects.traefik import lower

    return lower.read(paths, files)


def __getattr__(name: str) -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    """Load the table of checks when it is asked for: reading a file needs none of them."""
    if name == "CHECKS":
        from lbcheck.dialects.traefik.checks import CHECKS as TABLE

        return TABLE
    raise AttributeError(name)

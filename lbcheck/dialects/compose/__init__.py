"""Docker Compose: no balancer itself, but the world in which a balancer's servers must exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {}


def recognises(source: Source) -> bool:
    """Say whether the text is a Compose file. One with Traefik's labels is a Traefik configuration first."""
    from lbcheck.dialects import composefile

    return composefile.recognises(source)


def references(_source: Source) -> list[str]:
    """Return no other files: what a service mounts is another balancer's configuration."""
    return []


def neighbourhood(source: Source) -> str | None:
    """Return the folder of a file that Compose merges with another one there; others are projects of their own."""
    import os

    from lbcheck.dialects import composeoverride

    folder, name = os.path.split(source.path)
    return folder if name in (*composeoverride.DEFAULTS, *composeoverride.OVERRIDES) else None


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn each file, with what Compose merges into it, into a config that holds its world; never raises."""
    from lbcheck.dialects import composeoverride
    from lbcheck.dialects.compose import lower

    overrides = composeoverride.overrides(paths)
    others = set(overrides.values())
    return [lower.read(path, files, overrides.get(path), paths) for path in paths if path not in others]

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


def neighbourhood(source: Source) -> None:
    """Each file is a project of its own."""
    del source


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn each file into a config that holds its world; never raises."""
    from lbcheck.dialects.compose import lower

    return [lower.read(path, files) for path in paths]

"""The dialects that lbcheck reads, by name. Each is a module with the functions of `Dialect`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source


class Dialect(Protocol):
    """What a dialect's package offers. Modules implement it.

    `CHECKS` maps rule codes to the checks that are about this dialect's own ways.
    """

    CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]]

    def recognises(self, source: Source) -> bool:
        """Say whether this text is of the dialect, by its content; cheap, and False for look-alikes."""

    def references(self, source: Source) -> list[str]:
        """Return the paths or patterns of other files that the text names, cheaply and rather too many."""

    def neighbourhood(self, source: Source) -> str | None:
        """Return the folder whose other files may belong to the same config; None where the text stands on its own."""

    def read(self, paths: Sequence[str], files: Files) -> list[Config]:
        """Turn files that belong together into configs. Bad input becomes hits and unmodelled spans; never raises."""


#: Module of each dialect; imported on use, for a run on nginx needs no YAML.
DIALECTS: dict[str, str] = {
    "nginx": "lbcheck.dialects.nginx",
    "haproxy": "lbcheck.dialects.haproxy",
    "envoy": "lbcheck.dialects.envoy",
    "traefik": "lbcheck.dialects.traefik",
    "compose": "lbcheck.dialects.compose",
    "kubernetes": "lbcheck.dialects.kubernetes",
    "native": "lbcheck.dialects.native",
}


def dialect(name: str) -> Dialect:
    """Return the dialect's module."""
    return cast("Dialect", import_module(DIALECTS[name]))

"""Kubernetes manifests: core objects, Ingress, Gateway API and Istio, which need each other's objects.

All manifests of a run are one world, and so one config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.recognise import recognises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source

__all__ = ["neighbourhood", "read", "recognises", "references"]


def references(_source: Source) -> list[str]:
    """Return no other files: the run's manifests are read together anyway."""
    return []


def neighbourhood(_source: Source) -> str:
    """All manifests of a run belong together, wherever they lie."""
    return ""


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn all manifests into one config; never raises."""
    from lbcheck.dialects.kubernetes import lower

    return [lower.read(paths, files)]


def __getattr__(name: str) -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    """Load the table of checks when it is asked for: telling a manifest needs none of them."""
    if name == "CHECKS":
        from lbcheck.dialects.kubernetes.checks import CHECKS as TABLE

        return TABLE
    raise AttributeError(name)

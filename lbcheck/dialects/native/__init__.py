"""lbcheck's own YAML format (`lbcheck: v1`), for balancers that are none of the others. docs/native.md shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {}

#: The mark at the start of a line; a CI job of that name has no version behind it.
_MARK = pattern(r"""^(?:lbcheck|"lbcheck"|'lbcheck')[ \t]*:[ \t]+["']?v?[0-9]""", re.MULTILINE)
_JSON_MARK = pattern(r'"lbcheck"\s*:\s*"v?[0-9]')
_JSON_START = pattern(r"\ufeff?\s*\{")


def recognises(source: Source) -> bool:
    """Say whether the text has `lbcheck: v1` at its top level."""
    text = source.text
    if "lbcheck" not in text:
        return False
    if _MARK.search(text.removeprefix("\ufeff")):
        return True
    if not _JSON_START.match(text) or not _JSON_MARK.search(text):
        return False
    from lbcheck.dialects.native import lower

    return lower.marked(source)


def references(_source: Source) -> list[str]:
    """Return no other files: each file is whole."""
    return []


def neighbourhood(source: Source) -> None:
    """Each file is a config of its own."""
    del source


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn each file into a config; never raises."""
    from lbcheck.dialects.native import lower

    return [lower.read(path, files) for path in paths]

"""Regular expressions that are compiled when they are first used.

A run on a small file needs few of ours, and compiling all of them takes longer than checking the file. What every
run needs (the lexers' own) is compiled as usual.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _OnUse:
    """A pattern until somebody uses it; from then on its methods are attributes, as quick as the compiled one's."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        method = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, method)
        return method


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what re.compile(text, flags) returns, compiled on use."""
    return cast("re.Pattern[str]", _OnUse(text, flags))

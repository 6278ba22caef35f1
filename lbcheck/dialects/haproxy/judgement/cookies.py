"""What haproxy refuses in `cookie` lines (src/cfgparse-listen.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import guess
from lbcheck.dialects.haproxy.judgement.times import check_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.judgement.times import Found
    from lbcheck.dialects.haproxy.tree import Line

_COOKIE_FLAGS = frozenset(
    {"rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic"}
)
_COOKIE_VALUES = frozenset({"domain", "maxidle", "maxlife", "attr"})
_COOKIE_TIMES = frozenset({"maxidle", "maxlife"})


def cookie(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `cookie` line."""
    if not line.word(1):
        yield "E08", 0, 0, "'cookie' needs the name of a cookie", "write 'cookie NAME insert indirect nocache'"
        return
    words = line.words
    index = 2
    while index < len(words):
        word = words[index]
        if word in _COOKIE_VALUES:
            if not line.word(index + 1):
                yield "E08", index, index, f"'{word}' needs a value", f"write '{word} VALUE', or take it out"
            elif word in _COOKIE_TIMES:
                yield from check_time(line, index + 1, word, "s")
            index += 1
        elif word not in _COOKIE_FLAGS:
            if word:
                meant = guess(word, sorted(_COOKIE_FLAGS | _COOKIE_VALUES))
                yield (
                    "E09",
                    index,
                    index,
                    f"'cookie' has no '{word}'",
                    f"did you mean '{meant}'?" if meant else "take it out",
                )
            return
        index += 1
    yield from _cookie_modes(line)


def _cookie_modes(line: Line) -> Iterator[Found]:
    words = line.words[2:]
    modes = [word for word in ("rewrite", "insert", "prefix") if word in words]
    if len(modes) > 1:
        yield "E14", 0, len(line.words) - 1, f"'{modes[0]}' and '{modes[1]}' exclude each other", "keep one of them"
    elif "rewrite" in words and "indirect" in words:
        yield "E14", 0, len(line.words) - 1, "'rewrite' and 'indirect' exclude each other", "keep one of them"
    elif "preserve" in words and "insert" not in words and "indirect" not in words:
        yield "E14", 0, len(line.words) - 1, "'preserve' goes with 'insert' or 'indirect' only", "add 'insert'"

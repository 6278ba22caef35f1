"""Text for a pull request's comment in which nothing that a config says can become markup, a link or a mention.

Names and everything that is not a plain word stand in code spans: there neither Markdown nor the code hosts' own
references (@user, #1, !2, ~label, commit hashes, addresses) mean anything. A backtick or a vertical bar inside is
written out, so that neither a span nor a table's cell can end early.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.report.pictures.words import cut, plain, told
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.results import Note

#: GitHub takes comments of 65,536 characters; a workflow may want to write something beside ours.
LIMIT = 60_000
#: What is kept for the closing words, in bytes.
_RESERVE = 1_500
_NAME_ROOM = 48
_BAR = 10
#: A word, a number or a sign that means nothing in Markdown wherever it stands within a line.
_WORD = re.compile(r"\(?[A-Za-z]+(?:['-][A-Za-z]+)*[),.:;?]*|[+−±]?\d+(?:[.,]\d+)*[),.:;]*|%[),.:;]*|[×→·?–±]")
#: A word, or what a message quotes in backticks.
_PART = re.compile(r"\(?`[^`\s][^`]*`[),.:;?]*(?!\S)|\S+")
_QUOTED = re.compile(r"(\(?)`([^`]*)`([),.:;?]*)")
#: What could be the short hash of a commit.
_HASH = re.compile(r"[0-9a-f]{7,}")


def code(text: str, room: int = _NAME_ROOM) -> str:
    """Return a name as a code span, at most so many columns of it."""
    shown = cut(plain(text), room).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{shown}`" if shown.strip() else "(no name)"


def prose(text: str) -> str:
    """Return a sentence in which every word that could mean something to Markdown is a code span.

    What stands in backticks is one code span.
    """
    return " ".join(map(_harmless, _PART.findall(told(text))))


def _harmless(word: str) -> str:
    quoted = _QUOTED.fullmatch(word)
    if quoted:
        return f"{quoted[1]}{code(quoted[2], 80)}{quoted[3]}"
    if _WORD.fullmatch(word) and not _HASH.search(word):
        return word
    start = "(" if word.startswith("(") and len(word) > 1 else ""
    inner = word[len(start) :]
    core = inner.rstrip("),.:;?")
    if not core and len(word) < 3:
        return word
    core = core or inner
    return f"{start}{code(core, 80)}{inner[len(core) :]}"


def number(text: str) -> str:
    """Return a share or a mark of ours for a cell: only "<" and ">" mean something."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def bar(share: float | None, scale: float) -> str:
    """Return a share as ten blocks."""
    if share is None:
        return "?"
    full = min(_BAR, round(share / scale * _BAR))
    return "▓" * full + "░" * (_BAR - full)


def row(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |\n"


class Comment:
    """Collects blocks as long as they fit; `left_out` counts the ones that did not."""

    def __init__(self, head: str) -> None:
        self._parts = [head]
        self._size = len(head.encode("utf-8"))
        self.left_out = 0

    def add(self, block: str, opening: str = "") -> bool:
        """Take in a block, and what has to stand before it, if they fit; after one that did not, no other does."""
        size = len((opening + block).encode("utf-8"))
        if self.left_out or self._size + size > LIMIT - _RESERVE:
            self.left_out += 1
            return False
        self._parts.append(opening + block)
        self._size += size
        return True

    def text(self, closing: str = "") -> str:
        """Return everything, with the closing words."""
        return "".join([*self._parts, closing])


def unread(notes: Sequence[Note], side: str = "") -> str:
    """Say how much was not understood or may not be read, on one side of a diff."""
    if not notes:
        return ""
    return f"\n{f'{side}, not' if side else 'Not'} checked: {counted(len(notes), 'place')}.\n"

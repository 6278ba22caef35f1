"""Names and numbers as every picture shows them: inert, short, and never rounder than they are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category

from lbcheck.report.escape import escape
from lbcheck.report.excerpt import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Longest name that any picture holds, in characters: a name of 10,000 is cut in the middle.
LONGEST = 160
#: Longest sentence that holds names: a reason, a finding's message.
SENTENCE = 600
#: So many combining characters on one letter are writing; more are a tower over the lines above.
_MARKS = 2
_CUT = "…"
#: What stands for a number that is not known.
UNKNOWN_SHARE = "?"


def plain(text: str, longest: int = LONGEST) -> str:
    """Return text for people: nothing invisible in it, nothing that leaves its line, at most so many characters."""
    if len(text) > longest:
        text = _middle(text, longest)
    shown = escape(text)
    if not shown.isascii():
        shown = "".join(_tamed(shown))
    return shown if len(shown) <= longest else _middle(shown, longest)


def told(text: str) -> str:
    """Return a sentence that may hold names, as `plain` does."""
    return plain(text, SENTENCE)


def _middle(text: str, length: int) -> str:
    head = length // 2
    return f"{text[:head]}{_CUT}{text[len(text) - (length - head - 1) :]}"


def _tamed(text: str) -> list[str]:
    """Write out what fonts draw outside of its cell: towers of accents, and ligatures as long as a sentence."""
    forms = []
    marks = 0
    for char in text:
        marks = marks + 1 if category(char) in {"Mn", "Me"} else 0
        wide = "\ufdf0" <= char <= "\ufdff" or "\U00012000" <= char <= "\U0001254f" or char in "\u102a\ua9c5"
        forms.append(f"\\u{ord(char):04x}" if marks > _MARKS or wide else char)
    return forms


def cut(text: str, room: int) -> str:
    """Return text in at most `room` columns, its middle left out where it is longer."""
    if columns(text) <= room:
        return text
    head, tail = (room - 1) - (room - 1) // 2, (room - 1) // 2
    return f"{_start(text, head)}{_CUT}{_start(text[::-1], tail)[::-1]}" if room > 1 else _CUT[:room]


def _start(text: str, room: int) -> str:
    used = 0
    for number, char in enumerate(text):
        used += columns(char)
        if used > room:
            return text[:number]
    return text


def wrapped(text: str, room: int, lines: int) -> list[str]:
    """Return text in at most `lines` lines of `room` columns, broken at blanks; what is left over is cut."""
    found: list[str] = []
    line = ""
    words = text.split()
    while words:
        word = words.pop(0)
        longer = f"{line} {word}" if line else word
        if columns(longer) <= room:
            line = longer
        elif len(found) == lines - 1:
            return [*found, cut(" ".join([longer, *words]), room)]
        elif not line:
            head = _start(word, room) or word[0]
            found.append(head)
            words.insert(0, word[len(head) :])
        else:
            found.append(line)
            line = word
            if columns(word) > room:
                line = ""
                words.insert(0, word)
    return [*found, line] if line else found


def percent(share: float | None) -> str:
    """Return a share as people say it: "83.3 %", "0.45 %", "?"; only nothing is "0 %" and only all is "100 %"."""
    if share is None:
        return UNKNOWN_SHARE
    number = share * 100
    if number <= 0:
        return "0 %"
    if number < 0.001:
        return "< 0.001 %"
    if number < 1:
        return f"{number:.2g} %"
    if number < 100 and round(number, 1) >= 100:
        return "> 99.9 %"
    return f"{number:.1f} %".replace(".0 %", " %")


def spread(low: float | None, high: float | None) -> str:
    """Return "0.5 %" or, where the ends differ as shown, "0.41–0.62 %"."""
    least, most = percent(low), percent(high)
    return most if least == most or low is None else f"{least.removesuffix(' %')}–{most}"


def points(difference: float) -> str:
    """Return how many percentage points a share grew or shrank: "+8.3", "−50" (with a minus sign), "±0"."""
    size = abs(difference) * 100
    if size < 0.001:
        return "±0"
    number = f"{size:.2g}" if size < 1 else f"{size:.1f}".removesuffix(".0")
    return f"{'−' if difference < 0 else '+'}{number}"


def times(ratio: float) -> str:
    """Return a ratio in two digits: "2.5 ×", "120 ×", "0.02 ×"."""
    number = f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
    return f"{number} ×"


def amount(number: float) -> str:
    """Return a load or a capacity: "180", "1,250", "0.5"."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def sentence(text: str) -> str:
    """Return text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def named(names: Sequence[str], room: int) -> str:
    """Return as many names as fit into `room` columns, and how many more there are: "a, b and 10 more"."""
    kept = list(names)
    while True:
        more = len(names) - len(kept)
        tail = f" and {more:,} more" if more else ""
        text = ", ".join(kept) + tail
        if columns(text) <= room or len(kept) <= 1:
            return cut(text, room)
        kept = kept[: min(len(kept) - 1, max(1, room // 2))]

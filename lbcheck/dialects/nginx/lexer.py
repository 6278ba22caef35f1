"""nginx's tokens with exact places, cut as `ngx_conf_read_token` in src/core/ngx_conf_file.c cuts them.

A word ends at a blank, `;` or `{`; a brace after `$` belongs to the word (`${name}`), a brace that closes does so at
the start of a word only. Quotes quote only at the start of a word, and a blank, `;`, `{` or `)` must follow them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

#: One token; blanks before it are skipped. Groups: 1 comment, 2 punctuation, 3 double-quoted, 4 single-quoted, 5 word.
TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (\#[^\n]*)
      | ([;{}])
      | "((?:[^"\\]|\\[\s\S])*+)"
      | '((?:[^'\\]|\\[\s\S])*+)'
      | ((?:[^ \t\r\n;{}\\$\#"']|\\[\s\S]|\$\{*)(?:[^ \t\r\n;{\\$]|\\[\s\S]|\$\{*)*+)
    )""",
    re.VERBOSE,
)
_ESCAPE = pattern(r"""\\(["'\\trn])""")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


def unescape(text: str) -> str:
    r"""Return a word's value: `\"`, `\'`, `\\`, `\t`, `\r` and `\n` are resolved, other backslashes stay."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)


def words(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, value) of each word in text[start:end], quotes included in the range; comments are skipped."""
    at = start
    while at < end:
        match = TOKEN.match(text, at, end)
        if match is None:
            return
        group = match.lastindex or 0
        at = match.end()
        if group >= 3:
            first = match.start(group) - (group < 5)
            yield first, at, unescape(match[group])
        elif group == 2:
            return

"""What configs and file names hold is untrusted: no character of theirs may steer a terminal or a CI system."""

from __future__ import annotations

import re

from lbcheck.patterns import pattern

#: Printable by their category, yet without a glyph: a combining joiner and fillers of Hangul and Khmer.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
#: How Azure Pipelines, TeamCity and GitHub's first syntax begin a command, anywhere in a line of the log.
_COMMAND = pattern(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)
_SURROGATE = pattern("[\ud800-\udfff]")


def escape(text: str) -> str:
    r"""Return text for a terminal, everything that is not plainly visible written out.

    Control characters become `\x1b`, other invisible ones (bidirectional marks, zero-width characters, separators,
    no-break spaces) `\u202e` or `\U000e0001`, a byte that was not UTF-8 `\xff`. So the result has no line end
    and no tab. The start of a CI command such as `##[add-mask]` becomes `\x23#[`.
    """
    if text.isascii() and text.isprintable() and "##" not in text:
        return text
    return "".join(shown(text))


def shown(text: str) -> list[str]:
    """Return each character as `escape` writes it, for those who need to know which is which."""
    forms = [char if _visible(char) else _form(char) for char in text]
    if "##" in text:
        for match in _COMMAND.finditer(text):
            forms[match.start()] = r"\x23"
    return forms


def _visible(char: str) -> bool:
    return char.isprintable() and char not in _INVISIBLE


def _form(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a raw byte, as Python's surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown_path(path: str) -> str:
    """Return a path to begin a line with and to put `:` behind: escaped, and no start of GitHub's `::commands`."""
    shown = escape(path)
    return f"./{shown}" if shown.lstrip().startswith(":") else shown


def valid(text: str) -> str:
    r"""Return text that is valid Unicode: a lone surrogate becomes its name, `\udcff`, in six characters."""
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

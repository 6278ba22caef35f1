"""Sample expressions: which fetches and converters a line calls, and with what (`sample_parse_expr`, src/sample.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.tree import Line

#: Keywords whose lines hold expressions: in `%[…]`, in conditions, behind some actions.
KEYWORDS = words(
    """
    acl error-log-format force-persist http-after-response http-check http-request http-response ignore-persist
    log-format log-format-sd monitor redirect stick tcp-check tcp-request tcp-response unique-id-format use-server
    use_backend
    """
)
#: Of these, lines in which `%[` means nothing.
_LITERAL = words("acl force-persist ignore-persist monitor redirect stick")
#: Actions whose next word is an expression.
_ACTIONS = ("capture", "do-resolve(", "sc-set-gpt", "set-bc-", "set-dst", "set-fc-", "set-src", "set-var(", "track-sc")
_TCP = frozenset({"tcp-request", "tcp-response"})
#: `%[expression]`, with flags as `%{+Q}[expression]`.
_FORMAT = re.compile(r"%(?:\{[^}%]*+\})?\[([^]]*+)")
_CALL = re.compile(r"""([A-Za-z0-9_.+-]++)(?:\(((?:(?>"[^"]*+"|'[^']*+'|[^)"']++))*)\))?""")
_QUOTED = re.compile(r"""\\.|"[^"]*"|'[^']*'""")


class Call:
    """A fetch or a converter as it is called: the index of its word, its name, and its arguments as written."""

    __slots__ = ("arguments", "converter", "index", "name")

    def __init__(self, index: int, name: str, arguments: list[str], *, converter: bool) -> None:
        self.index = index
        self.name = name
        self.arguments = arguments
        self.converter = converter


def calls(line: Line) -> Iterator[Call]:
    """Yield the calls in a line whose keyword is among KEYWORDS, in the order of writing."""
    for index, word in enumerate(line.words):
        if _is_expression(line, index):
            yield from _chain(word, index)
        elif "%" in word and line.words[0] not in _LITERAL:
            for match in _FORMAT.finditer(word):
                yield from _chain(match[1].lstrip(), index)


def _is_expression(line: Line, index: int) -> bool:
    words = line.words
    keyword = words[0]
    if keyword in ("acl", "stick"):
        return index == 2 or words[index - 1] in ("{", "!{")
    if index and words[index - 1] in ("{", "!{"):
        return True
    action = 2 if keyword in _TCP else 1
    return index == action + 1 and words[action].startswith(_ACTIONS)


def _chain(text: str, index: int) -> Iterator[Call]:
    """Yield a fetch and the converters behind it: `req.hdr(host),lower,map(file)`."""
    at = 0
    while match := _CALL.match(text, at):
        yield Call(index, match[1], _arguments(match[2] or ""), converter=at > 0)
        at = match.end() + 1
        if text[at - 1 : at] != ",":
            return


def _arguments(text: str) -> list[str]:
    return [part.strip() for part in _QUOTED.sub("_", text).split(",")] if text else []

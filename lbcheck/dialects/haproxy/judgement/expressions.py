"""What haproxy refuses in ACL expressions: fetches that do not exist, arguments that are not closed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.heads import bad_character
from lbcheck.dialects.haproxy.judgement.said import guess, hit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

_FETCH = re.compile(r"[A-Za-z0-9_.+-]*")


def acl_line(line: Line, proxy: Proxy) -> Iterator[Hit]:
    """Yield what is refused in an `acl` line."""
    name = line.word(1)
    if not line.word(2):
        yield hit("E08", line.span, "'acl' needs a name and a test", "write 'acl NAME path_beg /x'", proxy=proxy)
        return
    if plain(line, 1) and (char := bad_character(name)):
        problem = f"the ACL name '{name}' has the character '{char}'"
        yield hit("E09", line.span_of(1), problem, "use letters, digits, '.', ':', '_' and '-' only", proxy=proxy)
    elif name in ("or", "||"):
        yield hit(
            "E09", line.span_of(1), f"an ACL named '{name}' can never be used", "give it another name", proxy=proxy
        )
    if plain(line, 2):
        yield from expression(line, 2, proxy)


def expression(line: Line, at: int, proxy: Proxy) -> Iterator[Hit]:
    """Yield what is refused in the test that begins at word `at`."""
    from lbcheck.dialects.haproxy.vocabulary import FETCHES

    text = line.words[at]
    name = _FETCH.match(text)[0]  # type: ignore[index]  # it matches the empty string too
    span = line.span_of(at)
    if not name:
        yield hit("E08", span, f"'{text}' is no test: it has no fetch", "write such as 'path_beg /x'", proxy=proxy)
    elif name not in FETCHES and not name.startswith("lua."):
        if text.startswith("-") and name in ("-i", "-m", "-f", "-n", "-M", "-u"):
            advice = f"write '{line.word(at + 1)} {name} …'"
            yield hit("E09", span, f"the flag '{name}' stands before the fetch", advice, proxy=proxy)
        elif meant := guess(name, sorted(FETCHES)):
            yield hit("E06", span, f"there is no fetch '{name}'", f"did you mean '{meant}'?", proxy=proxy)
    elif text[len(name) : len(name) + 1] == "(" and ")" not in text:
        yield hit("E01", span, f"the parenthesis in '{text}' is never closed", f"write '{text})'", proxy=proxy)

"""What haproxy refuses in `balance`, `hash-type` and `hash-balance-factor` (src/backend.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.algorithm import ALGORITHMS, FUNCTIONS
from lbcheck.dialects.haproxy.judgement.said import guess, listed
from lbcheck.dialects.haproxy.values import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.judgement.times import Found
    from lbcheck.dialects.haproxy.tree import Line

_CALL = re.compile(r"([A-Za-z_-]*)(\(?)(.*?)(\)?)$", re.DOTALL)
#: What other balancers call the same thing.
_ALIASES = {
    "round-robin": "roundrobin",
    "round_robin": "roundrobin",
    "rr": "roundrobin",
    "wrr": "roundrobin",
    "least_conn": "leastconn",
    "least-conn": "leastconn",
    "least_connections": "leastconn",
    "leastconnections": "leastconn",
    "ip_hash": "source",
    "ip-hash": "source",
    "url": "uri",
    "sticky-session": "source",
}


def balance(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `balance` line."""
    word = line.word(1)
    name, opened, argument, closed = _CALL.match(word).groups()  # type: ignore[union-attr]  # it matches everything
    if not word:
        return
    if name not in ALGORITHMS:
        meant = _ALIASES.get(word) or guess(name, sorted(ALGORITHMS - {"none"}))
        advice = f"did you mean '{meant}'?" if meant else "write roundrobin, leastconn, random, source, uri or hash"
        yield "E09", 1, 1, f"there is no algorithm '{word}'", advice
    elif name == "hdr" and not argument:
        yield "E08", 1, 1, "'balance hdr' needs the name of a header", "write 'balance hdr(NAME)'"
    elif opened and not closed:
        yield "E09", 1, 1, f"the parenthesis in '{word}' is never closed", f"write '{word})'"
    elif name == "random" and opened and (not argument.isdecimal() or int(argument) < 1):
        yield "E09", 1, 1, f"'{argument}' is no number of draws", "write 'random' or 'random(2)'"
    elif name in ("url_param", "hash") and not line.word(2):
        yield "E08", 1, 1, f"'balance {name}' does not say what to hash", f"write 'balance {name} NAME'"
    elif name == "uri":
        yield from _uri(line)


def _uri(line: Line) -> Iterator[Found]:
    index = 2
    while index < len(line.words):
        word = line.words[index]
        if word in ("len", "depth"):
            if number(line.word(index + 1)) <= 0:
                yield "E09", index, index + 1, f"'{word}' needs a number from 1 on", f"write '{word} 2'"
            index += 1
        elif word not in ("whole", "path-only"):
            yield "E09", index, index, f"'balance uri' has no '{word}'", "write len N, depth N, whole or path-only"
            return
        index += 1


def hash_type(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `hash-type` line."""
    kind, function, modifier = line.word(1), line.word(2), line.word(3)
    if kind not in ("consistent", "map-based"):
        yield "E09", 1, 1, f"'hash-type' takes consistent or map-based, not '{kind}'", "write 'hash-type consistent'"
    elif function and function not in FUNCTIONS and function != "avalanche":
        yield "E09", 2, 2, f"there is no hash function '{function}'", f"write one of {listed(sorted(FUNCTIONS))}"
    elif function != "avalanche" and modifier and modifier != "avalanche":
        yield "E09", 3, 3, f"behind the hash function only 'avalanche' may stand, not '{modifier}'", "take it out"


def factor(line: Line) -> Iterator[Found]:
    """Yield what is refused in a `hash-balance-factor` line."""
    factor = number(line.word(1))
    if factor != 0 and factor <= 100:
        yield "E09", 1, 1, f"a balance factor of {factor} is no limit", "write a number above 100, such as 150, or 0"

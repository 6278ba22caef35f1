"""`balance` and `hash-type` into the model (`backend_parse_balance` in src/backend.c, src/cfgparse-listen.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.values import number
from lbcheck.dialects.haproxy.words import words
from lbcheck.model import Algorithm, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line

#: Every algorithm that `balance` has known, up to HAProxy 3.5.
ALGORITHMS = words(
    """
    roundrobin static-rr leastconn first random source uri url_param hdr hash rdp-cookie sticky log-sticky log-hash none
    """
)
FUNCTIONS = frozenset({"sdbm", "djb2", "wt6", "crc32", "none"})
_CALL = re.compile(r"([a-z_-]+)(?:\((.*)\))?$", re.DOTALL)
#: Algorithms that hash something, and what they hash where no argument says it.
_HASHES = {"source": "src", "uri": "uri", "url_param": "", "hdr": "", "hash": "", "rdp-cookie": "mstshash"}


def algorithm(proxy: Proxy) -> Algorithm:
    """Return how a backend chooses a server: roundrobin where no `balance` is written (up to HAProxy 3.2)."""
    line = proxy.effective("balance")
    kind = proxy.effective("hash-type")
    consistent = kind is not None and kind.word(1) == "consistent"
    function = kind.word(2) if kind is not None and kind.word(2) in FUNCTIONS else None
    # "consistent" alone brings the avalanche with it; naming a function switches it off unless it is asked for
    avalanche = kind is not None and ("avalanche" in kind.words[2:] or (consistent and function is None))
    name, argument = _name(line)
    return Algorithm(
        name,
        line.span if line is not None else None,
        key=_key(name, argument, line),
        consistent=consistent or name == "random",
        function=function or "sdbm",
        avalanche=avalanche,
        draws=number(argument) if name == "random" and argument else 2,
        balance_factor=_factor(proxy),
        options=_options(proxy, line, kind),
    )


def _name(line: Line | None) -> tuple[str, str]:
    if line is None:
        return "roundrobin", ""
    match = _CALL.match(line.word(1))
    return (match[1], match[2] or "") if match else (line.word(1), "")


def _key(name: str, argument: str, line: Line | None) -> Setting[str] | None:
    if line is None or name not in _HASHES:
        return None
    if name in ("url_param", "hash"):
        return Setting(line.text_from(2) if name == "hash" else line.word(2), line.span_of(2, len(line.words) - 1))
    return Setting(argument or _HASHES[name], line.span_of(1))


def _factor(proxy: Proxy) -> Setting[int] | None:
    line = proxy.effective("hash-balance-factor")
    return None if line is None or 1 in line.opaque else Setting(number(line.word(1)), line.span)


def _options(proxy: Proxy, line: Line | None, kind: Line | None) -> dict[str, Setting[Any]]:
    """Return what else is said: `whole`, `path-only`, `len N`, `depth N`, `use_domain_only`, and the hash-type.

    "opaque hash-balance-factor" stands for a factor that a variable or a template has yet to say.
    """
    options: dict[str, Setting[Any]] = {}
    factor = proxy.effective("hash-balance-factor")
    if factor is not None and 1 in factor.opaque:
        options["opaque hash-balance-factor"] = Setting(True, factor.span)
    if kind is not None:
        options["hash-type"] = Setting(kind.text_from(1), kind.span)
    if line is None or line.word(1) in ("hash", "url_param"):
        return options
    for index, word in enumerate(line.words[2:], 2):
        if word in ("len", "depth"):
            options[word] = Setting(number(line.word(index + 1)), line.span_of(index, index + 1))
        elif not word.isdecimal():
            options[word] = Setting(True, line.span_of(index))
    return options

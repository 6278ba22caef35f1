"""What haproxy refuses in `bind` lines and in `stats socket` (src/listener.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain
from lbcheck.dialects.haproxy.judgement.servers import port_problem
from lbcheck.dialects.haproxy.keywords import BIND
from lbcheck.dialects.haproxy.options import BIND_FLAGS, bind_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

_NO_PORT = ("/", "unix@", "uxst@", "abns@", "abnsz@", "fd@", "sockpair@", "rhttp@", "rev@")
_DATAGRAM = ("udp@", "udp4@", "udp6@", "dgram+", "uxdg@")
#: Words that make TLS of a bind possible without `crt`.
_CERTIFICATES = frozenset({"crt", "crt-list", "default-crt", "ca-sign-file", "strict-sni", "ech"})
_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}:[0-9]+|[*]?:[0-9]+|\[[0-9a-f:]+\]:[0-9]+")


def binds(tree: Tree) -> Iterator[Hit]:
    """Yield what is refused in every line that listens."""
    for proxy in tree.proxies:
        for line in proxy.lines("bind") if proxy.is_frontend else ():
            if certain(line):
                yield from _bind(line, proxy, tree)
    for line in tree.global_lines("stats", "socket"):
        if certain(line):
            yield from _socket(line)


def _bind(line: Line, proxy: Proxy, tree: Tree) -> Iterator[Hit]:
    if not line.word(1):
        yield hit("E08", line.span, "'bind' needs an address", "write 'bind :PORT' or 'bind ADDRESS:PORT'", proxy=proxy)
        return
    if plain(line, 1):
        for part in line.words[1].split(","):
            if part.startswith(_DATAGRAM):
                advice = "take the prefix out: a 'bind' accepts streams"
                yield hit("E09", line.span_of(1), f"'{part}' is for datagrams", advice, proxy=proxy)
            elif part and not part.startswith(_NO_PORT) and (problem := port_problem(part, ranges=True, needed=True)):
                yield hit("E09", line.span_of(1), problem, "write 'ADDRESS:PORT' or ':PORT'", proxy=proxy)
    yield from _words(line, 2, "bind", proxy)
    options = bind_options(line)
    known = not (tree.templated or line.opaque or proxy.lines("ssl-f-use") or proxy.disabled)
    if known and "ssl" in options and not (_CERTIFICATES & options.keys()):
        advice = "add 'crt FILE' with the certificate and its key"
        yield hit("E14", options["ssl"].span, "'ssl' without a certificate", advice, proxy=proxy)


def _words(line: Line, first: int, keyword: str, proxy: Proxy | None) -> Iterator[Hit]:
    words = line.words
    index = first
    while index < len(words):
        word = words[index]
        if word in BIND_FLAGS:
            index += 1
        elif word in BIND:
            if index + 1 == len(words):
                problem = f"'{word}' needs a value"
                yield hit("E08", line.span_of(index), problem, f"write '{word} VALUE', or take it out", proxy=proxy)
            index += 2
        else:
            yield from _unknown(line, index, keyword, proxy)
            return


def _unknown(line: Line, index: int, keyword: str, proxy: Proxy | None) -> Iterator[Hit]:
    word = line.words[index]
    if not word or not plain(line, index):
        return
    span = line.span_of(index)
    if _ADDRESS.fullmatch(word):
        problem = f"a second address '{word}' behind a blank"
        yield hit("E08", span, problem, "separate addresses by commas, or write two 'bind' lines", proxy=proxy)
    elif (meant := guess(word, sorted(BIND))) is not None:
        yield hit("E06", span, f"there is no '{keyword}' option '{word}'", f"did you mean '{meant}'?", proxy=proxy)


def _socket(line: Line) -> Iterator[Hit]:
    if not line.word(2):
        yield hit("E08", line.span, "'stats socket' needs a path or an address", "write 'stats socket /PATH mode 600'")
        return
    path = line.word(2)
    if plain(line, 2) and not path.startswith(_NO_PORT) and (problem := port_problem(path, ranges=True, needed=True)):
        yield hit("E09", line.span_of(2), problem, "write a path, or 'ipv4@ADDRESS:PORT'")
    for index, word in enumerate(line.words[3:-1], 3):
        value = line.words[index + 1]
        if word == "level" and value not in ("user", "operator", "admin") and plain(line, index + 1):
            problem = f"'level' takes user, operator or admin, not '{value}'"
            yield hit("E09", line.span_of(index, index + 1), problem, "write 'level admin', or a lower one")
        elif word == "mode" and not re.fullmatch("[0-7]+", value) and plain(line, index + 1):
            problem = f"the mode '{value}' is no octal number"
            yield hit("E09", line.span_of(index, index + 1), problem, "write the mode of the file, such as 'mode 600'")
    yield from _words(line, 3, "stats socket", None)

"""What haproxy refuses in the values of settings: modes, algorithms, times, options (src/cfgparse-listen.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import keywords
from lbcheck.dialects.haproxy.algorithm import ALGORITHMS, FUNCTIONS
from lbcheck.dialects.haproxy.judgement.places import dispatch, log, source
from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, listed, plain
from lbcheck.dialects.haproxy.values import MAX_MILLISECONDS, number, seconds, size
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

#: (code, index of the first word to mark, of the last, problem, advice).
Found = tuple[str, int, int, str, str]

_CALL = re.compile(r"([A-Za-z_-]*)(\(?)(.*?)(\)?)$", re.DOTALL)
_MODES = ("http", "tcp", "log", "spop", "haterm")
_REUSE = ("never", "safe", "aggressive", "always")
_COOKIE_FLAGS = frozenset({"rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "dynamic"})
_COOKIE_VALUES = frozenset({"domain", "maxidle", "maxlife", "attr"})
_COOKIE_TIMES = frozenset({"maxidle", "maxlife"})
_STATS = frozenset(
    {
        "admin",
        "uri",
        "realm",
        "auth",
        "scope",
        "enable",
        "hide-version",
        "show-node",
        "show-desc",
        "show-legends",
        "refresh",
        "http-request",
        "show-modules",
    }
)
_TIME = re.compile(r"[0-9]+(?:$|us|ms|[smhd])")
_RETRY_WORDS = frozenset(
    {
        "none",
        "conn-failure",
        "empty-response",
        "response-timeout",
        "0rtt-rejected",
        "junk-response",
        "all-retryable-errors",
    }
)
#: Options that `no` and `default` cannot stand before (`cfg_parse_listen`).
_NOT_NEGATABLE = words(
    """
    external-check forwardfor http-restrict-req-hdr-names httpchk httplog httpslog ldap-check mysql-check originalto
    pgsql-check redis-check smtpchk spop-check ssl-hello-chk tcp-check tcpka tcplog
    """
)
_NO_ARGUMENTS = frozenset({"ldap-check", "redis-check", "ssl-hello-chk", "tcp-check", "tcplog", "spop-check"})


def values(tree: Tree) -> Iterator[Hit]:
    """Yield the lines of proxies whose values haproxy does not take."""
    for line in tree.global_lines():
        judge = _GLOBAL.get(line.words[0])
        if judge is not None and certain(line) and not line.modifier:
            yield from _hits(judge(line), line, None)
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword, lines in proxy.index.items():
            judge = _JUDGES.get(keyword)
            if judge is None:
                continue
            for line in lines:
                if certain(line) and not (line.modifier and keyword != "option"):
                    yield from _hits(judge(line), line, proxy)


def _hits(found: Iterator[Found], line: Line, proxy: Proxy | None) -> Iterator[Hit]:
    for code, first, last, problem, advice in found:
        if all(plain(line, index) for index in range(first, last + 1)):
            yield hit(code, line.span_of(first, last), problem, advice, proxy=proxy)


def _mode(line: Line) -> Iterator[Found]:
    mode = line.word(1)
    if mode == "health":
        yield "E09", 1, 1, "'mode health' was taken out of HAProxy 2.2", "use 'http-request return status 200'"
    elif mode not in _MODES:
        meant = guess(mode, _MODES)
        yield "E09", 1, 1, f"there is no mode '{mode}'", f"did you mean '{meant}'?" if meant else "write http or tcp"
    elif line.word(2):
        yield "E08", 2, 2, f"'mode' takes one word, and '{line.word(2)}' is one too many", "take it out"


def _balance(line: Line) -> Iterator[Found]:
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


def _hash_type(line: Line) -> Iterator[Found]:
    kind, function, modifier = line.word(1), line.word(2), line.word(3)
    if kind not in ("consistent", "map-based"):
        yield "E09", 1, 1, f"'hash-type' takes consistent or map-based, not '{kind}'", "write 'hash-type consistent'"
    elif function and function not in FUNCTIONS and function != "avalanche":
        yield "E09", 2, 2, f"there is no hash function '{function}'", f"write one of {listed(sorted(FUNCTIONS))}"
    elif function != "avalanche" and modifier and modifier != "avalanche":
        yield "E09", 3, 3, f"behind the hash function only 'avalanche' may stand, not '{modifier}'", "take it out"


def _timeout(line: Line) -> Iterator[Found]:
    name, value = line.word(1), line.word(2)
    if name not in keywords.TIMEOUTS:
        meant = guess(name, sorted(keywords.TIMEOUTS)) or next(
            (known for known in ("connect", "client", "server") if name and known.startswith(name[:3])), None
        )
        advice = f"did you mean 'timeout {meant}'?" if meant else f"there are {listed(sorted(keywords.TIMEOUTS))}"
        yield "E06" if name else "E08", min(1, len(line.words) - 1), 1, f"there is no 'timeout {name}'", advice
    elif not value:
        yield "E08", 0, 1, f"'timeout {name}' needs a time", f"write 'timeout {name} 30s'"
    else:
        yield from _time(line, 2, f"timeout {name}")
        if line.word(3):
            yield "E08", 3, 3, f"'{line.word(3)}' behind the time is one word too many", "take it out"


def _time(line: Line, index: int, keyword: str, unit: str = "ms") -> Iterator[Found]:
    text = line.word(index)
    length = seconds(text, unit)
    advice = f"write '{keyword}' with a number and a unit: us, ms, s, m, h or d"
    if length is None or not _TIME.match(text):
        yield "E09", index, index, f"'{text}' is no time", advice
    elif length > MAX_MILLISECONDS / (1 if unit == "s" else 1000):
        yield "E09", index, index, f"'{text}' is more than the 24.8 days that a timer holds", advice


def _option(line: Line) -> Iterator[Found]:
    name = line.word(1)
    if not name:
        yield "E08", 0, 0, "'option' needs the name of an option", "write 'option NAME', or take the line out"
    elif line.modifier and name in _NOT_NEGATABLE:
        advice = "take the line out; another option of its kind takes its place where it is written later"
        yield "E07", 0, 1, f"'{line.modifier} option {name}' is not possible", advice
    elif name not in keywords.OPTIONS:
        if meant := guess(name, sorted(keywords.OPTIONS)):
            yield "E06", 1, 1, f"there is no option '{name}'", f"did you mean '{meant}'?"
    elif name == "httpchk" and len(line.words) > 6:  # a host behind the version is new in 3.0
        yield (
            "E08",
            6,
            6,
            f"'option httpchk' takes four words at most, and '{line.word(6)}' is the fifth",
            "take it out",
        )
    elif name in _NO_ARGUMENTS and line.word(2):
        yield "E08", 2, 2, f"'option {name}' takes no argument, but got '{line.word(2)}'", "take it out"
    elif name == "httplog" and line.word(2) not in ("", "clf"):
        yield "E08", 2, 2, f"'option httplog' takes only 'clf', not '{line.word(2)}'", "take it out"
    elif name == "forwardfor" and line.word(2) not in ("", "except", "header", "if-none"):
        advice = "write 'except NETWORK', 'header NAME' or 'if-none'"
        yield "E09", 2, 2, f"'option forwardfor' has no '{line.word(2)}'", advice
    elif name in ("mysql-check", "pgsql-check") and (
        line.word(2) not in ("", "user") or ((line.word(2) == "user" or name == "pgsql-check") and not line.word(3))
    ):
        yield "E08", 1, len(line.words) - 1, f"'option {name}' needs 'user NAME'", f"write 'option {name} user NAME'"


def _needs_number(line: Line) -> Iterator[Found]:
    word = line.words[0]
    if not line.word(1):
        yield "E08", 0, 0, f"'{word}' needs a number", f"write '{word} NUMBER'"
    elif word == "maxconn" and line.word(2):
        yield "E08", 2, 2, f"'maxconn' takes one number, and '{line.word(2)}' is one too many", "take it out"


def _factor(line: Line) -> Iterator[Found]:
    factor = number(line.word(1))
    if factor != 0 and factor <= 100:
        yield "E09", 1, 1, f"a balance factor of {factor} is no limit", "write a number above 100, such as 150, or 0"


def _cookie(line: Line) -> Iterator[Found]:
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
                yield from _time(line, index + 1, word, "s")
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


def _reuse(line: Line) -> Iterator[Found]:
    if line.word(1) not in _REUSE:
        yield "E09", 1, 1, f"'http-reuse' takes {listed(_REUSE)}, not '{line.word(1)}'", "write 'http-reuse safe'"


def _state(line: Line) -> Iterator[Found]:
    if line.word(1) not in ("global", "local", "none"):
        yield "E09", 1, 1, f"'{line.words[0]}' takes global, local or none, not '{line.word(1)}'", "write one of them"


def _retry_on(line: Line) -> Iterator[Found]:
    if not line.word(1):
        yield "E08", 0, 0, "'retry-on' does not say on what", "write 'retry-on conn-failure', or more"
    for index, word in enumerate(line.words[1:], 1):
        if word not in _RETRY_WORDS and not word.isdecimal() and (meant := guess(word, sorted(_RETRY_WORDS))):
            yield "E09", index, index, f"there is no reason '{word}' to retry", f"did you mean '{meant}'?"


def _stats(line: Line) -> Iterator[Found]:
    word = line.word(1)
    if not word:
        yield "E08", 0, 0, "'stats' does not say what", "write 'stats enable'"
    elif word in ("socket", "timeout", "maxconn"):
        yield "E07", 0, 1, f"'stats {word}' cannot stand in a proxy", "move it to 'global'"
    elif word not in _STATS:
        if meant := guess(word, sorted(_STATS)):
            yield "E06", 1, 1, f"there is no 'stats {word}'", f"did you mean '{meant}'?"
    elif word in ("uri", "auth", "realm", "scope", "refresh") and not line.word(2):
        yield "E08", 0, 1, f"'stats {word}' needs a value", f"write 'stats {word} VALUE'"
    elif word == "admin" and line.word(2) not in ("if", "unless"):
        yield "E08", 0, 1, "'stats admin' needs a condition", "write 'stats admin if { src 127.0.0.0/8 }'"
    elif word == "refresh":
        yield from _time(line, 2, "stats refresh", "s")


def _default_backend(line: Line) -> Iterator[Found]:
    if not line.word(1):
        yield "E08", 0, 0, "'default_backend' needs the name of a backend", "write 'default_backend NAME'"
    elif line.word(2):
        advice = "use 'use_backend' for a backend with a condition"
        yield "E08", 2, len(line.words) - 1, f"'default_backend' takes one name, not '{line.text_from(2)}'", advice


def _table(line: Line) -> Iterator[Found]:
    words = line.words
    for needed in ("type", "size"):
        if needed not in words:
            yield "E08", 0, 0, f"the stick-table has no '{needed}'", "write 'stick-table type ip size 100k expire 30m'"
    for index, word in enumerate(words[1:], 1):
        if word == "size" and words[index - 1] != "type" and size(line.word(index + 1)) is None:
            yield "E09", index, index + 1, f"'{line.word(index + 1)}' is no size", "write a number with k, m or g"
        elif word == "expire":
            yield from _time(line, index + 1, "expire")


def _id(line: Line) -> Iterator[Found]:
    if number(line.word(1)) <= 0:
        yield "E09", min(1, len(line.words) - 1), 1, "an id is a number above 0", "write 'id 1', or take it out"


def _flag(line: Line) -> Iterator[Found]:
    if line.word(1):
        yield "E08", 1, 1, f"'{line.words[0]}' takes no argument, but got '{line.word(1)}'", "take it out"


def _monitor(line: Line) -> Iterator[Found]:
    if line.words[0] == "monitor-uri" and not line.word(1):
        yield "E08", 0, 0, "'monitor-uri' needs a path", "write 'monitor-uri /PATH'"


_JUDGES: dict[str, Callable[[Line], Iterator[Found]]] = {
    "mode": _mode,
    "balance": _balance,
    "hash-type": _hash_type,
    "hash-balance-factor": _factor,
    "timeout": _timeout,
    "option": _option,
    "maxconn": _needs_number,
    "fullconn": _needs_number,
    "retries": _needs_number,
    "cookie": _cookie,
    "http-reuse": _reuse,
    "load-server-state-from-file": _state,
    "retry-on": _retry_on,
    "stats": _stats,
    "default_backend": _default_backend,
    "dispatch": dispatch,
    "source": source,
    "log": log,
    "stick-table": _table,
    "id": _id,
    "enabled": _flag,
    "disabled": _flag,
    "monitor-uri": _monitor,
}
#: The same for the global section.
_GLOBAL: dict[str, Callable[[Line], Iterator[Found]]] = {"log": log, "maxconn": _needs_number}

"""What haproxy refuses in the values of settings: modes, algorithms, times, options (src/cfgparse-listen.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import keywords
from lbcheck.dialects.haproxy.judgement.balancing import balance, factor, hash_type
from lbcheck.dialects.haproxy.judgement.cookies import cookie
from lbcheck.dialects.haproxy.judgement.globals import JUDGED, setting
from lbcheck.dialects.haproxy.judgement.places import dispatch, log, source
from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, listed, plain
from lbcheck.dialects.haproxy.judgement.times import Found, check_time
from lbcheck.dialects.haproxy.values import number, size
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit


_MODES = ("http", "tcp", "log", "spop", "haterm")
_REUSE = ("never", "safe", "aggressive", "always")
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
        yield from check_time(line, 2, f"timeout {name}")
        if line.word(3):
            yield "E08", 3, 3, f"'{line.word(3)}' behind the time is one word too many", "take it out"


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
    elif name == "httpchk" and len(line.words) > 6:  # a host behind the version is new in 3.1
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
        yield from check_time(line, 2, "stats refresh", "s")


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
            yield from check_time(line, index + 1, "expire")


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
    "balance": balance,
    "hash-type": hash_type,
    "hash-balance-factor": factor,
    "timeout": _timeout,
    "option": _option,
    "maxconn": _needs_number,
    "fullconn": _needs_number,
    "retries": _needs_number,
    "cookie": cookie,
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
_GLOBAL: dict[str, Callable[[Line], Iterator[Found]]] = {"log": log, **dict.fromkeys(JUDGED, setting)}

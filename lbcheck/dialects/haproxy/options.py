"""The options of `server`, `default-server`, `server-template` and `bind` lines: keyword, place, value.

Arities: src/server.c, src/check.c, src/cfgparse-ssl.c, src/cfgparse-tcp.c up to HAProxy 3.5 (`srv_kws`, `bind_kws`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from lbcheck.dialects.haproxy.tree import WordSpan
from lbcheck.dialects.haproxy.values import number, seconds
from lbcheck.dialects.haproxy.words import words as table
from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.text import Span

T = TypeVar("T")

#: Server options without a value, up to HAProxy 3.5.
SERVER_FLAGS = table(
    """
    backup disabled enabled check agent-check check-send-proxy check-ssl check-via-socks4 check-reuse-pool
    check-sni-auto no-agent-check no-check no-check-reuse-pool no-check-send-proxy no-check-ssl no-check-sni-auto
    no-backup no-send-proxy no-send-proxy-v2 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-tfo no-ssl no-ssl-reuse
    no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-tls-tickets no-verifyhost no-renegotiate no-sni-auto non-stick
    send-proxy send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn ssl ssl-reuse tls-tickets stick strict-maxconn tfo
    force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 allow-0rtt renegotiate sni-auto
    """
)
#: Server options with one value.
SERVER_VALUES = table(
    """
    addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn check-pool-conn-name check-proto
    check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter ecdhe error-limit fall
    fastinter from guid hash-key healthcheck id idle-ping init-addr init-state inter ktls log-bufsize log-proto
    max-reuse maxconn maxqueue minconn name namespace npn observe on-error on-marked-down on-marked-up
    pool-conn-name pool-low-conn pool-max-conn pool-purge-delay port proto proxy-v2-options quic-cc-algo redir
    resolve-net resolve-opts resolve-prefer resolvers rise shard sigalgs slowstart sni socks4 ssl-max-ver
    ssl-min-ver tcp-md5sig tcp-ut track verify verifyhost weight ws
    """
)
#: What `no-X` (or `enabled`, `non-stick`) takes back.
_UNDOES = {
    "no-agent-check": "agent-check",
    "no-check": "check",
    "no-check-reuse-pool": "check-reuse-pool",
    "no-check-send-proxy": "check-send-proxy",
    "no-check-ssl": "check-ssl",
    "no-check-sni-auto": "check-sni-auto",
    "no-backup": "backup",
    "no-send-proxy": "send-proxy",
    "no-send-proxy-v2": "send-proxy-v2",
    "no-send-proxy-v2-ssl": "send-proxy-v2-ssl",
    "no-send-proxy-v2-ssl-cn": "send-proxy-v2-ssl-cn",
    "no-sni-auto": "sni-auto",
    "no-ssl": "ssl",
    "no-tfo": "tfo",
    "no-verifyhost": "verifyhost",
    "enabled": "disabled",
}
#: `source ADDRESS` is followed by any number of these, each with a value.
_SOURCE_TAIL = frozenset({"usesrc", "interface"})


class Option:
    """One option of a line: the line, the index of its keyword, and its value ("" for a flag)."""

    __slots__ = ("index", "line", "value")

    def __init__(self, line: Line, index: int, value: str) -> None:
        self.line = line
        self.index = index
        self.value = value

    @property
    def keyword(self) -> str:
        """The option's keyword."""
        return self.line.words[self.index]

    @property
    def opaque(self) -> bool:
        """Whether the value holds an environment variable or a template."""
        return self.index + 1 in self.line.opaque

    @property
    def span(self) -> Span:
        """The place of the keyword and its value."""
        return WordSpan(self.line, self.index, self.index + 1 if self.value else self.index)

    def __repr__(self) -> str:
        return f"Option({self.keyword!r}, {self.value!r})"


#: Options by keyword; the last one of a line wins.
Options = dict[str, Option]
#: An option apart from its line: keyword, index from the first option on, value.
Found = tuple[str, int, str]


class OptionSetting(Setting[T]):
    """A setting that an option makes; its place, some words of a line, is looked up when somebody asks."""

    __slots__ = ("_first", "_last", "line")

    def __init__(self, value: T, line: Line, first: int, last: int) -> None:
        self.value = value
        self.line = line
        self._first = first
        self._last = last

    @property
    def span(self) -> Span:  # type: ignore[override]  # a place is read, never set
        """The place of the keyword and its value."""
        return WordSpan(self.line, self._first, self._last)

    def on(self, line: Line) -> OptionSetting[T]:
        """Return the same setting on another line that has the same words."""
        return OptionSetting(self.value, line, self._first, self._last)


def setting(value: T, option: Option) -> OptionSetting[T]:
    """Return a value that an option says."""
    return OptionSetting(value, option.line, option.index, option.index + 1 if option.value else option.index)


def flag(option: Option | None) -> Setting[bool] | None:
    """Return True where an option stands, None where it does not."""
    return None if option is None else setting(True, option)


def text(option: Option | None) -> Setting[str] | None:
    """Return an option's value as written."""
    return None if option is None else setting(option.value, option)


def count(option: Option | None) -> Setting[int] | None:
    """Return an option's value as haproxy's `atol` reads it; None where a variable holds it."""
    return None if option is None or option.opaque else setting(number(option.value), option)


def time(option: Option | None) -> Setting[float] | None:
    """Return an option's time in seconds; None where a variable holds it or it is none."""
    if option is None or option.opaque:
        return None
    value = seconds(option.value)
    return None if value is None else setting(value, option)


class Shape:
    """What the options of a server line say: the same for all lines with the same words below the same defaults.

    `found` are the options on the line: keyword, index (0: the word behind the address) and value. `unknown` is the
    index of the first word that is none (-1: all are known). `keywords` are those of the effective options, the
    inherited ones among them; what `no-check` and its like take back is gone. `mould` is what the lowering makes of
    it, kept for the next line.
    """

    __slots__ = ("_inherited", "found", "keywords", "mould", "unknown")

    def __init__(self, words: tuple[str, ...], inherited: Options) -> None:
        self.found, self.unknown = taken_apart(words)
        self._inherited = inherited
        self.keywords = dict.fromkeys(inherited)
        for keyword, _, _ in self.found:
            self.keywords.pop(_UNDOES.get(keyword, ""), None)
            self.keywords[keyword] = None
        self.mould: object = None

    def options(self, line: Line, first: int) -> Options:
        """Return the effective options of a line whose words from `first` on have this shape."""
        inherited, keywords = self._inherited, self.keywords
        options = {keyword: option for keyword, option in inherited.items() if keyword in keywords}
        for keyword, index, value in self.found:
            if keyword in keywords:
                options[keyword] = Option(line, first + index, value)
        return options


class Defaults:
    """What the `default-server` lines so far leave to the servers below them, and the shapes of those servers."""

    __slots__ = ("_shapes", "options")

    def __init__(self, options: Options) -> None:
        self.options = options
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def shape(self, line: Line, first: int) -> Shape:
        """Return the shape of a line whose options begin at the word `first`."""
        words = tuple(line.words[first:])
        if line.opaque or line.words[0] != "server":  # a variable and its name in quotes are one word; indices differ
            return Shape(words, self.options)
        shape = self._shapes.get(words)
        if shape is None:
            shape = self._shapes[words] = Shape(words, self.options)
        return shape

    def after(self, line: Line) -> Defaults:
        """Return what holds below a `default-server` line.

        `from none` begins anew, `name X` makes settings that only `from X` asks for (3.5).
        """
        if line.word(1) == "name":
            return self
        inherited = self if line.word(1) != "from" else Defaults({})
        return Defaults(inherited.shape(line, 1).options(line, 1))


@lru_cache(1024)  # the servers of a file mostly have the same options
def taken_apart(words: tuple[str, ...]) -> tuple[list[Found], int]:
    """Return (keyword, index, value) of each option, and the index of the first word that is none (-1: all are)."""
    found: list[Found] = []
    index = 0
    while index < len(words):
        word = words[index]
        after = _after(words, index)
        if after == index:
            return found, index if word else -1  # haproxy stops reading at an empty word
        value = words[index + 1] if word not in SERVER_FLAGS and index + 1 < len(words) else ""
        found.append((word.partition("(")[0], index, value))
        index = after
    return found, -1


def _after(words: Sequence[str], index: int) -> int:
    """Return where the option at `index` ends, or `index` where it is none that is known."""
    word = words[index]
    if word in SERVER_FLAGS:
        return index + 1
    if word in SERVER_VALUES or word.startswith("set-proxy-v2-tlv-fmt("):
        return index + 2
    if word == "source":
        index += 2
        while index < len(words) and words[index] in _SOURCE_TAIL:
            index += 2
    return index


#: Bind options without a value; every other one has one.
BIND_FLAGS = table(
    """
    accept-proxy allow-0rtt defer-accept force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13
    generate-certificates no-alpn no-ca-names no-sslv3 no-strict-sni no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12
    no-tlsv13 prefer-client-ciphers quic-force-retry ssl strict-sni tfo tls-tickets transparent v4v6 v6only
    """
)


def bind_options(line: Line, first: int = 2) -> Options:
    """Return the options of a `bind` line by keyword."""
    words = line.words
    options: Options = {}
    index = first
    while index < len(words):
        flag = words[index] in BIND_FLAGS or index + 1 == len(words)
        options[words[index]] = Option(line, index, "" if flag else words[index + 1])
        index += 1 if flag else 2
    return options

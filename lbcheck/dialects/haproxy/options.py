"""The options of `server`, `default-server`, `server-template` and `bind` lines: keyword, place, value.

Arities: src/server.c, src/check.c, src/cfgparse-ssl.c, src/cfgparse-tcp.c up to HAProxy 3.5 (`srv_kws`, `bind_kws`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.tree import WordSpan
from lbcheck.dialects.haproxy.words import words as table

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.text import Span

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
    check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter ecdhe error-limit fall fastinter
    guid hash-key healthcheck id idle-ping init-addr init-state inter ktls log-bufsize log-proto max-reuse maxconn
    maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up pool-conn-name pool-low-conn
    pool-max-conn pool-purge-delay port proto proxy-v2-options quic-cc-algo redir resolve-net resolve-opts
    resolve-prefer resolvers rise shard sigalgs slowstart sni socks4 ssl-max-ver ssl-min-ver tcp-md5sig tcp-ut track
    verify verifyhost weight ws
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

    @property
    def value_span(self) -> Span:
        """The place of the value alone; of the keyword for a flag."""
        return self.line.span_of(self.index + 1 if self.value else self.index)

    def __repr__(self) -> str:
        return f"Option({self.keyword!r}, {self.value!r})"


#: Options by keyword; the last one of a line wins.
Options = dict[str, Option]


def server_options(line: Line, first: int, inherited: Options) -> tuple[Options, int]:
    """Return a server's options over the inherited ones, and the index of the first word not understood (0: none).

    What `no-check` and its like take back is gone from the result.
    """
    words = line.words
    options = dict(inherited)
    count = len(words)
    index = first
    while index < count:
        word = words[index]
        if word in SERVER_VALUES:
            options[word] = Option(line, index, words[index + 1] if index + 1 < count else "")
            index += 2
        elif word in SERVER_FLAGS:
            if word in _UNDOES:
                options.pop(_UNDOES[word], None)
            options[word] = Option(line, index, "")
            index += 1
        elif not word:
            return options, 0  # haproxy stops reading at an empty word
        elif (after := _irregular(line, index)) > index:
            options[word.partition("(")[0]] = Option(line, index, words[index + 1] if index + 1 < count else "")
            index = after
        else:
            return options, index
    return options, 0


def _irregular(line: Line, index: int) -> int:
    """Return where an option of another shape ends, or `index` where it is none that is known."""
    words = line.words
    if words[index] == "source":
        index += 2
        while index < len(words) and words[index] in _SOURCE_TAIL:
            index += 2
        return index
    return index + 2 if words[index].startswith("set-proxy-v2-tlv-fmt(") else index


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

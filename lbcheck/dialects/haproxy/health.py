"""Health checks: what a backend sends, and how often each server is asked (src/tcpcheck.c, src/check.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.options import count, text, time
from lbcheck.dialects.haproxy.tree import WordSpan
from lbcheck.dialects.haproxy.values import seconds
from lbcheck.model import HealthCheck, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.options import Options
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.dialects.haproxy.tree import Line

#: `option X` that chooses what a check says, and the model's word for it.
CHECK_OPTIONS = {
    "httpchk": "http",
    "tcp-check": "tcp",
    "ssl-hello-chk": "tls",
    "smtpchk": "smtp",
    "mysql-check": "mysql",
    "pgsql-check": "pgsql",
    "redis-check": "redis",
    "ldap-check": "ldap",
    "spop-check": "spop",
    "external-check": "external",
}
#: include/haproxy/defaults.h: DEF_CHKINTR, DEF_FALLTIME, DEF_RISETIME.
_INTERVAL: Setting[float] = Setting(2.0)
_FALL: Setting[int] = Setting(3)
_RISE: Setting[int] = Setting(2)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "TRACE", "CONNECT"})
#: Words of `http-check` and `tcp-check` that are switches, not steps of the check.
_SWITCHES = frozenset({"disable-on-404", "send-state"})


class ProxyCheck:
    """What the checks of one backend have in common: kind, request, expectation, and further options by keyword.

    `rules` are the `http-check` or `tcp-check` steps that hold. An HTTP check is taken as a whole from the nearest
    section that has a part of it (seen on haproxy 2.6.12): an own `option httpchk` drops inherited steps, and own
    steps drop the inherited request. If they have no `send`, nothing is asked and every check times out: then
    `options` has "no-request". "steps" in `options` are the words of those lines, `option httpchk` among them, in the
    order of writing, which counts; "arguments" are the words behind `option mysql-check` and the like. "opaque" says
    that a variable holds some of the words.
    """

    __slots__ = ("expect", "host", "kind", "line", "method", "options", "path", "rules", "timeout")

    def __init__(self, proxy: Proxy) -> None:
        self.line = check_option(proxy)
        self.kind = CHECK_OPTIONS[self.line.word(1)] if self.line else "tcp"
        self.timeout = proxy_time(proxy, "timeout check")
        self.method: Setting[str] | None = None
        self.path: Setting[str] | None = None
        self.host: Setting[str] | None = None
        self.expect: Setting[str] | None = None
        self.options: dict[str, Setting[Any]] = {}
        self.rules: list[Line] = []
        if self.line and self.kind in ("http", "tcp"):
            self._find(proxy, "http-check" if self.kind == "http" else "tcp-check")
        elif self.line and len(self.line.words) > 2:
            self._keep("arguments", [self.line], tuple(self.line.words[2:]))

    def _find(self, proxy: Proxy, word: str) -> None:
        """Take the steps, and the request of `option httpchk`, from the nearest section that has any."""
        for line in proxy.every(word):
            if line.word(1) in _SWITCHES:
                self.options[line.word(1)] = Setting(True, line.span)
        for section in proxy.chain():
            self.rules = [line for line in section.lines(word) if line.word(1) not in _SWITCHES]
            requests = section.lines("option httpchk") if word == "http-check" else ()
            if self.rules or requests:
                break
        if requests:
            self._request(requests[-1])
        elif word == "http-check":
            self.method = Setting("OPTIONS")
            if self.rules and not any(rule.word(1) == "send" for rule in self.rules):
                self.method = None
                self.options["no-request"] = Setting(True, self.rules[0].span)
        for rule in self.rules:
            self._rule(rule)
        lines = sorted([*requests[-1:], *self.rules], key=lambda line: line.start)
        if lines:
            self._keep("steps", lines, tuple(tuple(line.words[1:]) for line in lines))

    def _keep(self, name: str, lines: list[Line], words: tuple[Any, ...]) -> None:
        self.options[name] = Setting(words, lines[0].span)
        if any(line.opaque for line in lines):
            self.options["opaque"] = Setting(True, lines[0].span)

    def _request(self, line: Line) -> None:
        """Read `option httpchk [METHOD] [URI [VERSION [HOST]]]`; without a URI it is `OPTIONS /`."""
        words = line.words[2:]
        at = 2 if len(words) < 2 else 3
        self.method = Setting(words[0], line.span_of(2)) if len(words) > 1 else Setting("OPTIONS")
        self.path = Setting(line.words[at], line.span_of(at)) if words else Setting("/")
        if len(words) > 2:
            self._version(line.words[4], line)
        if len(words) > 3:
            self.host = Setting(line.words[5], line.span_of(5))

    def _version(self, text: str, line: Line) -> None:
        r"""Read a version; before `http-check send`, headers were written behind it: `HTTP/1.1\r\nHost:\ x`."""
        version, *headers = text.splitlines() or [""]
        self.options["version"] = Setting(version, line.span_of(4))
        for header in headers:
            name, _, value = header.partition(":")
            if name.strip().lower() == "host":
                self.host = Setting(value.strip(), line.span_of(4))

    def _rule(self, rule: Line) -> None:
        action = rule.word(1)
        if action == "expect":
            self.expect = Setting(rule.text_from(2), rule.span)
        elif action == "connect":
            self._connect(rule)
        elif action.startswith("send"):
            first = "send" not in self.options
            self.options.setdefault("send", Setting(rule.text_from(2), rule.span))
            if first and self.kind == "http":
                self._send(rule)

    def _connect(self, rule: Line) -> None:
        words = rule.words
        for index, word in enumerate(words[2:], 2):
            if word in ("port", "addr", "sni", "alpn", "proto") and index + 1 < len(words):
                self.options.setdefault(f"connect-{word}", Setting(words[index + 1], rule.span_of(index, index + 1)))
            elif word in ("ssl", "send-proxy", "default", "linger", "via-socks4"):
                self.options.setdefault(f"connect-{word}", Setting(True, rule.span_of(index)))
        self.options.setdefault("connect", Setting(True, rule.span))

    def _send(self, rule: Line) -> None:
        """Read `http-check send [meth M] [uri U] [ver V] [hdr NAME VALUE]… [body B]`."""
        words = rule.words
        for index, word in enumerate(words[2:-1], 2):
            value = Setting(words[index + 1], rule.span_of(index, index + 1))
            if word == "meth":
                self.method = value
            elif word in ("uri", "uri-lf"):
                self.path = value
            elif word == "ver":
                self.options["version"] = value
            elif word == "hdr" and words[index + 1].lower() == "host":
                self.host = Setting(rule.word(index + 2), rule.span_of(index, index + 2))


def check_option(proxy: Proxy) -> Line | None:
    """Return the `option httpchk`, `option tcp-check`, … that holds: the last one written, own ones first."""
    for section in proxy.chain():
        for line in reversed(section.lines("option")):
            if line.word(1) in CHECK_OPTIONS:
                return line if not line.modifier else None
    return None


def proxy_time(proxy: Proxy, keyword: str) -> Setting[float] | None:
    """Return an effective time of two words such as "timeout check"; None where none is written or it is no time."""
    line = proxy.effective(keyword)
    if line is None or 2 in line.opaque:
        return None
    value = seconds(line.word(2))
    return None if value is None else Setting(value, line.span)


class ServerCheck(HealthCheck):
    """The check of a server that has `check`, put together when somebody asks how it goes: most ask whether it is."""

    __slots__ = ("_common", "_entry")

    def __init__(self, entry: ServerLine, common: ProxyCheck) -> None:
        self._entry = entry
        self._common = common
        self.kind = common.kind
        self.options = common.options
        keywords = entry.shape.keywords
        if ("port" in keywords or "addr" in keywords) and _opaque_place(entry.options):
            self.options = {**common.options, "opaque": Setting(True)}

    @property
    def likeness(self) -> object:
        """Checks of servers of one shape are alike in one pool."""
        return self._entry.shape

    def __getattr__(self, name: str) -> Any:
        """Put the check together, and return a field that was not there before."""
        if name not in HealthCheck.__slots__:
            raise AttributeError(name)
        self._make()
        return getattr(self, name)

    def _make(self) -> None:
        options, common = self._entry.options, self._common
        get = options.get
        check = options["check"]
        HealthCheck.__init__(
            self,
            common.kind,
            WordSpan(check.line, check.index, check.index),
            interval=time(get("inter")) if "inter" in options else _INTERVAL,
            timeout=common.timeout,
            fall=count(get("fall")) if "fall" in options else _FALL,
            rise=count(get("rise")) if "rise" in options else _RISE,
            fast_interval=time(get("fastinter")),
            down_interval=time(get("downinter")),
            port=count(get("port")),
            address=text(get("addr")),
            method=common.method,
            path=common.path,
            host=common.host,
            expect=common.expect,
            options=self.options,
        )


def _opaque_place(options: Options) -> bool:
    """Say whether a variable holds the port or the address that a server's checks go to."""
    return any(keyword in options and options[keyword].opaque for keyword in ("port", "addr"))

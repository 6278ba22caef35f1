"""A HAProxy config written anew: lines that open no file and no address are kept, those that do are replaced.

All others are refused: without namespaces nothing else holds them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.prepared import Statement
from lbcheck.rehearsal.preparing.rewriting import address

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.tree import Line, Section
    from lbcheck.model import Config
    from lbcheck.rehearsal.preparing.rewriting import Rewriting

_SECTIONS = frozenset({"global", "defaults", "frontend", "backend", "listen"})
_FILE = "nothing is opened outside the private folder"
_STEERED = "lbcheck steers it"
_NO_LOG = "nothing is logged elsewhere"
#: Keywords of the global section that are taken out → why.
_TAKEN_OUT = {
    **dict.fromkeys(("daemon", "master-worker", "user", "group", "uid", "gid", "nbproc", "nbthread"), _STEERED),
    **dict.fromkeys(("cpu-map", "ulimit-n", "setcap", "hard-stop-after", "strict-limits", "maxconn"), _STEERED),
    **dict.fromkeys(("chroot", "stats", "pidfile", "ca-base", "crt-base", "ssl-dh-param-file"), _FILE),
    **dict.fromkeys(("unix-bind", "server-state-base", "server-state-file"), _FILE),
    **dict.fromkeys(("log", "log-tag", "log-send-hostname"), _NO_LOG),
}
_GLOBAL = re.compile(
    r"tune\.(?:bufsize|maxrewrite|http\.\w+|ssl\.default-dh-param|ssl\.cachesize|ssl\.lifetime|maxaccept|idletimer)"
    r"|ssl-default-(?:bind|server)-(?:ciphers|ciphersuites|options|curves)|spread-checks|max-spread-checks"
    r"|description|node|no-memory-trimming|ssl-server-verify"
)
#: Lines of a proxy that are taken out → why.
_PROXY_OUT = {
    "log": _NO_LOG, "log-tag": _NO_LOG, "errorfile": _FILE, "load-server-state-from-file": _FILE,
}  # fmt: skip
_KEPT = re.compile(
    r"acl|backlog|balance|capture|compression|cookie|default_backend|description|disabled|enabled|errorloc(?:302|303)?"
    r"|force-persist|fullconn|hash-balance-factor|hash-type|http-after-response|http-check|http-request|http-response"
    r"|http-reuse|id|ignore-persist|log-format|max-keep-alive-queue|maxconn|mode|monitor-uri|option|persist"
    r"|rate-limit|redirect|retries|retry-on|stats|stick|stick-table|tcp-check|tcp-request|tcp-response|timeout"
    r"|unique-id-(?:format|header)|use-server|use_backend"
)
#: What may follow: options, actions of rules, parts of checks and of the page of statistics.
_SECOND = {
    "option": re.compile(
        r"abortonclose|accept-invalid-http-re(?:quest|sponse)|allbackups|checkcache|clitcpka|contstats|dontlog-normal"
        r"|dontlognull|forwardfor|http-(?:buffer-request|ignore-probes|keep-alive|no-delay|server-close|use-htx)"
        r"|httpchk|httpclose|forceclose|httplog|idle-close-on-response|log-health-checks|log-separate-errors|logasap"
        r"|nolinger|originalto|persist|prefer-last-server|redispatch|socket-stats|splice-(?:auto|request|response)"
        r"|srvtcpka|tcp-check|tcp-smart-(?:accept|connect)|tcpka|tcplog"
    ),
    "stats": re.compile(r"enable|uri|realm|auth|hide-version|refresh|show-\w+|admin|scope|http-request"),
    "http-check": re.compile(r"expect|send|connect|disable-on-404|send-state|comment"),
    "tcp-check": re.compile(r"expect|send|send-binary|connect|comment"),
}
_ACTION = re.compile(
    r"(?:add|set|del)-header|replace-(?:header|value|path|pathq|uri)|set-(?:path|pathq|query|uri|method|status|nice|tos"
    r"|mark|log-level)|deny|reject|accept|tarpit|redirect|allow|strict-mode|normalize-uri|wait-for-body|capture"
    r"|disable-l7-retry|track-sc[0-9]|(?:set|unset)-var\(.*|sc-inc-gpc[01]\(.*|silent-drop|inspect-delay"
)
_RULES = frozenset({"http-request", "http-response", "http-after-response"})
_CONNECTIONS = frozenset({"tcp-request", "tcp-response"})
#: Words that open files, or load, wherever they stand; and those after which addresses would be looked for.
_OPENS = re.compile(
    r"-[fM]$|(?:errorfile|errorfiles|file|lf-file|addr|port|via-socks4|peers)$"
    r"|.*(?:\bmap(?:_\w+)?\(|jwt_verify|\blua\.|\bdebug\b|\b51d|\bwurfl|\bda-csv)"
)
#: A fetch or a flag whose values are addresses: HAProxy asks for those that are names (str2net(), src/tools.c).
_ADDRESSES = re.compile(r".*(?:\bsrc|\bdst|_src|_dst|_ip|\bip\b|ipmask|_addr)\b")
_NUMERIC = re.compile(r"[0-9.]+(?:/[0-9.]+)?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/[0-9]+)?")
#: HAProxy takes what is behind the last colon of an IPv6 address for the port.
_SIX = re.compile(r"(?P<host>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*):(?P<port>[0-9]{1,5})")
#: Parameters of servers and of listeners, without a value, and with one.
_FLAGS = frozenset(
    {"check", "backup", "disabled", "enabled", "ssl", "send-proxy", "send-proxy-v2", "check-send-proxy", "check-ssl",
     "non-stick", "no-check", "no-backup", "no-ssl", "no-check-ssl", "tfo", "allow-0rtt", "no-tls-tickets",
     "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "ssl-reuse", "no-ssl-reuse"}
)  # fmt: skip
_VALUES = frozenset(
    {"weight", "inter", "fastinter", "downinter", "rise", "fall", "maxconn", "minconn", "maxqueue", "slowstart", "id",
     "cookie", "track", "on-error", "on-marked-down", "on-marked-up", "error-limit", "observe", "sni", "alpn", "proto",
     "check-sni", "check-alpn", "check-proto", "ciphers", "ciphersuites", "ssl-min-ver", "ssl-max-ver", "init-addr",
     "pool-max-conn", "pool-purge-delay", "pool-low-conn", "max-reuse", "tcp-ut"}
)  # fmt: skip
_LISTENS = frozenset({"ssl", "accept-proxy", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tls-tickets",
                      "no-tlsv13", "strict-sni", "prefer-client-ciphers", "generate-certificates"})  # fmt: skip
_LISTENS_BY = frozenset(
    {"alpn", "name", "id", "maxconn", "ciphers", "ciphersuites", "ssl-min-ver", "ssl-max-ver", "proto", "curves",
     "verify"}
)  # fmt: skip
_SOCKET = frozenset({"transparent", "v4v6", "v6only", "defer-accept", "tfo"})
_SOCKET_BY = frozenset({"user", "group", "uid", "gid", "mode", "process", "thread", "interface", "backlog", "mss",
                        "shards", "level", "tcp-ut"})  # fmt: skip
_CERTIFICATES = frozenset({"crt", "ca-file"})
_PLAIN = re.compile(r"[A-Za-z0-9_./:=~^@*%+,&?!|<>(){}\[\]-]+")


#: Without resolvers of this name HAProxy makes them of the machine's name servers (resolvers_create_default()). No
#: server refers to them, so nothing is asked.
_OURS = (
    "global",
    "nbthread 1",
    "no strict-limits",
    "maxconn 2000",
    "resolvers default",
    "nameserver nobody 127.0.0.1:9",
)


def rewrite(config: Config, made: Rewriting) -> None:
    """Write a config anew. Raises OSError where there is no free place for a server."""
    for line in _OURS:
        made.write(line)
    for section in config.tree.read.sections:
        _section(made, section)


def commands(binary: str, made: Rewriting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return how HAProxy checks the config, and is started: as one process, that ends with the one that made it."""
    return (binary, "-c", "-f", made.path), (binary, "-db", "-f", made.path)


def _section(made: Rewriting, section: Section) -> None:
    head = section.head
    if section.templated or head.opaque or head.branch:
        made.refuse(head.span, "it is known only when it runs")
        return
    if section.kind not in _SECTIONS or (len(head.words) > 2 and (head.words[2] != "from" or len(head.words) > 4)):
        made.refuse(head.span, f"{' '.join(head.words[:3])} is not known to be safe")
        return
    _keep(made, head)
    for line in section.lines:
        made.statements.append(Statement(line.words, line.span_of))
        first = line.words[0]
        out = (_TAKEN_OUT if section.kind == "global" else _PROXY_OUT).get(first)
        if out is not None and not line.branch:
            made.change(line.span, "", out)
        elif line.branch or line.expands or line.opaque:
            made.refuse(line.span, "it is known only when it runs")
        elif section.kind == "global":
            _kept(made, line, safe=_GLOBAL.fullmatch(first) is not None)
        elif first == "bind":
            _bind(made, line)
        elif first in {"server", "default-server"}:
            _server(made, line)
        else:
            _kept(made, line, safe=_safe(line))


def _kept(made: Rewriting, line: Line, *, safe: bool) -> None:
    if safe:
        _keep(made, line)
    else:
        made.refuse(line.span, f"`{' '.join(line.words[:4])}` is not known to be safe")


def _keep(made: Rewriting, line: Line) -> None:
    made.write(_written(line, line.words), line.span)


def _written(line: Line, words: list[str]) -> str:
    return " ".join(filter(None, [line.modifier, *map(quoted, words)]))


def _safe(line: Line) -> bool:
    """Say whether a line of a proxy opens nothing, and asks for no name."""
    first, second = line.words[0], line.word(1)
    if not _KEPT.fullmatch(first) or any(map(_OPENS.match, line.words[1:])):
        return False
    names = [after for word, after in pairwise(line.words) if word == "except"]
    if not all(map(_NUMERIC.fullmatch, names)):
        return False
    if first in _SECOND and not _SECOND[first].fullmatch(second):
        return False
    if first in _RULES and not _ACTION.fullmatch(second):
        return False
    if first in _CONNECTIONS and second != "inspect-delay" and not _ACTION.fullmatch(line.word(2)):
        return False
    return not any(map(_ADDRESSES.match, line.words[1:])) or _only_numbers(line)


def _only_numbers(line: Line) -> bool:
    """Say whether the conditions of a line compare addresses with nothing but addresses."""
    words = line.words[3:] if line.words[0] == "acl" else _conditions(line.words)
    return all(word.startswith("-") or _NUMERIC.fullmatch(word) or _ADDRESSES.match(word) for word in words)


def _conditions(words: list[str]) -> list[str]:
    found, inside = [], False
    for word in words:
        if word in {"{", "!{"}:
            inside = True
        elif word == "}":
            inside = False
        elif inside:
            found.append(word)
    return found


def _bind(made: Rewriting, line: Line) -> None:
    where = _address(line.word(1))
    words, odd = _parameters(made, line.words[2:], _LISTENS, _LISTENS_BY, dropped=(_SOCKET, _SOCKET_BY))
    if where is None or odd is not None:
        made.refuse(line.span, f"bind {odd or line.word(1)} cannot be put elsewhere")
        return
    _replace(made, line, ["bind", made.places.listener(*where), *words], "a free port of loopback")


def _server(made: Rewriting, line: Line) -> None:
    at = 1 if line.words[0] == "default-server" else 3
    where = _address(line.word(2)) if at == 3 else ("", 0)
    words, odd = _parameters(made, line.words[at:], _FLAGS, _VALUES)
    if {"sni", "check-sni"} & set(words) and "verify" not in words:
        odd = "sni"  # the certificate that is made up has another name
    if where is None or odd is not None:
        made.refuse(line.span, f"{line.words[0]} {odd or line.word(2)} cannot be put elsewhere")
    elif at == 1:
        _replace(made, line, ["default-server", *words], _FILE)
    else:
        _replace(
            made,
            line,
            ["server", line.word(1), made.places.server(*where), *words],
            "a server of lbcheck's on loopback",
        )


def _address(text: str) -> tuple[str, int] | None:
    six = _SIX.fullmatch(text)
    return address(text) if six is None else address(f"[{six['host']}]:{six['port']}")


def _parameters(
    made: Rewriting,
    words: list[str],
    flags: frozenset[str],
    values: frozenset[str],
    dropped: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
) -> tuple[list[str], str | None]:
    """Return parameters as they are written anew, and the first that is not known to be safe."""
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in flags:
            found.append(word)
        elif word in values:
            value = next(rest, "")
            if _OPENS.match(value):
                return found, value
            found += [word, value]
        elif word in _CERTIFICATES:
            next(rest, "")
            found += [word, made.pem]
        elif word == "verify" and next(rest, "") == "none":
            found += ["verify", "none"]
        elif word in dropped[1]:
            next(rest, "")
        elif word not in dropped[0]:
            return found, word
    return found, None


def _replace(made: Rewriting, line: Line, words: list[str], reason: str) -> None:
    after = _written(line, words)
    made.write(after, line.span)
    if words != line.words:
        made.change(line.span, after, reason)


def quoted(word: str) -> str:
    """Return a word as HAProxy reads it again (parse_line(), src/tools.c): nothing is resolved in single quotes."""
    if _PLAIN.fullmatch(word):
        return word
    for char, written in (("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        word = word.replace(char, f"'{written}'")
    return f"'{word}'"

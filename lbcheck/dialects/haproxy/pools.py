"""Backends and listens into pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.algorithm import algorithm
from lbcheck.dialects.haproxy.health import ProxyCheck
from lbcheck.dialects.haproxy.keywords import BY_SECTION
from lbcheck.dialects.haproxy.routes import answering
from lbcheck.dialects.haproxy.serverlines import SERVER_LINES
from lbcheck.dialects.haproxy.servers import server
from lbcheck.dialects.haproxy.values import number, seconds, size
from lbcheck.files import MAX_TEMPLATE_SERVERS
from lbcheck.findings import NotChecked
from lbcheck.model import HealthCheck, Persistence, Pool, Retry, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.serverlines import ServerLine
    from lbcheck.dialects.haproxy.tree import Line

#: Keywords of one value that checks ask for, kept in `Pool.options`.
_TEXTS = (
    "load-server-state-from-file",
    "http-reuse",
    "dispatch",
    "http-send-name-header",
    "description",
    "hash-preserve-affinity",
)
_NUMBERS = ("maxconn", "fullconn", "max-session-srv-conns")
_SIZES = ("max-keep-alive-queue",)
#: Lines that put a page of one's own behind a status; `http-error` has the word `status` before it.
_ERROR_PAGES = ("errorfile", "errorloc", "errorloc302", "errorloc303", "http-error")


class Common:
    """What a backend is besides its place and its servers: its checks, and the fields of its pool."""

    __slots__ = ("check", "fields")

    def __init__(self, proxy: Proxy) -> None:
        self.check = ProxyCheck(proxy)
        self.fields: dict[str, Any] = {
            "algorithm": algorithm(proxy),
            "protocol": proxy.mode,
            "answers": _answers(proxy),
            "check": _check(self.check),
            "persistence": persistence(proxy),
            "retry": _retry(proxy),
            "timeouts": timeouts(proxy),
            "options": _options(proxy),
        }


def pool(proxy: Proxy) -> tuple[Pool, list[NotChecked]]:
    """Return a backend or listen as a pool, and what was not understood in its server lines."""
    entries = proxy.servers
    common = _common(proxy)
    usable = [entry for entry in entries if len(entry.line.words) > entry.address_index]
    servers = [server(entry, common.check) for entry in usable]
    made = Pool(proxy.name, proxy.span, servers, open=_open(proxy, usable), unsure=_unsure(proxy), **common.fields)
    return made, list(_unmodelled(entries))


def _unsure(proxy: Proxy) -> str | None:
    """Return which line of a section, of its servers or of what it inherits is not understood; None where all are."""
    for section in proxy.chain():
        known = BY_SECTION.get(section.kind)
        if known is None or section.index.keys() <= SERVER_LINES:
            continue
        for lines in section.index.values():
            if lines[0].words[0] not in known:
                return _line(lines[0], lines[0].words[0])
    if any(shape.unknown >= 0 for shape in proxy.shapes):
        entry = next(entry for entry in proxy.servers if entry.shape.unknown >= 0)
        return _line(entry.line, entry.line.word(entry.unknown))
    return None


def _line(line: Line, word: str) -> str:
    return f"`{word}` in line {line.span.line}"


def _common(proxy: Proxy) -> Common:
    """Return what backends that only list servers inherit from one defaults section, which is the same for all."""
    base = proxy.base
    if base is None or not proxy.lists_servers or proxy.disabled:
        return Common(proxy)
    if not isinstance(base.common, Common):
        base.common = Common(proxy)
    return base.common


def _open(proxy: Proxy, entries: list[ServerLine]) -> str | None:
    """Return why the pool's members or their weights are not all known; None where they are."""
    if proxy.section.templated:
        return "a template decides its servers"
    if not entries and proxy.lines("use-server"):
        return "servers are added at run time"  # a name that is not there yet can only be computed
    doubtful = entries
    if not proxy.gives("from"):
        doubtful = [entry for entry in entries if entry.line.opaque or entry.line.branch or not entry.simple]
    reason = next((reason for entry in doubtful if (reason := _open_line(proxy, entry)) is not None), None)
    if reason is None and any(0 in line.opaque for line in proxy.section.lines):
        return "a template decides its lines"
    return reason


def _open_line(proxy: Proxy, entry: ServerLine) -> str | None:
    line = entry.line
    if entry.template:
        return "a server-template makes its servers"
    if "from" in entry.options and entry.options["from"].value != "none":
        return "a named default-server holds a server's options"
    if line.branch and line.branch != proxy.section.head.branch:
        return "an .if block decides its servers"
    if line.opaque:
        weight = entry.options.get("weight")
        if line.expands or entry.unknown in line.opaque or (weight is not None and weight.opaque):
            return "a variable holds a server's options"
    return None


def _answers(proxy: Proxy) -> bool:
    """Say whether requests may end before a server is needed, so that having none is no defect."""
    for line, at, _ in answering(proxy):
        if line.word(at) not in ("allow", "accept"):
            return True
    if proxy.lines("stats") or any(proxy.effective(keyword) is not None for keyword in ("dispatch", "monitor-uri")):
        return True
    if any(proxy.option(name) is not None for name in ("transparent", "http_proxy")):
        return True
    if proxy.is_frontend and (proxy.lines("use_backend") or proxy.effective("default_backend") is not None):
        return True
    return bool(proxy.lines("stick-table")) or _own_503(proxy)


def _own_503(proxy: Proxy) -> bool:
    """Say whether the section itself says what a 503 looks like: so maintenance and static pages are served."""
    lines = [line for keyword in _ERROR_PAGES for line in proxy.lines(keyword)]
    return bool(proxy.lines("errorfiles")) or any("503" in line.words[1:3] for line in lines)


def persistence(proxy: Proxy) -> Persistence | None:
    """Return what keeps a client on its server: `cookie` first (mode http), else `stick` rules, else rdp-cookie."""
    cookie = proxy.effective("cookie")
    if cookie is not None:
        words = cookie.words[2:]
        mode = next((word for word in words if word in ("insert", "rewrite", "prefix")), None)
        return Persistence("cookie", cookie.span, cookie.word(1), mode, dynamic="dynamic" in words)
    for line in proxy.lines("stick"):
        if line.word(1) in ("on", "match"):
            return Persistence("stick-table", line.span, line.text_from(2), line.word(1))
    persist = proxy.effective("persist")
    return Persistence("rdp-cookie", persist.span, persist.word(1)) if persist is not None else None


def _check(check: ProxyCheck) -> HealthCheck | None:
    """Return the pool's own check: what an `option httpchk` and the like set up; None without one."""
    if check.line is None:
        return None
    return HealthCheck(
        check.kind,
        check.line.span,
        timeout=check.timeout,
        method=check.method,
        path=check.path,
        host=check.host,
        expect=check.expect,
        options=check.options,
    )


def _retry(proxy: Proxy) -> Retry:
    """Return retries (3 by default), redispatch (off by default) and `retry-on` (connection failures by default)."""
    retries = proxy.effective("retries")
    redispatch = proxy.effective("option redispatch")
    conditions = proxy.effective("retry-on")
    attempts: Setting[int] | None = Setting(3)
    if retries is not None:
        attempts = None if 1 in retries.opaque else Setting(number(retries.word(1)), retries.span)
    words = frozenset(conditions.words[1:]) if conditions is not None else frozenset({"conn-failure"})
    return Retry(
        attempts,
        Setting(not redispatch.modifier, redispatch.span) if redispatch is not None else Setting(False),
        Setting(words, conditions.span if conditions is not None else None),
    )


def timeouts(proxy: Proxy) -> dict[str, Setting[float]]:
    """Return every effective `timeout X` by X, in seconds."""
    found: dict[str, Setting[float]] = {}
    for section in proxy.chain():
        for line in reversed(section.lines("timeout")):
            name = line.word(1)
            if name not in found and 2 not in line.opaque and (value := seconds(line.word(2))) is not None:
                found[name] = Setting(value, line.span)
    return found


def _options(proxy: Proxy) -> dict[str, Setting[Any]]:
    options: dict[str, Setting[Any]] = {}
    for keyword in _TEXTS:
        if (line := proxy.effective(keyword)) is not None:
            options[keyword] = Setting(line.text_from(1), line.span)
    for keyword in _NUMBERS:
        if (line := proxy.effective(keyword)) is not None and 1 not in line.opaque:
            options[keyword] = Setting(number(line.word(1)), line.span)
    for keyword in _SIZES:
        if (line := proxy.effective(keyword)) is not None and 1 not in line.opaque:
            options[keyword] = Setting(size(line.word(1)), line.span)
    for name, line in proxy.options().items():
        options[name] = Setting(line.text_from(2) or True, line.span)
    if proxy.disabled:
        options["disabled"] = Setting(True, proxy.span)
    options.update(_own_rules(proxy))
    return options


def _own_rules(proxy: Proxy) -> Iterator[tuple[str, Setting[Any]]]:
    if lines := proxy.lines("stick-table"):
        yield "stick-table", Setting(lines[-1].text_from(1), lines[-1].span)
    if lines := proxy.lines("use-server"):
        yield "use-server", Setting(_named_servers(lines), lines[0].span)


def _named_servers(lines: Sequence[Line]) -> frozenset[str]:
    """Return the servers that `use-server` may choose past their weights; none stands for any (an expression)."""
    names = frozenset(line.word(1) for line in lines)
    return frozenset() if any("%" in name for name in names) else names


def _unmodelled(entries: list[ServerLine]) -> Iterator[NotChecked]:
    for entry in entries:
        if entry.shape.unknown >= 0:
            span = entry.line.span_of(entry.unknown)
            yield NotChecked(span, f"the server option {entry.line.words[entry.unknown]} is not known")
        if entry.count > MAX_TEMPLATE_SERVERS:
            yield NotChecked(entry.line.span_of(2), f"more than {MAX_TEMPLATE_SERVERS:,} servers from one template")

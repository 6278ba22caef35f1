"""What a proxy's mode cannot do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.conditions import condition_index, terms
from lbcheck.dialects.haproxy.samples import calls
from lbcheck.findings import Hit, Related
from lbcheck.patterns import pattern
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Algorithm, Config

_READS = {"uri": "the request's URI", "url_param": "a parameter of the URL", "hdr": "a header"}
_HTTP_SAMPLE = re.compile(
    r"(?:path|url\w*|hdr|req\.f?hdr\w*|req\.cook\w*|cook|base\w*|method|query|pathq|urlp)\b(?!\w)"
)
#: Fetches that read the HTTP request (manual 7.3.6), by what their names begin with.
_OF_HTTP = pattern(
    r"(?:path|pathq|url|urlp|url_param|url32|base|base32|query|meth|method|hdr|req\.f?hdrs?|req_f?hdr|cook|req\.cook"
    r"|req_cook|req\.ver|req_ver|req\.body|http_auth|http_first_req|capture\.req)(?:[_+].*)?\Z"
)
#: Rules that only HTTP mode runs; haproxy -c warns that they are ignored.
_RULES_OF_HTTP = ("http-request", "http-response", "http-after-response", "redirect")
#: More related places than this are not listed.
_RELATED = 10


def mode_mismatch(config: Config, context: Context) -> Iterator[Hit]:
    """R09: rules in TCP mode that read an HTTP request, or that only HTTP mode runs. One finding each a section."""
    del context
    if config.open is not None:
        return  # the mode may stand in the defaults of another file
    for proxy in config.tree.proxies:
        if proxy.mode != "tcp" or proxy.disabled or proxy.section.templated:
            continue
        upgraded = _switches(proxy) or _leads_to_http(config.tree, proxy)
        ignored = [line for keyword in _RULES_OF_HTTP if not upgraded for line in proxy.lines(keyword)]
        if ignored:
            what = listed(list(dict.fromkeys(f"`{line.words[0]}`" for line in ignored)))
            yield _mismatch(proxy, ignored, f"{what} is ignored", "HAProxy only warns of it at the start")
        early = (
            [] if not proxy.is_frontend or _waits(proxy) else [(line, _reads(proxy, line)) for line in _rules(proxy)]
        )
        unread = [(line, fetch) for line, fetch in early if fetch]
        if unread:
            problem = f"`{unread[0][1]}` finds nothing"
            effect = "the rule is decided when the connection is accepted, and the request is not there yet"
            yield _mismatch(proxy, [line for line, _ in unread], problem, effect)


def _mismatch(proxy: Proxy, lines: list[Line], problem: str, effect: str) -> Hit:
    related = [Related(line.span, "nor does this one do anything") for line in lines[1:_RELATED]]
    args = {"section": f"{proxy.kind} {proxy.name}", "problem": problem, "effect": effect}
    pool, frontend = (None, proxy.name) if proxy.is_frontend else (proxy.name, None)
    return Hit("R09", lines[0].span, args, related=related, frontend=frontend, pool=pool)


def _rules(proxy: Proxy) -> list[Line]:
    """Return the rules that decide where a connection goes."""
    own = [line for line in proxy.lines("tcp-request") if line.word(1) == "content"]
    return [*own, *proxy.lines("use_backend")]


def _content(proxy: Proxy) -> list[Line]:
    return [line for line in proxy.every("tcp-request") if line.word(1) == "content"]


def _switches(proxy: Proxy) -> bool:
    return any("switch-mode" in line.words for line in _content(proxy))


def _leads_to_http(tree: Tree, proxy: Proxy) -> bool:
    """Say whether a backend may be in HTTP mode: choosing it runs the frontend's HTTP rules, whatever haproxy warns."""
    lines = [*proxy.lines("use_backend"), *([default] if (default := proxy.effective("default_backend")) else [])]
    backends = [tree.backends.get(line.word(1)) for line in lines]
    return any(backend is None or backend.mode != "tcp" for backend in backends)


def _waits(proxy: Proxy) -> bool:
    """Say whether the first bytes of the request may be there when the rules are run.

    `tcp-request inspect-delay` alone waits for nothing: a `tcp-request content` rule has to ask for what is not there
    yet. Seen on 2.6, as that `defer-accept` is enough.
    """
    if _switches(proxy):
        return True
    if _content(proxy) and any(line.word(1) == "inspect-delay" for line in proxy.every("tcp-request")):
        return True
    return any(line.expands or {"defer-accept", "tfo"} & set(line.words) for line in proxy.lines("bind"))


def _reads(proxy: Proxy, line: Line) -> str | None:
    """Return the fetch by which a rule reads an HTTP request."""
    names = [call.name for call in calls(line) if not call.converter]
    index = condition_index(line, 2)
    for part in terms(line.words, index + 1) if index else ():
        for _, words, _, anonymous in part:
            declared = () if anonymous else proxy.acls.declarations(words[0])
            names += [re.split(r"[(,]", expression[0])[0] for expression in declared if expression]
    return next((name for name in names if _OF_HTTP.match(name)), None)


def hash_in_tcp_mode(config: Config, context: Context) -> Iterator[Hit]:
    """S08: a hash of what only an HTTP request has, in TCP mode; src/cfgparse.c falls back to round robin."""
    del context
    if config.open is not None:
        return  # the mode may stand in the defaults of another file
    for pool in config.pools:
        algorithm = pool.algorithm
        what = _unreadable(algorithm)
        if pool.protocol == "tcp" and what is not None and algorithm.span is not None and pool.servers:
            args = {"pool": pool.name, "method": algorithm.name, "what": what}
            yield Hit("S08", algorithm.span, args, pool=pool.name)


def _unreadable(algorithm: Algorithm) -> str | None:
    if algorithm.name in _READS:
        return _READS[algorithm.name]
    key = algorithm.key.value if algorithm.key is not None else ""
    return f"`{key}`" if algorithm.name == "hash" and _HTTP_SAMPLE.match(key) else None

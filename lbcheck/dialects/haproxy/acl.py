"""ACL expressions into tests of a request (src/acl.c, src/pattern.c; manual section 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.model import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

#: ACLs that exist without being declared (manual 7.4).
PREDEFINED: dict[str, tuple[str, ...]] = {
    "FALSE": ("always_false",),
    "HTTP": ("req.proto_http",),
    "HTTP_1.0": ("req.ver", "1.0"),
    "HTTP_1.1": ("req.ver", "1.1"),
    "HTTP_2.0": ("req.ver", "2.0"),
    "HTTP_3.0": ("req.ver", "3.0"),
    "HTTP_CONTENT": ("req.hdr_val(content-length)", "gt", "0"),
    "HTTP_URL_ABS": ("url_reg", "^[^/:]*://"),
    "HTTP_URL_SLASH": ("url_beg", "/"),
    "HTTP_URL_STAR": ("url", "*"),
    "LOCALHOST": ("src", "127.0.0.1/8", "::1"),
    "METH_CONNECT": ("method", "CONNECT"),
    "METH_DELETE": ("method", "DELETE"),
    "METH_GET": ("method", "GET", "HEAD"),
    "METH_HEAD": ("method", "HEAD"),
    "METH_OPTIONS": ("method", "OPTIONS"),
    "METH_POST": ("method", "POST"),
    "METH_PUT": ("method", "PUT"),
    "METH_TRACE": ("method", "TRACE"),
    "RDP_COOKIE": ("req.rdp_cookie_cnt", "gt", "0"),
    "REQ_CONTENT": ("req.len", "gt", "0"),
    "TRUE": ("always_true",),
    "WAIT_END": ("wait_end",),
}

#: Fetches that read a field of the model; those with an argument are handled in `_field`.
_FIELDS = {
    "path": "path",
    "method": "method",
    "src": "source",
    "req.ssl_sni": "sni",
    "req_ssl_sni": "sni",
    "ssl_fc_sni": "sni",
}
#: Suffixes that name how to match, as `path_beg`.
_SUFFIXES = {
    "beg": "prefix",
    "end": "suffix",
    "reg": "regex",
    "sub": "contains",
    "dir": "dir",
    "dom": "dom",
    "len": "len",
}
#: `-m METHOD`.
_METHODS = {**_SUFFIXES, "str": "exact", "found": "exists", "ip": "exact"}
#: Comparing path components or domain labels cannot be said in the model's words.
_OPAQUE_WAYS = frozenset({"dir", "dom", "len", "int", "bin", "bool"})
_FETCH = re.compile(r"([A-Za-z0-9_.-]+)(?:\((.*?)\))?((?:,.*)?)$", re.DOTALL)
_LOWER = re.compile(r",(?:lower|upper)(?:\(\))?")
#: Converters that only take the port off a host name.
_HOST_ONLY = re.compile(r",(?:host_only|field\(1,:\)|word\(1,:\)|regsub\([^()]*:[^()]*,[^()]*\))")
_FLAGS_WITH_VALUE = frozenset({"-m", "-u", "-f"})
_HEADERS = frozenset({"hdr", "req.hdr", "req.fhdr", "req_hdr"})
_PARAMS = frozenset({"url_param", "urlp"})

#: Conditions of which any has to hold; None: every request, (): none.
Test = tuple[Condition, ...] | None
EVERY: Test = None
NEVER: Test = ()


class Expression:
    """An ACL expression taken apart: fetch, its argument, converters, how to match, flags and patterns."""

    __slots__ = ("argument", "converters", "fetch", "files", "ignore_case", "method", "patterns", "words")

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        match = _FETCH.match(words[0]) if words else None
        self.fetch, self.argument, self.converters = (match[1], match[2] or "", match[3]) if match else ("", "", "")
        self.ignore_case = False
        self.files = False
        self.method = ""
        self.patterns: tuple[str, ...] = ()
        self._flags()

    def _flags(self) -> None:
        words = self.words
        index = 1
        while index < len(words) and words[index].startswith("-") and len(words[index]) > 1:
            flag = words[index]
            if flag == "--":
                index += 1
                break
            if flag == "-i":
                self.ignore_case = True
            elif flag == "-f":
                self.files = True
            elif flag == "-m":
                self.method = words[index + 1] if index + 1 < len(words) else ""
            elif flag not in ("-n", "-M", "-u"):
                break
            index += 2 if flag in _FLAGS_WITH_VALUE else 1
        self.patterns = words[index:]


def test(words: Sequence[str]) -> Test:
    """Return what an ACL expression (`path_beg -i /api /v2`) tests. What is not understood is one opaque condition."""
    expression = Expression(words)
    fetch = expression.fetch
    if fetch in ("always_true", "always_false"):
        return EVERY if fetch == "always_true" else NEVER
    if fetch == "bool" or not fetch:
        return (_opaque(expression),)
    if fetch in ("ssl_fc", "fc_ssl") and not expression.patterns and not expression.converters:
        return (Condition("scheme", "exact", ("https",)),)
    field, way = _field(expression)
    way = _METHODS.get(expression.method, expression.method) if expression.method else way
    converters = expression.converters
    if field == "host":
        converters = _HOST_ONLY.sub("", converters)
    lowered = _LOWER.sub("", converters)
    ignore_case = expression.ignore_case or lowered != converters
    if not field or lowered or expression.files or way in _OPAQUE_WAYS or (not expression.patterns and way != "exists"):
        return (_opaque(expression),)
    if way not in ("exact", "prefix", "suffix", "contains", "regex", "exists"):
        return (_opaque(expression),)
    return (Condition(field, way, expression.patterns, ignore_case=ignore_case),)


def _field(expression: Expression) -> tuple[str, str]:
    """Return the model's field that a fetch reads and how its name says to match; ("", …) where there is none."""
    fetch = expression.fetch
    base, _, suffix = fetch.rpartition("_")
    way = "exact"
    if suffix in _SUFFIXES and (base in _FIELDS or base in _HEADERS or base in _PARAMS or base == "meth"):
        fetch, way = base, _SUFFIXES[suffix]
    if fetch == "meth":
        fetch = "method"
    argument = expression.argument.split(",", maxsplit=1)[0].strip().lower()
    if fetch in _HEADERS and argument:
        return ("host" if argument == "host" else "header:" + argument), way
    if fetch in _PARAMS and argument:
        return "query:" + expression.argument.split(",", maxsplit=1)[0], way
    return _FIELDS.get(fetch, ""), way


def _opaque(expression: Expression) -> Condition:
    return Condition("opaque", "exact", (" ".join(expression.words),))

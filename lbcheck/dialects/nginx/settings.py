"""What holds for requests through a route: retries, times, headers; nginx's defaults where nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.nginx.values import seconds, split_url, whole
from lbcheck.model import Retry, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive

#: nginx's own defaults (docs, ngx_http_proxy_module and ngx_stream_proxy_module).
_NEXT_UPSTREAM = Setting(frozenset({"error", "timeout"}))
_TRIES = Setting(0)
_MINUTE = Setting(60.0)
_TEN_MINUTES = Setting(600.0)
#: What says how a server's certificate is verified and which one is shown to it (FAMILY_ssl_verify, …).
_TLS = (
    "ssl_verify", "ssl_verify_depth", "ssl_name", "ssl_server_name", "ssl_trusted_certificate", "ssl_certificate",
    "ssl_certificate_key",
)  # fmt: skip
_HTTP_TIMES = (("connect", _MINUTE), ("send", _MINUTE), ("read", _MINUTE))


def retry(scope: Scope, family: str) -> Retry:
    """Return what happens to a request whose server fails. `attempts` 0 means as many as there are servers.

    Stream knows only `on` and `off`: a connection that fails goes to the next server.
    """
    conditions = scope.inherited(f"{family}_next_upstream")
    tries = scope.inherited(f"{family}_next_upstream_tries")
    number = whole(tries.args[0]) if tries is not None and tries.args else None
    words = _NEXT_UPSTREAM
    if conditions is not None:
        words = Setting(words.value if conditions.args == ["on"] else frozenset(conditions.args), conditions.span)
    return Retry(
        Setting(number, tries.span) if tries is not None and number is not None else _TRIES,
        Setting("off" not in words.value and number != 1, words.span),
        words,
    )


def timeouts(scope: Scope, family: str, kind: str) -> dict[str, Setting[float]]:
    """Return the times in seconds: "connect", "send" and "read"; in stream "connect" and "idle" (proxy_timeout).

    "next_upstream" is there where somebody limits how long a request goes on to further servers.
    """
    if kind == "stream":
        wanted = [("connect", f"{family}_connect_timeout", _MINUTE), ("idle", f"{family}_timeout", _TEN_MINUTES)]
    else:
        wanted = [(name, f"{family}_{name}_timeout", default) for name, default in _HTTP_TIMES]
    found = {}
    for name, keyword, default in wanted:
        item = scope.inherited(keyword)
        value = seconds(item.args[0]) if item is not None and item.args else None
        if item is None:
            found[name] = default
        elif value is not None:
            found[name] = Setting(value, item.span)
    limit = scope.inherited(f"{family}_next_upstream_timeout")
    value = seconds(limit.args[0]) if limit is not None and limit.args else None
    if limit is not None and value:  # 0 is no limit
        found["next_upstream"] = Setting(value, limit.span)
    return found


def options(scope: Scope, item: Directive, family: str, text: str) -> dict[str, Setting[Any]]:
    """Return what else holds, by these words; what is absent is nginx's default.

    "pass": the family of the *_pass; "tls": True where it speaks TLS, with "ssl_verify", "ssl_name" and their like;
    "host" and "connection": these headers as they are set (nginx takes the innermost block's *_set_header, all or
    none); "http_version"; "resolver"; "proxy_protocol" in stream.
    """
    found: dict[str, Setting[Any]] = {"pass": Setting(family, item.name_span)}
    tls = scope.inherited("proxy_ssl") if "stream" in scope.path else None
    if split_url(text)[0] in {"https", "grpcs", "suwsgi"}:
        found["tls"] = Setting(True, item.arg_span(0))
    elif tls is not None and tls.args == ["on"]:
        found["tls"] = Setting(True, tls.span)
    for one in scope.inherited_all(f"{family}_set_header"):
        name = one.args[0].lower() if one.args else ""
        if name in {"host", "connection"} and len(one.args) > 1:
            found[name] = Setting(one.args[1], one.span)
    wanted = [("http_version", f"{family}_http_version"), ("resolver", "resolver")]
    if "tls" in found:
        wanted += [(name, f"{family}_{name}") for name in _TLS]
    if "stream" in scope.path:
        wanted.append(("proxy_protocol", "proxy_protocol"))
    for key, keyword in wanted:
        written = scope.inherited(keyword)
        if written is not None and written.args:
            found[key] = Setting(" ".join(written.args), written.span)
    return found

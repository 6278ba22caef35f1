"""What annotations of an Ingress do to its requests: read where ingress-nginx has them, else named as not known.

Source: ingress-nginx's internal/ingress/annotations, one package for each, and rootfs/etc/nginx/template/nginx.tmpl.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from lbcheck.dialects.kubernetes.controllers import ANNOTATION, NGINX, annotation, flag, is_canary
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.model import Condition
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.kubernetes.objects import Object

_SNIPPET = "what a snippet does to requests"
_REFUSED = "requests that are refused"
#: What annotations do that the model does not have.
_UNREAD = {
    "auth-tls-secret": f"{_REFUSED} without a certificate of the client",
    "auth-type": f"{_REFUSED} without a password",
    "auth-url": f"{_REFUSED} by a service that is asked about them",
    "configuration-snippet": _SNIPPET,
    "custom-http-errors": "answers of a default backend in place of those of pods",
    "default-backend": "what a default backend gets where no pod is ready, and for errors",
    "enable-modsecurity": f"{_REFUSED} by the web application firewall",
    "global-rate-limit": f"{_REFUSED} beyond a limit",
    "limit-connections": f"{_REFUSED} beyond a limit",
    "limit-rpm": f"{_REFUSED} beyond a limit",
    "limit-rps": f"{_REFUSED} beyond a limit",
    "mirror-target": "copies of requests that go elsewhere too",
    "modsecurity-snippet": f"{_REFUSED} by the web application firewall",
    "satisfy": "who is let in where one of two conditions is enough",
    "server-snippet": _SNIPPET,
    "ssl-passthrough": "connections in TLS that go to the pods unread, by the server's name alone",
}
_BOOLEANS = frozenset({"enable-modsecurity", "ssl-passthrough"})
_LIMITS = frozenset({"global-rate-limit", "limit-connections", "limit-rpm", "limit-rps"})
#: What is read, and decides where requests go: not known where a template has yet to write it.
_READ = frozenset({
    "affinity", "affinity-mode", "allowlist-source-range", "app-root", "backend-protocol", "canary", "canary-weight",
    "canary-weight-total", "denylist-source-range", "enable-cors", "force-ssl-redirect", "from-to-www-redirect",
    "load-balance", "permanent-redirect", "rewrite-target", "server-alias", "service-upstream", "ssl-redirect",
    "temporal-redirect", "upstream-hash-by", "use-regex", "whitelist-source-range",
})  # fmt: skip
#: Annotations of other controllers that decide where requests go, or whether they do.
_FOREIGN = pattern(
    r"traefik\.ingress\.kubernetes\.io/(?:router\.(?:entrypoints|middlewares|pathmatcher|priority|rulesyntax"
    r"|tls|tls\.options)\Z|service\.(?:nativelb|nodeportlb|sticky)\b)"
    r"|alb\.ingress\.kubernetes\.io/(?:actions\.|auth-type|conditions\.|group\.|inbound-cidrs|ssl-redirect"
    r"|target-group-attributes|transforms\.|use-regex-path-match)"
    r"|(?:haproxy\.org|haproxy-ingress\.github\.io|ingress\.kubernetes\.io)/(?:affinity|agent-|allow|app-root|auth-"
    r"|backend-config-snippet|balance|black|blue-green|config-|cookie-persistence|default-backend|deny|frontend-config"
    r"|limit-|load-balance|path-rewrite|path-type|pod-maxconn|rate-limit|redirect|request-redirect|rewrite-target"
    r"|route-acl|server-alias|service-upstream|session-cookie|slots-|ssl-passthrough|ssl-redirect|standalone-backend"
    r"|use-regex|waf|whitelist)"
    r"|nginx\.(?:org|com)/(?:basic-auth|jwt|lb-method|limit-req|location-snippets|mergeable-ingress-type|path-regex"
    r"|policies|redirect-to-https|rewrites|server-snippets|sticky-cookie|use-cluster-ip)"
)
#: Directives of nginx that leave requests to whom they would go to.
_QUIET = pattern(
    r"(?:more_(?:set|clear)_headers|add_header|add_trailer|proxy_(?:set|hide|pass|ignore)_headers?|proxy_cookie_\w+"
    r"|grpc_set_header|sub_filter\w*|gzip\w*|brotli\w*|expires|charset\w*|etag|server_tokens|access_log|error_log"
    r"|client_\w+|proxy_(?:buffer\w*|busy_buffers_size|max_temp_file_size|\w+_timeout|http_version|request_buffering)"
    r"|keepalive_\w+|send_timeout|large_client_header_buffers|chunked_transfer_encoding|tcp_nodelay|underscores_in_headers"
    r"|port_in_redirect|absolute_redirect|ssl_\w+|opentelemetry\w*|opentracing\w*)\Z"
)
_WORD = pattern(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};"']+|["']""")
_ADDRESS = pattern(r"""https?://[^\s$"'{};\\]+\Z""", 2)
#: Values that can be shown: no text of a snippet, no password in an address.
_SHOWN = pattern(r"[\w., /:%-]{1,60}\Z")


class Mark(NamedTuple):
    """An annotation that decides about requests in a way that is not known."""

    key: str
    node: ScalarNode
    reason: str

    @property
    def condition(self) -> Condition:
        """What requests have to meet, whatever it is, so that two versions of it can be told apart."""
        text = self.node.text
        value = text if _SHOWN.match(text) and "url" not in self.key else f"{crc32(text.encode()):08x}"
        return Condition("opaque", "exact", [f"{self.key.removeprefix(ANNOTATION)} {value}"])


def marks(one: Object, controller: str | None) -> Iterator[Mark]:
    """Yield the annotations of an Ingress that decide about requests in ways that are not known.

    A canary has those of the Ingress that it accompanies.
    """
    beside = controller == NGINX and is_canary(one)
    for key, (_, node) in one.meta.view("annotations").fields.items():
        if not isinstance(node, ScalarNode) or not node.text.strip():
            continue
        if controller == NGINX and key.startswith(ANNOTATION):
            name = key.removeprefix(ANNOTATION)
            reason = _reason(name, node.text)
            if reason and not (beside and name in _UNREAD):
                yield Mark(key, node, reason)
        elif controller != NGINX and _FOREIGN.match(key):
            yield Mark(key, node, f"what {key} does to requests")


def _reason(name: str, text: str) -> str:
    if name in _READ:
        return f"what {name} will be" if opaque(text) else _unreadable(name, text)
    if name not in _UNREAD or (name in _LIMITS and text.strip() == "0"):
        return ""
    if (name in _BOOLEANS and text not in ("1", "t", "T", "TRUE", "true", "True")) or (
        name == "satisfy" and text != "any"
    ):
        return ""
    return "" if name.endswith("-snippet") and _quiet(text) else _UNREAD[name]


def _unreadable(name: str, text: str) -> str:
    """Return why the value of an annotation that is read cannot be, "" where it can."""
    if name.endswith("list-source-range") and not _ranges(text):
        return "who is let in: the ranges are none that can be read"
    if name == "permanent-redirect" and not _ADDRESS.match(text.strip()):
        return "a redirect to what is no plain address"
    if name == "temporal-redirect" and text.strip().lower().startswith("http") and not _ADDRESS.match(text.strip()):
        return "a redirect to what is no plain address"
    if name == "rewrite-target" and not text.strip().startswith("/"):
        return "a rewrite-target that is no path, and may redirect"
    return ""


def _ranges(text: str) -> list[str]:
    """Return the addresses and networks of a list, none where one of them is no such thing."""
    try:
        return [str(ip_network(part.strip(), strict=False)) for part in text.split(",")]
    except ValueError:
        return []


def _quiet(snippet: str) -> bool:
    """Say whether no directive of a snippet decides where requests go."""
    start = True
    for found in _WORD.finditer(snippet):
        word = found[0]
        if word.startswith("#"):
            continue
        if word in ("{", "}", '"', "'") or (start and word != ";" and not _QUIET.match(word)):
            return False
        start = word == ";"
    return True


def restrictions(one: Object, controller: str | None) -> list[Condition]:
    """Return what requests have to meet, besides host and path, before the pods of an Ingress get them."""
    found = [mark.condition for mark in marks(one, controller) if mark.key != f"{ANNOTATION}server-snippet"]
    if controller != NGINX:
        return found
    allowed = annotation(one, "allowlist-source-range") or annotation(one, "whitelist-source-range")
    for node, negated in ((allowed, False), (annotation(one, "denylist-source-range"), True)):
        ranges = [] if node is None else _ranges(node.text)
        if ranges:
            found.append(Condition("source", "exact", ranges, negated=negated))
    if flag(one, "enable-cors") is True:  # preflight requests are answered
        found.append(Condition("method", "exact", ["OPTIONS"], negated=True))
    return found


def of_the_host(one: Object, controller: str | None) -> list[Condition]:
    """Return what requests for all paths of a host have to meet, other Ingresses' paths too."""
    return [mark.condition for mark in marks(one, controller) if mark.key == f"{ANNOTATION}server-snippet"]


def redirected(one: Object) -> bool:
    """Say whether ingress-nginx answers all requests of an Ingress with a redirect.

    A temporal-redirect goes before; one that is no address of HTTP makes both void (annotations/redirect Parse()).
    """
    for name in ("temporal-redirect", "permanent-redirect"):
        node = annotation(one, name)
        if node is not None and node.text.strip():
            return _ADDRESS.match(node.text.strip()) is not None
    return False


def app_root(one: Object) -> ScalarNode | None:
    """Return the path to which ingress-nginx redirects requests for `/` of the hosts of an Ingress."""
    node = annotation(one, "app-root")
    return node if node is not None and node.text.startswith("/") else None


def aliases(one: Object) -> list[str]:
    """Return the other names for which ingress-nginx serves the hosts of an Ingress."""
    node = annotation(one, "server-alias")
    parts = [] if node is None or opaque(node.text) else [part.strip() for part in node.text.split(",")]
    return sorted({part for part in parts if part})


def by_expression(one: Object, path: str) -> bool:
    """Say whether a path makes ingress-nginx take all paths of its host for regular expressions.

    Source: internal/ingress/controller/template/template.go enforceRegexModifier().
    """
    target = annotation(one, "rewrite-target")
    return flag(one, "use-regex") is True or (target is not None and target.text.strip() not in ("", path))


def needs_tls(one: Object, *, tls: bool) -> bool:
    """Say whether ingress-nginx redirects plain requests for an Ingress; `tls`: its host has a certificate.

    Sources: rootfs/etc/nginx/lua/lua_ingress.lua redirect_to_https(), annotations/rewrite Parse().
    """
    return flag(one, "force-ssl-redirect") is True or (tls and flag(one, "ssl-redirect") is not False)

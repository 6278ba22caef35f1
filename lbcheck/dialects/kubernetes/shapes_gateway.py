"""What the API server demands of Gateway API objects: the patterns and CEL rules of the CRDs.

Source: kubernetes-sigs/gateway-api apis/v1 and apis/v1beta1, the kubebuilder markers there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.durations import gateway_seconds
from lbcheck.dialects.kubernetes.shapes import Listing, Number, Record, Text
from lbcheck.dialects.kubernetes.view import View, opaque
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.shapes import Report, Shape

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_PATH = r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+"

PORT = Number(1, 65535)
HOST = Text(pattern(rf"(?:\*\.)?{_SUBDOMAIN}\Z"), advice="write a host name in lower case, without scheme and port")
PRECISE = Text(pattern(rf"{_SUBDOMAIN}\Z"), advice="write a host name in lower case, without a wildcard")
_NAME = Text(pattern(rf"{_SUBDOMAIN}\Z"), advice="write lower-case letters, digits, - and .")
_GROUP = Text(pattern(rf"(?:{_SUBDOMAIN})?\Z"), advice='write an API group, "" for the core one')
_KIND = Text(pattern(r"[a-zA-Z](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?\Z"), advice="write a kind such as Service")
_HEADER = Text(pattern(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+\Z"), advice="write the name of an HTTP header")
_HEADER_VALUE = Text(pattern(r"[!-~]+(?:[\t ]?[!-~]+)*\Z"), advice="write printable ASCII on one line")
_DURATION = Text(pattern(r"(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}\Z"), advice="write a time such as 10s or 1m30s")
_METHOD = Text(words=("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
_MATCH_TYPE = Text(words=("Exact", "RegularExpression"))


def _path(view: View, name: str, report: Report) -> None:
    """Hold a path to the characters and elements that it may have."""
    kind, value = view.text("type") or "PathPrefix", view.text("value")
    if value is None or opaque(value) or kind not in ("Exact", "PathPrefix"):
        return
    problem = ""
    if not value.startswith("/"):
        problem = "does not begin with /"
    elif any(part in value for part in ("//", "/./", "/../", "%2f", "%2F", "#")) or value.endswith(("/.", "/..")):
        problem = "has an element that a path of the Gateway API may not have"
    elif not pattern(rf"{_PATH}\Z").match(value):
        problem = "has a character that a path may not have"
    if problem:
        advice = "write a plain path, or type: RegularExpression"
        report.add("E09", view.place("value"), f"{name}.value {value[:60]} {problem}", advice)


def _service_port(view: View, name: str, report: Report) -> None:
    if (view.text("group") or "") == "" and (view.text("kind") or "Service") == "Service" and "port" not in view:
        report.add("E08", view.place("name"), f"{name} names a Service without its port", "write port:")


BACKEND = Record(
    {"group": _GROUP, "kind": _KIND, "name": Text(), "namespace": _NAME, "port": PORT, "weight": Number(0, 1_000_000)},
    ("name",),
    (_service_port,),
)
_PARENT = Record({"group": _GROUP, "kind": _KIND, "name": Text(), "port": PORT, "sectionName": _NAME}, ("name",))

_HEADERS = Record(
    {
        "set": Listing(Record({"name": _HEADER, "value": _HEADER_VALUE}, ("name", "value")), unique=("name",)),
        "add": Listing(Record({"name": _HEADER, "value": _HEADER_VALUE}, ("name", "value")), unique=("name",)),
        "remove": Listing(Text(), unique=("",)),
    }
)
_REDIRECT = Record(
    {
        "hostname": PRECISE,
        "port": PORT,
        "scheme": Text(words=("http", "https")),
        "statusCode": Number(301, 308),
        "path": Record({"type": Text(words=("ReplaceFullPath", "ReplacePrefixMatch"))}, ("type",)),
    }
)
_EXTERNAL_AUTH = Record(
    {
        "protocol": Text(words=("HTTP", "GRPC")),
        "backendRef": BACKEND,
        "http": Record({"path": Text(pattern(rf"{_PATH}\Z"), advice="write a plain path")}),
    },
    ("protocol", "backendRef"),
)
#: The field in which each type of filter keeps what it does.
_FILTERS: dict[str, tuple[str, Shape]] = {
    "RequestHeaderModifier": ("requestHeaderModifier", _HEADERS),
    "ResponseHeaderModifier": ("responseHeaderModifier", _HEADERS),
    "RequestMirror": ("requestMirror", Record({"backendRef": BACKEND}, ("backendRef",))),
    "RequestRedirect": ("requestRedirect", _REDIRECT),
    "URLRewrite": ("urlRewrite", Record({"hostname": PRECISE})),
    "CORS": ("cors", Record({})),
    "ExternalAuth": ("externalAuth", _EXTERNAL_AUTH),
    "ExtensionRef": ("extensionRef", Record({"name": Text()}, ("name",))),
}
#: Filters of which a rule may have one.
_SINGLE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS")


def _filter(view: View, name: str, report: Report) -> None:
    """A filter's type and its field belong together, and it has no other one."""
    kind = view.text("type")
    if kind not in _FILTERS:
        return
    field = _FILTERS[kind][0]
    other = next((key for key, _ in _FILTERS.values() if key in view and key != field), None)
    if other is not None:
        report.add("E14", view.place(other), f"{name} is of type {kind} and has {other}", f"write {field}: instead")
    if field not in view:
        report.add("E08", view.place("type"), f"{name} is of type {kind} and has no {field}", f"write {field}:")


_FILTER = Record({"type": Text(), **dict(_FILTERS.values())}, ("type",), (_filter,))


def _filters(view: View, name: str, report: Report) -> None:
    """One rule has one filter of a type, redirects or rewrites, and redirects without backends."""
    seen: dict[str, View] = {}
    for one in view.views("filters"):
        kind = one.text("type") or ""
        first = seen.setdefault(kind, one)
        if first is not one and kind in _SINGLE:
            problem = f"{name}.filters has {kind} twice"
            report.add("E10", one.place("type"), problem, "write one that does both", first.place("type"))
    redirect = seen.get("RequestRedirect")
    if redirect is not None and "URLRewrite" in seen:
        problem = f"{name} both redirects and rewrites"
        report.add("E14", redirect.place("type"), problem, "write a rule for each")
    if redirect is not None and view.items("backendRefs"):
        problem = f"{name} redirects and has backends, which would get nothing"
        report.add("E14", redirect.place("type"), problem, "drop the backendRefs or the redirect")


def _timeouts(view: View, name: str, report: Report) -> None:
    request, backend = (gateway_seconds(view.text(one) or "") for one in ("request", "backendRequest"))
    if request and backend and backend > request:
        problem = f"{name}.backendRequest {view.text('backendRequest')} is longer than request {view.text('request')}"
        report.add("E14", view.place("backendRequest"), problem, "make request the longer one")


_HTTP_MATCH = Record(
    {
        "path": Record({"type": Text(words=("Exact", "PathPrefix", "RegularExpression"))}, rules=(_path,)),
        "method": _METHOD,
        "headers": Listing(
            Record({"type": _MATCH_TYPE, "name": _HEADER, "value": Text()}, ("name", "value")), unique=("name",)
        ),
        "queryParams": Listing(
            Record({"type": _MATCH_TYPE, "name": Text(), "value": Text()}, ("name", "value")), unique=("name",)
        ),
    }
)
_RULE = {"filters": Listing(_FILTER), "backendRefs": Listing(BACKEND)}
_HTTP_RULE = Record(
    {
        **_RULE,
        "matches": Listing(_HTTP_MATCH),
        "timeouts": Record({"request": _DURATION, "backendRequest": _DURATION}, rules=(_timeouts,)),
    },
    rules=(_filters,),
)
_ROUTE = {"parentRefs": Listing(_PARENT), "hostnames": Listing(HOST)}
_PLAIN_RULES = Listing(Record({"backendRefs": Listing(BACKEND)}), least=1)

HTTP_ROUTE = Record({**_ROUTE, "rules": Listing(_HTTP_RULE)})
GRPC_ROUTE = Record({**_ROUTE, "rules": Listing(Record(_RULE))})
STREAM_ROUTE = Record({"parentRefs": Listing(_PARENT), "rules": _PLAIN_RULES}, ("rules",))
TLS_ROUTE_ALPHA = Record({**_ROUTE, "rules": _PLAIN_RULES}, ("rules",))
TLS_ROUTE = Record({**_ROUTE, "rules": _PLAIN_RULES}, ("hostnames", "rules"))


def _listener(view: View, name: str, report: Report) -> None:
    """Protocols differ in what goes with them."""
    protocol, mode = view.text("protocol"), view.view("tls").text("mode")
    if "tls" in view and protocol in ("HTTP", "TCP", "UDP"):
        report.add("E14", view.place("tls"), f"{name} is {protocol} and has tls", "drop it, or write protocol: HTTPS")
    if view.text("hostname") and protocol in ("TCP", "UDP"):
        problem = f"{name} is {protocol}, which knows no host names, and has a hostname"
        report.add("E14", view.place("hostname"), problem, "drop it")
    if protocol == "HTTPS" and mode not in (None, "Terminate") and not opaque(mode):
        problem = f"{name} is HTTPS, and tls.mode is {mode}"
        report.add("E14", view.view("tls").place("mode"), problem, "write Terminate, or protocol: TLS")


def _listeners(view: View, name: str, report: Report) -> None:
    """No two listeners have port, protocol and host name in common."""
    seen: dict[tuple[str | None, ...], View] = {}
    for one in view.views("listeners"):
        key = (one.text("port"), one.text("protocol"), one.text("hostname"))
        first = seen.setdefault(key, one)
        if first is not one and None not in key[:2] and not any(opaque(part) for part in key):
            problem = f"{name} has two listeners for port {key[0]}, {key[1]}{f' and {key[2]}' if key[2] else ''}"
            report.add("E10", one.place("name"), problem, "give each its own port or hostname", first.place("name"))


def _address(view: View, name: str, report: Report) -> None:
    kind, value = view.text("type") or "IPAddress", view.text("value")
    if value is None or opaque(value):
        return
    if kind == "IPAddress" and not _is_ip(value):
        report.add("E09", view.place("value"), f"{name}.value {value[:60]} is no IP address", "write one")
    if kind == "Hostname" and not HOST.pattern.match(value):  # type: ignore[union-attr]
        report.add("E09", view.place("value"), f"{name}.value {value[:60]} is no host name", "write one without a port")


def _is_ip(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


_LISTENER = Record(
    {
        "name": _NAME,
        "hostname": HOST,
        "port": PORT,
        "protocol": Text(
            pattern(rf"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?\Z|{_SUBDOMAIN}/[A-Za-z0-9]+\Z"),
            advice="write HTTP, HTTPS, TLS, TCP or UDP",
        ),
        "tls": Record({"mode": Text(words=("Terminate", "Passthrough"))}),
        "allowedRoutes": Record(
            {
                "namespaces": Record({"from": Text(words=("All", "Selector", "Same", "None"))}),
                "kinds": Listing(Record({})),
            }
        ),
    },
    ("name", "port", "protocol"),
    (_listener,),
)
GATEWAY = Record(
    {
        "gatewayClassName": Text(),
        "listeners": Listing(_LISTENER, unique=("name",)),
        "addresses": Listing(Record({}, rules=(_address,))),
    },
    ("gatewayClassName", "listeners"),
    (_listeners,),
)
GATEWAY_CLASS = Record(
    {
        "controllerName": Text(
            pattern(rf"{_SUBDOMAIN}/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+\Z"),
            advice="write domain/path, such as example.com/gateway",
        )
    },
    ("controllerName",),
)
REFERENCE_GRANT = Record(
    {
        "from": Listing(Record({"group": _GROUP, "kind": _KIND, "namespace": _NAME}, ("kind", "namespace")), least=1),
        "to": Listing(Record({"group": _GROUP, "kind": _KIND}, ("kind",)), least=1),
    },
    ("from", "to"),
)


def _authorities(view: View, name: str, report: Report) -> None:
    given = [one for one in ("caCertificateRefs", "wellKnownCACertificates") if view.items(one) or view.text(one)]
    both = "caCertificateRefs and wellKnownCACertificates"
    if len(given) > 1:
        report.add("E14", view.span, f"{name} has both {both}", "write one of them")
    if not given:
        report.add("E08", view.span, f"{name} has none of {both}", "write one of them")


BACKEND_TLS_POLICY = Record(
    {
        "targetRefs": Listing(Record({"group": _GROUP, "kind": _KIND, "name": Text()}, ("kind", "name")), least=1),
        "validation": Record({"hostname": PRECISE}, ("hostname",), (_authorities,)),
    },
    ("targetRefs", "validation"),
)

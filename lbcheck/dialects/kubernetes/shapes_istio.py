"""What istiod's webhook and the CRDs demand of Istio's objects.

Source: istio/api networking/v1alpha3, the markers there, and istio/istio pkg/config/validation.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.durations import go_seconds
from lbcheck.dialects.kubernetes.shapes import Listing, Named, Number, Record, Text, together
from lbcheck.dialects.kubernetes.view import View, opaque
from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.shapes import Report, Shape
    from lbcheck.dialects.yaml_nodes import Node

PORT = Number(1, 65535)
_COUNT = Number(0, 2**32 - 1)
_PERCENT = Number(0, 100, whole=False)
_PORT_NAME = pattern(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?\Z")


class _Duration:
    """A duration of Go's, above a bound."""

    __slots__ = ("least",)

    def __init__(self, least: float) -> None:
        self.least = least

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge form and length."""
        text = node.text if isinstance(node, ScalarNode) else ""
        if opaque(text):
            return
        seconds = go_seconds(text)
        if seconds is None:
            report.add("E09", node.span, f"{name} {text[:40]} is no duration", "write a number and its unit: 5s, 300ms")
        elif seconds < self.least:
            report.add("E09", node.span, f"{name} is {text}", f"the shortest one is {self.least * 1000:g}ms")


_TIME = _Duration(0.001)
_ANY_TIME = _Duration(0.0)

_LOAD_BALANCER = Record(
    {
        "simple": Text(words=("UNSPECIFIED", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN")),
        "consistentHash": Record({"minimumRingSize": _COUNT, "httpCookie": Record({"name": Text()}, ("name",))}),
        "warmup": Record(
            {"duration": _TIME, "minimumPercent": _PERCENT, "aggression": Number(1, inf, whole=False)}, ("duration",)
        ),
        "warmupDurationSecs": _TIME,
    },
    rules=(together("simple", "consistentHash"),),
)
_POOL = Record(
    {
        "tcp": Record({"maxConnections": _COUNT, "connectTimeout": _TIME}),
        "http": Record(
            {
                "http1MaxPendingRequests": _COUNT,
                "http2MaxRequests": _COUNT,
                "maxRequestsPerConnection": _COUNT,
                "maxRetries": _COUNT,
                "idleTimeout": _ANY_TIME,
                "h2UpgradePolicy": Text(words=("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")),
            }
        ),
    }
)
_OUTLIERS = Record(
    {
        "consecutiveErrors": Number(0, 2**31 - 1),
        "consecutive5xxErrors": _COUNT,
        "consecutiveGatewayErrors": _COUNT,
        "interval": _TIME,
        "baseEjectionTime": _TIME,
        "maxEjectionPercent": Number(0, 100),
        "minHealthPercent": Number(0, 100),
    }
)
_TLS = Record({"mode": Text(words=("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"))})
_POLICY_FIELDS = {"loadBalancer": _LOAD_BALANCER, "connectionPool": _POOL, "outlierDetection": _OUTLIERS, "tls": _TLS}
_POLICY = Record({**_POLICY_FIELDS, "portLevelSettings": Listing(Record(_POLICY_FIELDS))})

DESTINATION_RULE = Record(
    {
        "host": Text(),
        "trafficPolicy": _POLICY,
        "subsets": Listing(Record({"name": Text(), "trafficPolicy": _POLICY}, ("name",)), unique=("name",)),
    },
    ("host",),
)

_DESTINATION = Record({"host": Text(), "port": Record({"number": PORT})}, ("host",))
_WEIGHTED = Record({"destination": _DESTINATION, "weight": Number(0, 2**31 - 1)}, ("destination",))


def _http(view: View, name: str, report: Report) -> None:
    """A rule routes, redirects, answers or delegates, and does no two of these."""
    found = [one for one in ("route", "redirect", "directResponse", "delegate") if one in view]
    if not found:
        report.add("E08", view.span, f"{name} has no route, redirect, directResponse or delegate", "write route:")
    elif "route" in found and len(found) > 1:
        problem = f"{name} has both route and {found[1]}"
        report.add("E14", view.place(found[1]), problem, "write a rule for each")


_MATCH = Named(Text())
_HTTP = Record(
    {
        "route": Listing(_WEIGHTED),
        "timeout": _ANY_TIME,
        "retries": Record({"attempts": Number(0, 2**31 - 1), "perTryTimeout": _ANY_TIME}),
        "mirrorPercentage": Record({"value": _PERCENT}),
        "fault": Record(
            {
                "delay": Record({"percentage": Record({"value": _PERCENT}), "fixedDelay": _ANY_TIME}),
                "abort": Record({"percentage": Record({"value": _PERCENT}), "httpStatus": Number(200, 599)}),
            }
        ),
        "redirect": Record({"redirectCode": Number(300, 399)}),
        "directResponse": Record({"status": Number(200, 599)}, ("status",)),
    },
    rules=(_http,),
)
_L4 = Record({"route": Listing(_WEIGHTED, least=1)}, ("route",))
_TLS_ROUTE = Record({"match": Listing(Record({"sniHosts": Listing(Text(), least=1)}, ("sniHosts",)))}, ("match",))


def _some_rule(view: View, name: str, report: Report) -> None:
    if not any(view.items(kind) for kind in ("http", "tls", "tcp")):
        report.add("E08", view.span, f"{name} has no http, tls or tcp rule", "write http:")


def _hosts_or_delegate(view: View, name: str, report: Report) -> None:
    """A virtual service without hosts is a delegate: it belongs to another one's delegate and has http rules only."""
    if not view.items("hosts") and (view.items("tls") or view.items("tcp")):
        report.add("E08", view.place("hosts"), f"{name} has no hosts", "write hosts:")


VIRTUAL_SERVICE = Record(
    {
        "hosts": Listing(Text()),
        "http": Listing(_HTTP),
        "tcp": Listing(_L4),
        "tls": Listing(_TLS_ROUTE),
    },
    rules=(_some_rule, _hosts_or_delegate),
)

_PROTOCOLS = ("HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS", "UDP", "REDIS", "MYSQL", "HBONE")


def _server(view: View, name: str, report: Report) -> None:
    protocol = (view.view("port").text("protocol") or "").upper()
    if protocol in ("HTTPS", "TLS") and "tls" not in view:
        report.add("E08", view.view("port").place("protocol"), f"{name} is {protocol} and has no tls", "write tls:")


GATEWAY = Record(
    {
        "servers": Listing(
            Record(
                {
                    "port": Record(
                        {"number": PORT, "name": Text(), "protocol": Text()}, ("number", "protocol", "name")
                    ),
                    "hosts": Listing(Text(), least=1),
                    "tls": Record(
                        {
                            "mode": Text(
                                words=(
                                    "PASSTHROUGH",
                                    "SIMPLE",
                                    "MUTUAL",
                                    "AUTO_PASSTHROUGH",
                                    "ISTIO_MUTUAL",
                                    "OPTIONAL_MUTUAL",
                                )
                            )
                        }
                    ),
                },
                ("port", "hosts"),
                (_server,),
            ),
            least=1,
        )
    },
    ("servers",),
)


def _entry(view: View, name: str, report: Report) -> None:
    """What a service entry's resolution, addresses and endpoints come to together."""
    for host in view.texts("hosts"):
        if host.text == "*":
            report.add("E09", host.span, f"{name} is for the host *, which would be all of them", "name the hosts")
    resolution = view.text("resolution") or "NONE"
    endpoints = view.items("endpoints")
    if "workloadSelector" in view and endpoints:
        problem = f"{name} has both workloadSelector and endpoints"
        report.add("E14", view.place("endpoints"), problem, "write only one of them")
    elif resolution == "NONE" and endpoints:
        problem = f"{name} has endpoints, and resolution NONE does not look at them"
        report.add("E14", view.place("endpoints"), problem, "write resolution: STATIC")
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        problem = f"{name} has {len(endpoints)} endpoints, and DNS_ROUND_ROBIN takes one"
        report.add("E14", view.place("endpoints"), problem, "write resolution: DNS")
    for address in view.texts("addresses"):
        if "/" in address.text and resolution not in ("NONE", "STATIC"):
            problem = f"{name}.addresses has the range {address.text}, and resolution is {resolution}"
            report.add("E14", address.span, problem, "write single addresses, or resolution: STATIC")
    if len(view.items("ports")) > 1:
        _numbers(view, name, report)


def _numbers(view: View, name: str, report: Report) -> None:
    seen: dict[int, View] = {}
    for port in view.views("ports"):
        number = port.integer("number")
        if number is None:
            continue
        first = seen.setdefault(number, port)
        if first is not port:
            problem = f"{name}.ports has the number {number} twice"
            report.add("E10", port.place("number"), problem, "give each port its own", first.place("number"))


def _no_wildcards(view: View, name: str, report: Report) -> None:
    for key, (place, value) in view.view("labels").fields.items():
        if "*" in key or (isinstance(value, ScalarNode) and "*" in value.text):
            report.add("E09", place.span, f"{name}.labels has a wildcard", "write labels in full")


def _address(view: View, name: str, report: Report) -> None:
    """An address is needed, unless a network stands for it; a socket's is a path."""
    address = view.text("address")
    if address is None or opaque(address):
        if address is None and not view.text("network"):
            report.add("E08", view.place("address"), f"{name} has no address", "write address:")
        return
    if not address.startswith("unix://"):
        return
    path = address.removeprefix("unix://")
    if not path.startswith(("/", "@")) or path.endswith("/"):
        advice = "write unix:///path/to/socket or unix://@name"
        report.add("E09", view.place("address"), f"{name}.address {address[:60]} is no socket", advice)
    if "ports" in view:
        problem = f"{name} is a socket and has ports"
        report.add("E14", view.place("ports"), problem, "drop the ports")


_PORTS = Named(PORT, _PORT_NAME, "write letters, digits and -")
_WORKLOAD: dict[str, Shape] = {"ports": _PORTS, "weight": _COUNT}
WORKLOAD_ENTRY = Record(_WORKLOAD, rules=(_address,))
SERVICE_ENTRY = Record(
    {
        "hosts": Listing(Text(), least=1),
        "location": Text(words=("MESH_EXTERNAL", "MESH_INTERNAL")),
        "resolution": Text(words=("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS")),
        "ports": Listing(
            Record({"number": PORT, "targetPort": PORT, "name": Text()}, ("number", "name")), unique=("name",)
        ),
        "endpoints": Listing(WORKLOAD_ENTRY),
        "workloadSelector": Record({}, rules=(_no_wildcards,)),
    },
    ("hosts",),
    (_entry,),
)
_PROBE = Record(
    {
        "tcpSocket": Record({"port": PORT}, ("port",)),
        "httpGet": Record(
            {
                "port": PORT,
                "httpHeaders": Listing(
                    Record({"name": Text(pattern(r"[-_A-Za-z0-9]+\Z"), advice="write the name of an HTTP header")})
                ),
            },
            ("port",),
        ),
        "timeoutSeconds": _COUNT,
        "periodSeconds": _COUNT,
    },
    rules=(together("httpGet", "tcpSocket", "exec", "grpc"),),
)
WORKLOAD_GROUP = Record({"template": Record(_WORKLOAD), "probe": _PROBE}, ("template",))

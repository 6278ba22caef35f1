"""What Traefik refuses a whole dynamic file for: unknown names, sections with nothing in them, values of a wrong kind.

Only routers and services are looked at; what middlewares and transports take differs between versions and plug-ins
(pkg/config/dynamic; github.com/traefik/paerser parser/nodes_metadata.go and element_fill.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.pools import OF_CONTAINERS, SERVER
from lbcheck.dialects.traefik.values import TEMPLATE, seconds
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.findings import Hit
from lbcheck.patterns import pattern
from lbcheck.spelling import closest

if TYPE_CHECKING:
    from lbcheck.dialects.traefik.document import Document
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

#: A shape: field names with the shape of their values. A string names another shape, after `?` one that may be empty,
#: after `*` a mapping of such by name, after `-` a list of such; or it is a kind of value. None is not looked into, and
#: of "anything" only that it is a mapping with something in it.
Shape = dict[str, "str | None"]

_KINDS = {"!int": "a whole number", "!bool": "true or false", "!time": "a time such as 5s", "!text": "a text"}

#: A shape of which nothing is known but that there is something.
_ANYTHING = "anything"
_ROUTER: Shape = {
    **dict.fromkeys(("entryPoints", "middlewares")),
    **dict.fromkeys(("service", "rule", "ruleSyntax"), "!text"),
    "priority": "!int",
}
#: Fields of a server that files may write and Traefik passes over: they are for labels.
_IGNORED: Shape = {**dict.fromkeys(("scheme", "port"), "!text"), **dict.fromkeys(("fenced", *OF_CONTAINERS))}
_SHAPES: dict[str, Shape] = {
    "http": {
        "routers": "*http router",
        "services": "*http service",
        **dict.fromkeys(("middlewares", "models", "serversTransports"), _ANYTHING),
    },
    "tcp": {
        "routers": "*tcp router",
        "services": "*tcp service",
        **dict.fromkeys(("middlewares", "serversTransports"), _ANYTHING),
    },
    "udp": {"routers": "*udp router", "services": "*udp service"},
    "http router": {**_ROUTER, "parentRefs": None, "tls": "?tls", "observability": _ANYTHING},
    "tcp router": {**_ROUTER, "tls": "?tcp tls"},
    "udp router": {"entryPoints": None, "service": "!text"},
    "tls": {"options": "!text", "certResolver": "!text", "domains": None},
    "tcp tls": {"passthrough": "!bool", "options": "!text", "certResolver": "!text", "domains": None},
    "http service": {
        "middlewares": None,
        "loadBalancer": "http balancer",
        "weighted": "weighted",
        "highestRandomWeight": "weighted",
        "mirroring": "mirroring",
        "failover": "failover",
    },
    "tcp service": {"loadBalancer": "tcp balancer", "weighted": "weighted"},
    "udp service": {"loadBalancer": "udp balancer", "weighted": "weighted"},
    "http balancer": {
        "sticky": "?sticky",
        "servers": "-http server",
        "strategy": "!text",
        "healthCheck": "health check",
        "passiveHealthCheck": "passive",
        "passHostHeader": "!bool",
        "responseForwarding": "response",
        "serversTransport": "!text",
        SERVER: "?http server",
    },
    "tcp balancer": {
        "servers": "-tcp server",
        "serversTransport": "!text",
        "proxyProtocol": "?proxy protocol",
        "terminationDelay": "!int",
        "healthCheck": "?tcp health check",
        SERVER: "?tcp server",
    },
    "udp balancer": {"servers": "-udp server", SERVER: "?udp server"},
    "response": {"flushInterval": None},
    "proxy protocol": {"version": "!int"},
    #: The health check of services that hold services: it is on, or not.
    "nothing": {},
    "http server": {"url": "!text", "weight": "!int", "preservePath": "!bool", **_IGNORED},
    "tcp server": {"address": "!text", "tls": "!bool", "port": "!text", **dict.fromkeys(OF_CONTAINERS)},
    "udp server": {"address": "!text", "port": "!text", **dict.fromkeys(OF_CONTAINERS)},
    "health check": {
        **dict.fromkeys(("scheme", "mode", "path", "method", "hostname"), "!text"),
        "headers": _ANYTHING,
        **dict.fromkeys(("status", "port"), "!int"),
        **dict.fromkeys(("interval", "unhealthyInterval", "timeout"), "!time"),
        "followRedirects": "!bool",
    },
    "tcp health check": {
        "port": "!int",
        "send": "!text",
        "expect": "!text",
        **dict.fromkeys(("interval", "unhealthyInterval", "timeout"), "!time"),
    },
    "passive": {"failureWindow": "!time", "maxFailedAttempts": "!int"},
    "sticky": {"cookie": "?cookie"},
    "cookie": {
        **dict.fromkeys(("name", "sameSite", "path", "domain"), "!text"),
        "secure": "!bool",
        "httpOnly": "!bool",
        "maxAge": "!int",
    },
    "weighted": {"services": "-child", "sticky": "sticky", "healthCheck": "?nothing"},
    "child": {"name": "!text", "weight": "!int", "headers": None, "status": None, "grpcStatus": None},
    "mirroring": {
        "service": "!text",
        "mirrorBody": "!bool",
        "maxBodySize": "!int",
        "mirrors": "-mirror",
        "healthCheck": "?nothing",
    },
    "mirror": {"name": "!text", "percent": "!int"},
    "failover": {"service": "!text", "fallback": "!text", "healthCheck": "?nothing", "errors": None},
}
_INTEGER = pattern(r"[-+]?(?:[0-9](?:_?[0-9])*|0b[01](?:_?[01])*)\Z")
_REFUSED = ": Traefik refuses the whole file"
#: Traefik reads numbers into 64 bits.
_TOO_LARGE = 2**63
#: A file with more mistakes than this is of another format: the rest is not listed.
_MAX_ERRORS = 100


def check(document: Document) -> list[Hit]:
    """Return what in a file's routers and services makes Traefik refuse the file."""
    found: list[Hit] = []
    if document.open is not None or document.hits:
        return found
    for protocol in ("http", "tcp", "udp"):
        pair = document.fields.get(protocol)
        if pair is not None:
            _look(pair[0], pair[1], protocol, found)
    return found[:_MAX_ERRORS]


def of_labels(document: Document) -> list[tuple[Span, str, str]]:
    """Return what in labels makes Traefik ignore their container: place, problem, advice."""
    hits = check(document)
    return [(hit.span, str(hit.args["problem"]).removesuffix(_REFUSED), str(hit.args["advice"])) for hit in hits]


def _look(key: ScalarNode, value: Node, shape: str, found: list[Hit]) -> None:
    """Hold a field's value against its shape. What is null is as good as not written."""
    if isinstance(value, ScalarNode) and (value.value is None or TEMPLATE.search(value.text)):
        return
    if shape in _KINDS:
        if not _fits(value, shape):
            said = value.text[:40] if isinstance(value, ScalarNode) and value.text else "what is there"
            problem = f"{key.text}: {said} is not {_KINDS[shape]}{_REFUSED}"
            found.append(Hit("E09", f.place((key, value)), {"problem": problem, "advice": f"write {_KINDS[shape]}"}))
        return
    kind, name = (shape[0], shape[1:]) if shape[0] in "*-?" else ("", shape)
    if kind == "-":
        for item in value.items if isinstance(value, SequenceNode) else ():
            _fields(item, name, found)
    elif kind == "*":
        _named(key, value, name, found)
    elif _filled(value):
        _fields(value, name, found)
    elif kind != "?":
        found.append(_empty(key))


def _named(key: ScalarNode, value: Node, shape: str, found: list[Hit]) -> None:
    """Look into a mapping of routers or services by their names; a name with nothing behind it is one of no kind."""
    if not isinstance(value, MappingNode) or not value.pairs:
        found.append(_empty(key))
        return
    for _, inside in value.fields().values():
        _fields(inside, shape, found)


def _filled(node: Node) -> bool:
    """Say whether there is something in a mapping that is not null."""
    if not isinstance(node, MappingNode):
        return False
    return any(not isinstance(value, ScalarNode) or value.value is not None for _, value in node.pairs)


def _fields(node: Node, shape: str, found: list[Hit]) -> None:
    if not isinstance(node, MappingNode) or shape == _ANYTHING:
        return
    known = {word.lower(): word for word in _SHAPES[shape]}
    for key, value in node.fields().values():
        word = known.get(key.text.lower())
        if word is not None:
            inside = _SHAPES[shape][word]
            if inside is not None:
                _look(key, value, inside, found)
        elif not isinstance(value, ScalarNode) or value.value is not None:
            found.append(_unknown(key, shape, list(known.values())))


def _fits(node: Node, kind: str) -> bool:
    """Say whether a value is of a kind; numbers count however YAML writes them, and an empty list as an empty text."""
    if not isinstance(node, ScalarNode):
        return kind == "!text" and not _filled(node)
    if kind == "!text":
        return True
    if kind == "!time":
        return seconds(node.text) is not None or type(node.value) is int
    if kind == "!bool":
        return f.boolean({"": (node, node)}, "") is not None
    value = node.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return abs(value) < _TOO_LARGE and float(value).is_integer()
    return _INTEGER.match(node.text) is not None


def _empty(key: ScalarNode) -> Hit:
    problem = f"{key.text[:60]} has nothing in it{_REFUSED}"
    return Hit("E08", key.span, {"problem": problem, "advice": "leave it out"})


def _unknown(key: ScalarNode, shape: str, known: list[str]) -> Hit:
    guess = closest(key.text, known)
    advice = f"did you mean {guess}?" if guess else f"it takes {', '.join(word for word in known if word.isalpha())}"
    what = shape if shape in ("http", "tcp", "udp") else f"a {shape}"
    args = {
        "problem": f"{key.text[:60]} is nothing that {what} has{_REFUSED}",
        "advice": advice,
    }
    return Hit("E06", key.span, args)

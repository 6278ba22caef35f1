"""Addresses of servers and listeners (envoy.config.core.v3.Address)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.envoy.message import PLACEHOLDER, TEMPLATE, Message, whole
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode
from lbcheck.model import Address

if TYPE_CHECKING:
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
_IPV6 = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?\Z")
#: The wildcards of a listener.
_EVERY = frozenset({"0.0.0.0", "::", "[::]", ""})  # noqa: S104 - compared, not bound


def address(message: Message, *, listener: bool = False) -> tuple[Address, Span, bool] | None:
    """Return an address, where it is written and whether it is of UDP; None where there is none to read."""
    socket = message.message("socket_address")
    if socket:
        host = socket.text("address")
        port = socket.get("port_value")
        if host is None:
            return None
        known = socket_address(host.value, port if isinstance(port, ScalarNode) else None, listener=listener)
        return known, host.span or socket.span, _udp(socket)
    path = message.message("pipe").text("path")
    if path is not None and path.span is not None:
        return Address(path.value, "unix", path.value, None), path.span, False
    inside = message.message("envoy_internal_address").text("server_listener_name")
    if inside is not None and inside.span is not None:
        return Address(inside.value, "opaque", None, None), inside.span, False
    return None


def _udp(socket: Message) -> bool:
    protocol = socket.enum("protocol", "envoy.config.core.v3.SocketAddress.Protocol")
    return protocol is not None and protocol.value == "UDP"


def socket_address(host: str, port: ScalarNode | None, *, listener: bool = False) -> Address:
    """Return the address of a host and a port node; a named port has no number."""
    number = whole(port) if port is not None else None
    chosen = listener and number == 0  # by the kernel, another one for each listener
    bare = host.removeprefix("[").removesuffix("]")
    shown = f"[{bare}]" if ":" in bare else bare
    text = shown if port is None else f"{shown}:{port.text}"
    later = TEMPLATE.search(bare) or TEMPLATE.search(text) or PLACEHOLDER.match(bare)
    if later or (port is not None and number is None):
        return Address(text, "opaque", None, number)
    if chosen:
        number = None
    if _IPV4.match(bare):
        return Address(text, "ipv4", "" if listener and bare in _EVERY else bare, number)
    if _IPV6.match(bare):
        return Address(text, "ipv6", "" if listener and bare in _EVERY else bare, number)
    return Address(text, "name", bare, number)


def plain_endpoint(node: Node) -> tuple[ScalarNode, ScalarNode] | None:
    """Return host and port of an LbEndpoint that says nothing else, as nearly all do in a long list.

    Its shape is known to be right, and reading it so takes a fraction of the time.
    """
    for name in ("endpoint", "address", "socket_address"):
        if not isinstance(node, MappingNode) or len(node.pairs) != 1:
            return None
        key, node = node.pairs[0]
        if not isinstance(key, ScalarNode) or key.text != name:
            return None
    if not isinstance(node, MappingNode) or len(node.pairs) != 2:
        return None
    (first, host), (second, port) = node.pairs
    if not isinstance(first, ScalarNode) or not isinstance(second, ScalarNode) or first.text != "address":
        return None
    if second.text != "port_value" or not isinstance(host, ScalarNode) or not isinstance(port, ScalarNode):
        return None
    plain = port.text.isdecimal() and port.text.isascii() and not port.text.startswith("0")  # a 0 first: octal
    return (host, port) if host.text and plain and int(port.text[:6]) <= 65535 else None

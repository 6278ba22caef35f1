"""Requests to the kernel about interfaces, addresses and routes (rtnetlink(7))."""

from __future__ import annotations

import os
import socket
import struct

NEW_LINK, NEW_ADDRESS, NEW_ROUTE = 16, 20, 24
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
#: linux/rtnetlink.h: the table that is asked first, kinds and scopes of routes, and who made them.
TABLE_LOCAL, UNICAST, LOCAL, SCOPE_ANYWHERE, SCOPE_LINK, SCOPE_HOST, _BOOT = 255, 1, 2, 0, 253, 254, 3
DESTINATION, INTERFACE, GATEWAY = 1, 4, 5


def ask(kind: int, body: bytes, what: str) -> None:
    """Ask the kernel for something, and hear whether it is done. Raises OSError, which says `what` cannot be."""
    message = struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACK | _CREATE, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.send(message)
        error = struct.unpack_from("=i", link.recv(4096), 16)[0]
    if error:
        raise OSError(-error, f"{what}: {os.strerror(-error)}")


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute of a message, padded as the next one wants it."""
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def route(family: int, bits: int, scope: int, kind: int) -> bytes:
    """Return the head of a route in the table that is asked first: to so many bits of an address."""
    return struct.pack("=BBBBBBBBI", family, bits, 0, 0, TABLE_LOCAL, _BOOT, scope, kind, 0)

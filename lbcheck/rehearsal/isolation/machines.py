"""The servers' side of the sandbox: a network namespace of their own, joined to the proxy's by a pair of interfaces.

On one side, a proxy that listens at port 80 of every address would stand in the way of a stub for 10.0.0.1:80, and
once that one is lost, would find itself there. On two, the servers' addresses are not the proxy's, as in production. A
socket belongs to the namespace in which it was made, wherever it is used: one process can have sockets in both.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lbcheck.rehearsal.isolation import netlink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLONE_NEWNET = 0x40000000
#: linux/if_link.h, linux/veth.h, linux/if_addr.h
_IFNAME, _LINKINFO, _NET_NS_FD, _INFO_KIND, _INFO_DATA, _PEER = 3, 18, 28, 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _NODAD = 1, 2, 0x02
_UP, _RUNNING, _GET_FLAGS = 0x1, 0x40, 0x8913
_PATIENCE = 5.0
#: The two interfaces, and the addresses that the proxy and the servers' side have for each other.
HOME, AWAY = "lbcheck0", "lbcheck1"
_ADDRESSES = {HOME: ("169.254.77.1/30", "fd77:6c62::1/64"), AWAY: ("169.254.77.2/30", "fd77:6c62::2/64")}

Host = ipaddress.IPv4Address | ipaddress.IPv6Address


class Machines:
    """The namespace in which some addresses are at home."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        """Make it, in a network namespace of one's own where all addresses are local. Raises OSError."""
        self.hosts = frozenset(hosts)
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _call("unshare", _CLONE_NEWNET)
        self._away = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _call("setns", self._home, _CLONE_NEWNET)
        _pair(self._away)
        _settle(HOME)
        for host in self.hosts:
            _route(host, HOME)
        with self.there():
            _settle(AWAY)
            for host in self.hosts:
                _address(f"{host}/{host.max_prefixlen}", AWAY)
            _answer_all()
            _wait_for(AWAY)
        _wait_for(HOME)

    @contextmanager
    def there(self) -> Iterator[None]:
        """Make sockets on the servers' side meanwhile. Nothing else may run."""
        _call("setns", self._away, _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", self._home, _CLONE_NEWNET)


def apart(hosts: Iterable[str], listeners: Iterable[str]) -> set[Host]:
    """Return the addresses that are other machines': neither loopback ones nor such as the proxy listens at."""
    own = {ipaddress.ip_address(one) for one in listeners}
    return {
        address
        for host in hosts
        if host and not (address := ipaddress.ip_address(host)).is_loopback and address not in own
    }


def _settle(interface: str) -> None:
    """Bring an interface up, with its addresses; and the loopback interface, which new namespaces have down."""
    for name in (interface, "lo"):
        _send(netlink.NEW_LINK, struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(name), _UP, _UP))
    for address in _ADDRESSES[interface]:
        _address(address, interface)


def _wait_for(interface: str) -> None:
    """Wait until an interface sends what it is given: the kernel sees to that a while after the other one is up.

    A first packet that is dropped costs a second, and a server its good name.
    """
    request = struct.pack("16sh14x", interface.encode(), 0)
    until = time.monotonic() + _PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        while not struct.unpack("16sh14x", fcntl.ioctl(probe, _GET_FLAGS, request))[1] & _RUNNING:
            if time.monotonic() > until:
                raise OSError(errno.ENETDOWN, f"{interface} does not come up")
            time.sleep(0.002)
    time.sleep(0.002)


def _pair(away: int) -> None:
    unset = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
    peer = (
        unset
        + netlink.attribute(_IFNAME, AWAY.encode() + b"\0")
        + netlink.attribute(_NET_NS_FD, struct.pack("=I", away))
    )
    data = netlink.attribute(_INFO_DATA, netlink.attribute(_PEER, peer))
    kind = netlink.attribute(_LINKINFO, netlink.attribute(_INFO_KIND, b"veth") + data)
    _send(netlink.NEW_LINK, unset + netlink.attribute(_IFNAME, HOME.encode() + b"\0") + kind)


def _address(text: str, interface: str) -> None:
    address = ipaddress.ip_interface(text)
    family, index = _family(address.ip), socket.if_nametoindex(interface)
    flags = _NODAD if address.version == 6 else 0
    body = struct.pack("=BBBBI", family, address.network.prefixlen, flags, 0, index)
    _send(
        netlink.NEW_ADDRESS,
        body + netlink.attribute(_IFA_LOCAL, address.ip.packed) + netlink.attribute(_IFA_ADDRESS, address.ip.packed),
    )


def _route(host: Host, interface: str) -> None:
    """Lead to one address through an interface, before the route by which every address is local."""
    body = netlink.route(_family(host), host.max_prefixlen, netlink.SCOPE_LINK, netlink.UNICAST)
    index = struct.pack("=I", socket.if_nametoindex(interface))
    _send(
        netlink.NEW_ROUTE,
        body + netlink.attribute(netlink.DESTINATION, host.packed) + netlink.attribute(netlink.INTERFACE, index),
    )


def _answer_all() -> None:
    """Lead from the servers' side to every other address through the proxy's: it may connect from any (`source`)."""
    index = struct.pack("=I", socket.if_nametoindex(AWAY))
    for text in _ADDRESSES[HOME]:
        gateway = ipaddress.ip_interface(text).ip
        body = netlink.route(_family(gateway), 0, netlink.SCOPE_ANYWHERE, netlink.UNICAST)
        _send(
            netlink.NEW_ROUTE,
            body + netlink.attribute(netlink.GATEWAY, gateway.packed) + netlink.attribute(netlink.INTERFACE, index),
        )


def _family(host: Host) -> int:
    return int(socket.AF_INET if host.version == 4 else socket.AF_INET6)


def _send(kind: int, body: bytes) -> None:
    netlink.ask(kind, body, "the servers' side of the network")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

"""A network namespace in which every address is at home: whatever a config names can be bound, and nothing leaves.

Linux calls it AnyIP: a `local` route for all addresses on the loopback interface (ip-route(8), "local"). A server at
10.0.1.11:8080 is then a stub that listens at 10.0.1.11:8080, and a client may come from any address it likes, so
hashes of addresses and of server strings come out as they do in production.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from lbcheck.rehearsal.isolation import netlink

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def bring_up() -> None:
    """Make every address local. To be called in a network namespace of one's own. Raises OSError."""
    _loopback_up()
    index = socket.if_nametoindex("lo")
    _local_route(socket.AF_INET, index)
    if socket.has_ipv6 and os.path.exists("/proc/sys/net/ipv6/ip_nonlocal_bind"):
        with open("/proc/sys/net/ipv6/ip_nonlocal_bind", "w", encoding="ascii") as stream:
            stream.write("1")
        _local_route(socket.AF_INET6, index)
    _widen_ports()


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _local_route(family: int, interface: int) -> None:
    """Do what `ip route add local default dev lo table local` does."""
    head = netlink.route(family, 0, netlink.SCOPE_HOST, netlink.LOCAL)
    index = netlink.attribute(netlink.INTERFACE, struct.pack("=I", interface))
    netlink.ask(netlink.NEW_ROUTE, head + index, "cannot make all addresses local")


def _widen_ports() -> None:
    """Leave client ports enough for a load of short connections."""
    for name, value in (("ip_local_port_range", "1024 65535"), ("tcp_tw_reuse", "1")):
        try:
            with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as stream:
                stream.write(value)
        except OSError:
            return

"""Addresses to which nothing can be sent: those that stand for "any", for many, for an example, or for a gap."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.findings import ERROR, INFO, SEVERITIES, WARNING, Hit, Related
from lbcheck.patterns import pattern
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Server

#: RFC 5737 and RFC 3849: addresses for documentation, which no network routes.
_DOCUMENTATION = tuple(
    ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
#: Kinds of object whose addresses the API server looks at.
_ENDPOINTS = frozenset({"Endpoints", "EndpointSlice"})
_LINK_LOCAL_GROUPS = ip_network("224.0.0.0/24")
_EVERYBODY = IPv4Address("255.255.255.255")
#: RFC 2606 and RFC 6761: names for documentation and names that no lookup finds.
_EXAMPLE = pattern(r"(?:(?:^|\.)example\.(?:com|net|org)|\.example|\.invalid)\.?\Z", re.IGNORECASE)
#: What people leave to be filled in. `todo` in lower case is a favourite application, `replace` a verb.
_GAP = pattern(r"(?:^|[^A-Za-z])(?:TODO|FIXME|XXX|[Cc][Hh][Aa][Nn][Gg][Ee][-_]?[Mm][Ee])(?:[^A-Za-z]|\Z)")
#: A word in the name of a folder whose configs are there to be read.
_SHOWN = pattern(r"(?:\A|[^A-Za-z0-9])(?:docs?|examples?|fixtures|samples?|testdata|tests?)[^A-Za-z0-9]")
#: Name spaces of pools that carry datagrams, for which an address of many is a target.
_DATAGRAMS = frozenset({"stream", "udp"})
#: HAProxy takes 0.0.0.0, :: and port 0 for those that the client asked for (alloc_dst_address() in src/backend.c).
_AS_ASKED = frozenset({"haproxy"})
#: How IPv4 addresses begin that may be something special; all others need no closer look.
_ODD = ("0", "127.", "169.254.", "192.0.2.", "198.51.100.", "203.0.113.", "22", "23", "255.")
#: More related places than this are not listed.
_RELATED = 10


class _Fault(NamedTuple):
    severity: str
    problem: str
    effect: str


def server_address_unroutable(config: Config, _context: Context) -> Iterator[Hit]:
    """P11: servers at addresses that were copied from a listener, a manual or a template. One finding a pool."""
    for pool in config.pools:
        found = [(server, fault) for server in pool.enabled if (fault := _fault(server, pool, config))]
        if found:
            yield _hit(pool, found)


def _hit(pool: Pool, found: list[tuple[Server, _Fault]]) -> Hit:
    server, fault = min(found, key=lambda one: SEVERITIES.index(one[1].severity))
    others = [other for other, _ in found if other is not server]
    args = {
        "server": server.name if pool.implicit else f"{server.name} of pool {pool.name}",
        "problem": fault.problem,
        "effect": fault.effect + (f"; {counted(len(others), 'other server')} of the pool alike" if others else ""),
    }
    related = [Related(other.span, "nor does this one") for other in others[:_RELATED]]
    folder = server.span.source.path.rpartition("/")[0] + "/"
    severity = INFO if _SHOWN.search(folder) else fault.severity
    return Hit("P11", server.span, args, severity=severity, related=related, pool=pool.name, server=server.name)


def _fault(server: Server, pool: Pool, config: Config) -> _Fault | None:
    address = server.address
    host = address.host
    if address.kind in ("opaque", "unix") or not host:
        return None
    if address.kind == "ipv4" and address.port != 0 and not host.startswith(_ODD):
        return None
    if address.kind == "name":
        return _of_name(host)
    try:
        found = IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None  # the reader says what is wrong with it
    special = _special(found)
    if special is not None and (config.subject(server.span)[0] or {}).get("kind") in _ENDPOINTS:
        return _Fault(ERROR, f"{found} is {special}", "the API server refuses such an endpoint")
    as_asked = config.dialect in _AS_ASKED
    return _of_number(found, address.port, as_asked=as_asked, datagrams=pool.scope in _DATAGRAMS)


def _of_number(host: IPv4Address | IPv6Address, port: int | None, *, as_asked: bool, datagrams: bool) -> _Fault | None:
    if host.is_unspecified and not as_asked:
        return _Fault(WARNING, f"{host} is an address to listen on", "Linux takes it for the balancer's own machine")
    if port == 0 and not as_asked:
        return _Fault(ERROR, "port 0 is none", "every connection to it fails")
    if (host.is_multicast or host == _EVERYBODY) and not datagrams:
        return _Fault(ERROR, f"{host} is an address of many machines", "no connection to it can be made")
    if any(host in net for net in _DOCUMENTATION):
        return _Fault(WARNING, f"{host} is an address for documentation", "no network leads there")
    return None


def _special(host: IPv4Address | IPv6Address) -> str | None:
    """Return what Kubernetes' ValidateNonSpecialIP() calls an address that no endpoint may have."""
    if host.is_loopback:
        return "each node's own"
    if host.is_link_local or host in _LINK_LOCAL_GROUPS:
        return "known on one link only"
    return "an address to listen on" if host.is_unspecified else None


def _of_name(host: str) -> _Fault | None:
    if _GAP.search(host):
        return _Fault(ERROR, f"{host} is still to be filled in", "nothing answers there")
    if _EXAMPLE.search(host):
        return _Fault(WARNING, f"{host} is a name for documentation", "it is nobody's server")
    return None

"""Where HAProxy's servers stand on the ring: by id, or from 3.0 on by what `hash-key` says (src/lb_chash.c).

chash_compute_server_key() and server_get_inetaddr(), compared with HAProxy 3.5-dev5 pick by pick, on a machine that
stores the lowest byte first. A version that does not know a word refuses it.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.hashes import full_hash, xxh32
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE

if TYPE_CHECKING:
    from lbcheck.model import Address
    from lbcheck.traffic.algorithms.members import Member

#: Points that a server may have at most: ids are this far apart (SRV_EWGHT_RANGE).
_ID_STEP = 256 * WEIGHT_SCALE


def id_key(number: int) -> int:
    """Return the key of a server's id."""
    return number * _ID_STEP


def server_key(member: Member) -> int | None:
    """Return the number from which a server's points are counted; None where its address is not known.

    Without an address of the internet, or without a guid, the id stands in.
    """
    server = member.server
    option = server.options.get("hash-key")
    word = "id" if option is None else option.value
    if word in ("addr", "addr-port"):
        return _address_key(server.address, member.number, with_port=word == "addr-port")
    if word == "guid" and "guid" in server.options:
        return xxh32(str(server.options["guid"].value).encode("utf-8", "surrogateescape"))
    if word == "id32":
        return full_hash(int.from_bytes(member.number.to_bytes(4, "big"), "little"))
    return id_key(member.number) if word in ("id", "guid") else None


def _address_key(address: Address, number: int, *, with_port: bool) -> int | None:
    if address.kind == "unix":
        return id_key(number)
    if address.kind not in ("ipv4", "ipv6") or (with_port and address.port is None):
        return None
    try:
        packed = ipaddress.ip_address(address.host or "0.0.0.0").packed  # noqa: S104 - "connect to where the client did"
    except ValueError:
        return None
    start = full_hash(address.port or 0) if with_port else 0
    if len(packed) == 4:
        return full_hash((start + int.from_bytes(packed, "little")) & 0xFFFFFFFF)
    return xxh32(packed, start)

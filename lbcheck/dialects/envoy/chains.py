"""Which connections a filter chain takes (envoy.config.listener.v3.FilterChainMatch).

Envoy goes by the destination's port first, then by its address, the longest prefix alone, and never back to a chain
that says less (FilterChainManagerImpl::findFilterChain() in filter_chain_manager_impl.cc). Where clients connect is
the listener's own address, so that both are decided here unless something gives connections another destination. What
else a match asks for, the client's address or port, is a condition that nobody knows the answer to.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.envoy.message import texts, whole
from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.model import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Address, Listener

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SOURCE = "envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType"
#: Fields of a match that ask for something of the client.
_CLIENT = ("direct_source_prefix_ranges", "source_type", "source_prefix_ranges", "source_ports")
#: Fields that Envoy's API has and no Envoy reads: it does not start with them.
UNIMPLEMENTED = ("address_suffix", "suffix_len")
#: Fields by which chains are told apart by names (lbcheck.dialects.envoy.listeners says which).
_NAMES = ("server_names", "application_protocols", "transport_protocol")
#: Listener filters that give a connection another destination than the listener's address.
_MOVING = frozenset({"OriginalDst", "ProxyProtocol"})


class Way(NamedTuple):
    """A filter chain, the addresses of its listener on which it takes connections, and which of these it takes.

    `never`: no connection is for it.
    """

    chain: Message
    places: list[Listener]
    conditions: tuple[Condition, ...]
    never: bool


def ways(listener: Message, places: list[Listener]) -> list[Way]:
    """Return the filter chains of a listener in the order of writing, the default one last."""
    chains = listener.messages("filter_chains")
    default = listener.message("default_filter_chain")
    moved = _moved(listener)
    taking: dict[int, list[Listener]] = {}
    for place in places:
        found = chains if moved else _for(place, chains)
        if default and not any(map(_takes_all, found)):
            found = [*found, default]
        for chain in found:
            taking.setdefault(id(chain), []).append(place)
    decided = bool(places) and not moved
    return [
        Way(
            chain,
            taking.get(id(chain), places),
            # Envoy reads no match of the default one
            () if chain is default else tuple(_conditions(chain, taking.get(id(chain), places), decided=decided)),
            never=bool(places) and id(chain) not in taking,
        )
        for chain in [*chains, *([default] if default else [])]
    ]


def _moved(listener: Message) -> bool:
    """Say whether connections may have another destination than the listener's address."""
    kinds = {item.typed("typed_config")[0] for item in listener.messages("listener_filters")}
    return listener.true("use_original_dst") or not kinds.isdisjoint(_MOVING) or "filter_chain_matcher" in listener


def _for(place: Listener, chains: Sequence[Message]) -> list[Message]:
    """Return the chains that may take connections to an address: those of its port, of these the longest prefix's."""
    where = place.address
    found = list(chains)
    if where.port is not None or where.kind == "unix":
        own = [one for one in found if _port(one) == where.port is not None]
        found = own or [one for one in found if not _asks(one, "destination_port")]
    address = _address(where)
    if address is None:
        return found
    lengths = {id(one): _longest(one, address) for one in found}
    longest = max([0, *lengths.values()])
    return [one for one in found if lengths[id(one)] == longest]


def _address(where: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the one IP address to which clients connect; None where it may be any, or is not known."""
    try:
        return ipaddress.ip_address(where.host or "")
    except ValueError:
        return None


def _longest(chain: Message, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """Return the length of the longest prefix of a match that has the address; 0 where it asks for none, -1: none has.

    A prefix of no bits is as good as none.
    """
    if not _asks(chain, "prefix_ranges"):
        return 0
    found = [one.prefixlen for one in _networks(chain) if one.version == address.version and address in one]
    return max(found, default=-1)


def _networks(chain: Message) -> Iterator[Network]:
    for one in chain.message("filter_chain_match").messages("prefix_ranges"):
        length = one.integer("prefix_len")
        try:
            yield ipaddress.ip_network(f"{one.word('address_prefix')}/{length.value if length else 0}", strict=False)
        except ValueError:
            continue  # the API's own check has said so


def _port(chain: Message) -> int | None:
    return whole(chain.message("filter_chain_match").get("destination_port"))


def _asks(chain: Message, name: str) -> bool:
    match = chain.message("filter_chain_match")
    if name == "source_type":
        written = match.enum(name, _SOURCE)
        return written is not None and written.value != "ANY"
    return name in match


def _takes_all(chain: Message) -> bool:
    """Say whether a chain takes whatever comes to its port and address."""
    return not any(_asks(chain, name) for name in (*_CLIENT, *_NAMES, *UNIMPLEMENTED, "prefix_ranges"))


def _conditions(chain: Message, places: Sequence[Listener], *, decided: bool) -> Iterator[Condition]:
    """Yield what is not decided of a chain's match. `decided`: the listener's addresses are the destinations."""
    open_ended = [*_CLIENT, *UNIMPLEMENTED]
    if not decided or any(place.address.port is None for place in places):
        open_ended.append("destination_port")
    if not decided or any(_address(place.address) is None for place in places):
        open_ended.append("prefix_ranges")
    match = chain.message("filter_chain_match")
    for name in open_ended:
        if _asks(chain, name):
            yield Condition("opaque", "exact", [f"{name} {_said(match, name)}"])


def _said(match: Message, name: str) -> str:
    """Return the value of a field in words that do not depend on how it is written."""
    if name.endswith("prefix_ranges"):
        ranges = match.messages(name)
        return ", ".join(sorted(f"{one.word('address_prefix')}/{one.word('prefix_len', '0')}" for one in ranges))
    kind = match.enum(name, _SOURCE) if name == "source_type" else None
    if kind is not None and kind.value:
        return kind.value
    node = match.get(name)
    if isinstance(node, ScalarNode):
        return node.text
    return ", ".join(sorted(one.text for one in texts(node)))

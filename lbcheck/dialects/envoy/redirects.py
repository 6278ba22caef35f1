"""Virtual hosts that want TLS of their clients: which requests Envoy redirects before it looks at a route.

By what getRouteFromEntries() in config_impl.cc asks: X-Forwarded-Proto other than "https". With `use_remote_address`
and no trusted hops Envoy writes that header itself, by whether the connection has TLS; otherwise a client's own
header counts, and Envoy writes one where there is none (ConnectionManagerUtility::mutateRequestHeaders()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.model import EVERY_REQUEST, Condition, Route, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Match

_REQUIREMENT = "envoy.config.route.v3.VirtualHost.TlsRequirementType"
_PROTO = "header:x-forwarded-proto"
_TLS = frozenset({"DownstreamTlsContext", "QuicDownstreamTransport"})


class Door(NamedTuple):
    """How requests get to a connection manager.

    `tls`: over TLS, None where that is not known; `trusting`: X-Forwarded-Proto may be the client's.
    """

    tls: bool | None
    trusting: bool


def door(chain: Message, manager: Message) -> Door:
    """Return how requests get to the connection manager of a filter chain."""
    hops = manager.integer("xff_num_trusted_hops")
    own = manager.true("use_remote_address") and not (hops is not None and hops.value)
    return Door(_tls(chain), trusting=not own or "early_header_mutation_extensions" in manager)


def _tls(chain: Message) -> bool | None:
    if "transport_socket" not in chain:
        return False
    kind, _ = chain.message("transport_socket").typed("typed_config")
    return True if kind in _TLS else False if kind == "RawBuffer" else None


def redirect(host: Message, entered: Door | None) -> Route | None:
    """Return the route of a virtual host that redirects requests to HTTPS before all others; None where none is.

    `entered`: None where nobody knows which listeners have it.
    """
    wanted = host.enum("require_tls", _REQUIREMENT)
    if wanted is None or wanted.value == "NONE" or wanted.span is None:
        return None
    match = _plain(entered)
    if wanted.value != "ALL" and match:
        # which clients are internal, and whether Envoy trusts private addresses, depends on its version and its clients
        said = "unless the client is internal" if wanted.value else "if its value asks for it"
        match = tuple((*one, Condition("opaque", "exact", [f"require_tls, {said}"])) for one in match)
    status = {"status": Setting(301, wanted.span)}
    return Route("require_tls", wanted.span, match, outcome="answer", options=status) if match else None


def _plain(entered: Door | None) -> Match:
    """Return which requests count as without TLS."""
    other = Condition(_PROTO, "exact", ["https"], negated=True)
    if entered is None or entered.tls is None:
        return ((other, Condition("opaque", "exact", ["without TLS"])),)
    if not entered.trusting:
        return () if entered.tls else EVERY_REQUEST
    return ((Condition(_PROTO, "exists", []), other),) if entered.tls else ((other,),)

"""Filters before a TCP proxy that choose its cluster: by the filter state "envoy.tcp_proxy.cluster".

That counts before `cluster`, and not for `weighted_clusters` (Config::getRouteFromEntries() in tcp_proxy.cc).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Setting
    from lbcheck.text import Span

_KEY = "envoy.tcp_proxy.cluster"
#: When SetFilterState sets values, of a connection or of a listener; what comes later may come too late.
_EARLY = ("on_accept", "on_new_connection")
_LATE = ("on_downstream_tls_handshake", "on_downstream_data")
#: Filters whose code may choose, by their types.
_CODE = {
    "Wasm": "what a Wasm module does with connections",
    "NetworkExternalProcessor": "what an external processor does with connections",
}


class Choice(NamedTuple):
    """What chooses the cluster: `cluster` where that is written, else `how` says what decides."""

    span: Span
    how: str
    cluster: Setting[str] | None = None


def chosen(listener: Message, chain: Message) -> Choice | None:
    """Return what chooses the cluster of a chain's TCP proxy in place of its `cluster`; None where nothing does."""
    found = [one for item in _filters(listener, chain) for one in _of(item)]
    if len(found) < 2:
        return found[0] if found else None
    return Choice(found[-1].span, "one of several filters")


def code(chain: Message) -> Iterator[tuple[Span, str]]:
    """Yield the network filters of a chain whose own code may decide where connections go, with the words for it."""
    for item in chain.messages("filters"):
        kind, _ = item.typed("typed_config")
        if kind in _CODE:
            yield item.message("typed_config").place("@type"), _CODE[kind]


def _filters(listener: Message, chain: Message) -> list[Message]:
    return [*listener.messages("listener_filters"), *chain.messages("filters")]


def _of(item: Message) -> Iterator[Choice]:
    kind, inside = item.typed("typed_config")
    if kind == "SniCluster":
        yield Choice(item.message("typed_config").place("@type"), "the name that clients ask for in TLS")
    for when in (*_EARLY, *_LATE):
        for value in inside.messages(when):
            if value.word("object_key") == _KEY:
                yield _value(value, early=when in _EARLY)


def _value(value: Message, *, early: bool) -> Choice:
    """Return the choice of one value of SetFilterState: a text without a command of the access log is a name."""
    form = value.message("format_string")
    text = form.message("text_format_source").text("inline_string") or form.text("text_format")
    plain = text is not None and "%" not in text.value and early
    return Choice(value.place("object_key"), f"the filter state {_KEY}", text if plain else None)

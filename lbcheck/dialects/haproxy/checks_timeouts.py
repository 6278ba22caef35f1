"""Timeouts that are not set are infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, Hit
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.model import Config

#: Each timeout with the value to write and what goes wrong without it, the gravest first.
_TIMEOUTS = {
    "client": ("50s", "clients that vanish keep their slots until maxconn is used up"),
    "server": ("50s", "hung servers keep their requests, and the slots, for ever"),
    "connect": ("5s", "a server that does not answer holds each connection attempt as long as the system does"),
}
_BOTH_SIDES = "clients that vanish and servers that hang keep their slots until maxconn is used up"


class _Place:
    """A section that could set timeouts, or the first that wants one, with the proxies by what they miss."""

    __slots__ = ("lacking", "section")

    def __init__(self, section: Proxy) -> None:
        self.section = section
        self.lacking: dict[tuple[str, ...], list[str]] = {}


def missing_timeouts(config: Config, context: Context) -> Iterator[Hit]:
    """T01: one finding for each place that could set what its proxies lack (src/cfgparse.c, check_config_validity).

    All proxies without a defaults section are one such place: what they miss is the section.
    """
    del context
    if config.open is not None:
        return
    places: dict[int, _Place] = {}
    for proxy in config.tree.proxies:
        if proxy.mode in {"log", "opaque"} or proxy.effective("disabled") is not None or proxy.section.templated:
            continue
        if lacks := tuple(_lacks(proxy)):
            place = places.setdefault(id(proxy.base), _Place(proxy.base or proxy))
            place.lacking.setdefault(lacks, []).append(f"{proxy.kind} {proxy.name}")
    yield from map(_hit, places.values())


def _hit(place: _Place) -> Hit:
    missing = {name for lacks in place.lacking for name in lacks}
    both = missing >= {"client", "server"}
    section = place.section
    args = {
        "lacking": ", ".join(f"no {_named(lacks)} for {listed(proxies)}" for lacks, proxies in place.lacking.items()),
        "effect": _BOTH_SIDES if both else next(_TIMEOUTS[name][1] for name in _TIMEOUTS if name in missing),
        "lines": _named(
            [f"{name} {_TIMEOUTS[name][0]}" for name in ("connect", "client", "server") if name in missing]
        ),
        "place": f"defaults {section.name}".strip() if section.kind == "defaults" else "a `defaults` section above",
    }
    return Hit("T01", section.span, args, severity=ERROR if both else None)


def _named(timeouts: Sequence[str]) -> str:
    return listed([f"`timeout {words}`" for words in timeouts])


def _lacks(proxy: Proxy) -> Iterator[str]:
    if proxy.is_frontend and not _set(proxy, "client"):
        yield "client"
    if proxy.is_backend and (proxy.lines("server") or proxy.lines("server-template")):
        if not _set(proxy, "connect"):
            yield "connect"
        if not _set(proxy, "server") and not (proxy.mode == "tcp" and _set(proxy, "tunnel")):
            yield "server"


def _set(proxy: Proxy, name: str) -> bool:
    return proxy.effective(f"timeout {name}") is not None

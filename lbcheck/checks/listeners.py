"""Addresses on which two parts of one config listen at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Listener

#: Wildcards as the proxies write them.
_ANY = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound
#: Options that put two sockets of one address apart.
_APART = ("interface", "namespace", "netns", "v4v6", "v6only", "ipv6only")
_NONE_APART = (None,) * len(_APART)

#: No more than this many listeners of one port are held against each other.
_MEETINGS = 100

_Place = tuple[object, ...]
_Entry = tuple[int, int, "Frontend", "Listener"]


def listener_duplicate_bind(config: Config, _context: Context) -> Iterator[Hit]:
    """R08: two frontends bind one address: the kernel deals connections out between them, or nginx does not start."""
    if config.open is not None or (config.dialect == "nginx" and len({one.scope for one in config.frontends}) < 2):
        return
    places: dict[_Place, list[_Entry]] = {}
    for frontend in config.frontends:
        for listener in frontend.listeners:
            first = 0 if listener.address.kind == "unix" else listener.address.port
            if not listener.address.known or first is None or listener.address.text.startswith("abns"):
                continue
            entry = (first, listener.port_end or first, frontend, listener)
            places.setdefault(place(listener), []).append(entry)
    reported = set()
    for entries in places.values():
        for (_, _, one, early), (_, _, other, late) in _overlaps(config, entries):
            if id(late) not in reported:
                reported.add(id(late))
                yield _hit(config, one, early, other, late)


def place(listener: Listener) -> _Place:
    """Return what must differ, apart from the port, for two sockets to be two."""
    address = listener.address
    host = address.host or ""
    host = host if address.kind == "unix" else host.lower()
    apart: tuple[object, ...] = _NONE_APART
    if listener.options:
        options = (listener.options.get(name) for name in _APART)
        apart = tuple(None if option is None else option.value for option in options)
    return (address.kind, "" if host in _ANY else host, listener.transport, *apart)


def _overlaps(config: Config, entries: list[_Entry]) -> Iterator[tuple[_Entry, _Entry]]:
    """Yield pairs of different owners whose ports meet, the one written first in front.

    Entries are walked by port, each against the few that still reach it: ranges of ports are rare and short.
    """
    if len(entries) < 2:
        return
    order = {id(entry): number for number, entry in enumerate(entries)}
    open_entries: list[_Entry] = []
    for entry in sorted(entries, key=lambda entry: entry[0]):
        open_entries = [other for other in open_entries if other[1] >= entry[0]][:_MEETINGS]
        rival = next((other for other in open_entries if _meet(config, other, entry)), None)
        if rival is not None:
            yield (rival, entry) if order[id(rival)] < order[id(entry)] else (entry, rival)
        open_entries.append(entry)


def _meet(config: Config, first: _Entry, second: _Entry) -> bool:
    """Say whether two frontends are different proxies that may run at once.

    nginx merges all `server` blocks of one listen within http and within stream, but not across them. Of the
    arms of a HAProxy `.if` only one is read. The virtual hosts of an Envoy listener share it; two listeners may not
    share an address, whatever their hosts.
    """
    one, other = first[2], second[2]
    if config.dialect == "envoy":
        return first[3] is not second[3]
    if config.dialect == "traefik" and first[3].span == second[3].span:
        return False  # one entry point, for plain HTTP, for TLS and for TCP
    if config.dialect == "nginx":
        return one.scope != other.scope
    if one is other or _virtual_hosts(one, other):
        return False
    arms = dict(one.branch)
    return all(arms.get(block, arm) == arm for block, arm in other.branch)


def _virtual_hosts(one: Frontend, other: Frontend) -> bool:
    """Say whether the two share an address on purpose, each for host names of its own."""
    return bool(one.hosts or other.hosts) and set(one.hosts).isdisjoint(other.hosts)


def _hit(config: Config, one: Frontend, early: Listener, other: Frontend, late: Listener) -> Hit:
    effect = "the kernel deals the connections out between them, and each half meets the other's rules"
    if late.address.kind == "unix":
        effect = f"the socket of {other.name} takes the other's place, and {one.name} gets nothing"
    if config.dialect == "nginx" and not ("reuseport" in early.options and "reuseport" in late.options):
        effect = f"{one.scope} and {other.scope} cannot share it, so nginx does not start"
    if config.dialect == "envoy":
        effect = "Envoy refuses the second listener"
    args = {"address": late.address.text, "frontend": other.name, "other": one.name, "effect": effect}
    related = [Related(early.span, f"{one.name} listens on it already")]
    return Hit("R08", late.span, args, related=related, frontend=other.name)

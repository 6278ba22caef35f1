"""Doors through which the proxy can be watched or steered while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, INFO, WARNING, Hit
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Address, Admin, Config
    from lbcheck.text import Span

_WHAT = {
    "stats": "the statistics page",
    "socket": "the command socket",
    "api": "the API",
    "status": "the status page",
    "counters": "the status page",
    "admin": "the admin interface",
}
#: What those may do who can write.
_STEERED = {"admin": "stop the proxy and drain its listeners"}
_RUNTIME = "stop the proxy, drain its listeners and change its runtime"
#: What to do where the proxy has its own ways: Envoy knows no password, Traefik's router can ask for one.
_ADVICE = {
    "envoy": "bind it to 127.0.0.1 or a socket, or name the few pages that are needed in allow_paths",
    "traefik": "leave out api.insecure and give api@internal a router that asks for a password, or let only 127.0.0.1 "
    "reach the port",
}
_ELSE = "bind it to 127.0.0.1 or a socket, or ask for a password and limit the addresses"
_SERVERS = "read the servers' names and load"
_SEEN = {"counters": "read how many connections and requests there are"}
#: Traefik's API tells routers, services and the servers' state, no load (pkg/api/handler.go).
_ROUTES = "read its routers and its servers' addresses"


def admin_exposed(config: Config, _context: Context) -> Iterator[Hit]:
    """O01: anyone who reaches the port can watch the proxy or take servers out of it. One finding a line.

    Where the proxy's container does not publish the port, only other containers reach it: info.
    """
    doors: dict[Span, list[Admin]] = {}
    for admin in config.admins:
        # `protected` is None where it is not known who may come in: that is no finding.
        if admin.protected == "" and (admin.address is None or (admin.address.known and not admin.address.loopback)):
            doors.setdefault(admin.span, []).append(admin)
    for span, found in doors.items():
        writable = any(admin.writable for admin in found)
        places = dict.fromkeys(_place(admin.address) for admin in found if admin.address is not None)
        inside = all(admin.published is False for admin in found)
        where = f" on {listed(list(places))}" if places else ""
        args = {
            "what": _WHAT.get(found[0].kind, found[0].kind),
            "where": f"{where}, which the container does not publish," if inside else where,
            "effect": _effect(found, config.dialect, writable=writable),
            "advice": _ADVICE.get(config.dialect, _ELSE),
        }
        yield Hit("O01", span, args, severity=INFO if inside else ERROR if writable else WARNING)


def _effect(found: list[Admin], dialect: str, *, writable: bool) -> str:
    kind = found[0].kind
    if not writable and dialect == "traefik":
        return _ROUTES
    if not writable:
        return _SEEN.get(kind, _SERVERS)
    if any(admin.runtime for admin in found):
        return _RUNTIME
    return _STEERED.get(kind, "drain servers and change weights")


def _place(address: Address) -> str:
    return f"port {address.text}" if address.text.isdigit() else address.text

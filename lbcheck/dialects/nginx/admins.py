"""Pages that show or steer nginx while it runs: which there are, where they answer, and what guards them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.passes import FAMILIES
from lbcheck.dialects.nginx.values import listen_address
from lbcheck.model import Admin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Address

#: Directives that make a location such a page, and what it is: counters of connections, or the servers too.
PAGES = {
    "stub_status": "counters",
    "api": "api",
    "upstream_conf": "api",
    "check_status": "status",
    "vhost_traffic_status_display": "status",
}
#: Directives that answer in a location; of several the last one written does (each sets `clcf->handler`).
_ANSWERS = frozenset(
    {*PAGES, *FAMILIES, "empty_gif", "flv", "mp4", "hls", "perl", "js_content", "content_by_lua",
     "content_by_lua_block", "content_by_lua_file"}
)  # fmt: skip
_AUTHENTICATION = ("auth_basic", "auth_request", "auth_jwt", "ssl_verify_client")


def admins(scope: Scope, unseen: Callable[[Directive], bool]) -> Iterator[Admin]:
    """Yield the pages that a block holds. `unseen` says of an include that what it brings in is not known."""
    answering = [directive for directive in scope.directives if directive.name in _ANSWERS]
    if not answering or answering[-1].name not in PAGES:
        return
    directive = answering[-1]
    server = scope if scope.directive is not None and scope.directive.name == "server" else scope.enclosing("server")
    if _answered_before(scope, server):
        return
    places = _places(server)
    where = next((place for place in places if not place.loopback), places[0] if places else None)
    if places and all(place.loopback for place in places):
        protected: str | None = "loopback"
    else:
        protected = _guard(scope) or (None if _may_hold_a_guard(scope, unseen) else "")
    yield Admin(PAGES[directive.name], directive.span, where, writable=_writable(directive, scope), protected=protected)


def _places(server: Scope | None) -> list[Address]:
    listen = server.all("listen") if server is not None else []
    return [listen_address(item.args[0])[0] for item in listen if item.args]


def _answered_before(scope: Scope, server: Scope | None) -> bool:
    """Say whether a `return` of the block or its server answers before the page can (in the rewrite phase)."""
    return scope.find("return") is not None or (server is not None and server.find("return") is not None)


def _writable(directive: Directive, scope: Scope) -> bool:
    if directive.name != "upstream_conf" and not (directive.name == "api" and "write=on" in directive.args):
        return False
    return not any(_guard(limited) for limited in scope.scopes("limit_except"))


def _guard(scope: Scope) -> str:
    """Return what keeps strangers out: "acl", "auth", or ""."""
    place: Scope | None = scope
    while place is not None and not (place.all("allow") or place.all("deny")):
        place = place.parent
    if place is not None and (place.all("deny") or any("all" in item.args for item in place.all("allow"))):
        return "acl"  # `allow all` alone guards nothing, but says that it is meant
    if scope.find("internal") is not None:
        return "acl"
    for name in _AUTHENTICATION:
        found = scope.inherited(name)
        if found is not None and found.args and found.args[0] != "off":
            return "auth"
    return ""


def _may_hold_a_guard(scope: Scope, unseen: Callable[[Directive], bool]) -> bool:
    """Say whether an include that was not seen, or the server around a fragment, may keep strangers out."""
    place: Scope | None = scope
    while place is not None and place.directive is not None and place.directive.name != "http":
        block = place.directive
        if block.end == 0 or any(child.name == "include" and unseen(child) for child in block.children or ()):
            return True
        place = place.parent
    return False

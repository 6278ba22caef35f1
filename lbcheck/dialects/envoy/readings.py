"""How a connection manager reads a request before it is matched: its host without the port, its path in normal form.

By ConnectionManagerUtility::maybeNormalizePath() and maybeNormalizeHost() in conn_manager_utility.cc, and
RouteMatcher::findVirtualHost() in config_impl.cc. What none of the routes asks for is not told: it changes nothing.
Paths with escaped slashes may be refused or redirected before a route is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Frontend

_HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_SLASHES = f"{_HTTP}.PathWithEscapedSlashesAction"
#: What leaves paths as they are, unless the runtime says otherwise.
_KEPT = ("IMPLEMENTATION_SPECIFIC_DEFAULT", "KEEP_UNCHANGED")


def note(found: Sequence[Frontend], manager: Message, config: Message) -> None:
    """Note on the frontends of a connection manager and its route configuration how these read requests."""
    asked = {one.field for front in found for route in front.routes for each in route.match for one in each}
    said = list(_answered(manager))
    if any(front.hosts for front in found) or not asked.isdisjoint(("host", "opaque")):
        said += _hosts(manager, config)
    if not asked.isdisjoint(("path", "opaque")):
        said += _paths(manager, config)
    if said:
        for front in found:
            front.options = {**front.options, "reading": Setting(", ".join(said))}


def _escaped(manager: Message) -> str:
    """Return what is done with escaped slashes in paths; "KEEP_UNCHANGED" also where nothing is written."""
    action = manager.enum("path_with_escaped_slashes_action", _SLASHES)
    return "KEEP_UNCHANGED" if action is None or action.value in _KEPT else action.value


def _answered(manager: Message) -> Iterator[str]:
    """Yield what keeps requests from every route, whatever that asks for."""
    action = _escaped(manager)
    if action not in ("KEEP_UNCHANGED", "UNESCAPE_AND_FORWARD"):
        yield f"the action {action or 'that is not known'} for paths with escaped slashes"


def _hosts(manager: Message, config: Message) -> Iterator[str]:
    if "vhost_header" in config:
        yield f"the host by the header {config.word('vhost_header').lower()}"
    if manager.true("strip_any_host_port") or config.true("ignore_port_in_host_matching"):
        yield "the host without its port"
    elif manager.true("strip_matching_host_port"):
        yield "the host without the listener's port"
    if manager.true("strip_trailing_host_dot"):
        yield "the host without a dot at its end"


def _paths(manager: Message, config: Message) -> Iterator[str]:
    if manager.true("normalize_path"):
        yield "the path normalized"
    if manager.true("merge_slashes"):
        yield "the path with its slashes merged"
    if _escaped(manager) == "UNESCAPE_AND_FORWARD":
        yield "the path with its escaped slashes unescaped"
    if "path_normalization_options" in manager:
        yield "the path by path_normalization_options"
    if config.true("ignore_path_parameters_in_path_matching"):
        yield "the path without its parameters"

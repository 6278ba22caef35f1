"""Variables that nothing defines: nginx refuses the config ("unknown variable"), wherever the name is read.

Said only where nothing unseen can define a variable: a whole config in which every directive is nginx's own, and every
module that it loads too.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.contexts import MASKS
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.known import DATA_BLOCKS, apart
from lbcheck.dialects.nginx.passes import FAMILIES
from lbcheck.dialects.nginx.source_table import HTTP_VARIABLES, STREAM_VARIABLES
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.patterns import pattern
from lbcheck.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

_KNOWN = {"http": HTTP_VARIABLES, "stream": STREAM_VARIABLES}
#: Variables of NGINX Plus and of modules released apart, by their beginnings.
_APART = (
    "jwt_", "otel_", "oidc_", "session_log_", "upstream_queue_time", "acme_", "geoip2_", "mqtt_", "zone_sync_", "ssl_",
    "proxy_protocol_", "upstream_", "api_", "slice_", "app_protect", "quic", "http2", "http3", "spdy", "tcpinfo_",
)  # fmt: skip
#: Modules of nginx itself whose variables are known, or which define none without a directive of theirs.
_OWN_MODULES = pattern(
    r"ngx_(?:stream|mail|http_(?:geoip|image_filter|perl|xslt_filter|js|dav|auth_request)|stream_(?:geoip|js))_module\.so\Z"
)
#: Directives in which every `$name` outside of a regular expression is a variable; what nginx reads at load.
_READERS = frozenset(
    {f"{family}_{what}" for family in FAMILIES.values() for what in (
        "pass", "set_header", "param", "cache_key", "bind", "ssl_name", "cookie_domain", "cookie_path", "cache_bypass",
        "no_cache", "method", "set_body")}
    | {"add_header", "add_trailer", "set", "if", "return", "rewrite", "log_format", "map", "split_clients", "root",
       "alias", "access_log", "limit_req_zone", "limit_conn_zone", "hash", "auth_basic", "auth_request_set",
       "try_files", "sub_filter", "error_page", "expires", "mirror"}
)  # fmt: skip
_VARIABLE = pattern(r"\$(?:\{([a-zA-Z0-9_]+)\}|([a-zA-Z_][a-zA-Z0-9_]*))", re.ASCII)
_CAPTURE = pattern(r"\(\?P?[<'](\w+)[>']")
_DEFINERS = pattern(r"(?:set|geo|map|num_map|split_clients|auth_request_set|keyval|(?:js|perl)_\w+|auth_jwt_\w+_set)\Z")


def undefined(main: Scope) -> Iterator[Hit]:
    """Yield a finding for each place that reads a variable which nothing defines."""
    parts = {scope.path[0] for scope in main.blocks()} & _KNOWN.keys()
    if not parts or not all(map(_own, main.walk())):
        return
    for part, known in _KNOWN.items():
        among = [scope for scope in main.walk() if scope.path[:1] == (part,)] if part in parts else []
        defined = {name for scope in among for name in _defined(scope)}
        for scope in among:
            yield from filter(None, _read_in(scope, defined, known))


def _read_in(scope: Scope, defined: set[str], known: frozenset[str]) -> Iterator[Hit | None]:
    if scope.path[-1] in DATA_BLOCKS:
        for entry in scope.directives if scope.path[-1] == "map" else ():
            yield _unknown(entry, entry.args, defined, known)
        return
    for name, directives in scope.names.items():
        if name in _READERS:
            for directive in directives:
                yield _unknown(directive, _read(directive), defined, known)


def _own(scope: Scope) -> bool:
    """Say whether every directive of a block is one whose variables are known."""
    if not DATA_BLOCKS.isdisjoint(scope.path):
        return True
    for name, directives in scope.names.items():
        if name == "load_module":
            if not all(one.args and _OWN_MODULES.search(os.path.basename(one.args[0])) for one in directives):
                return False
        elif (name not in MASKS and not apart(name)) or OPAQUE in name:
            return False
    return all(one.raw is None for one in scope.directives)


def _defined(scope: Scope) -> Iterator[str]:
    data = bool(scope.path) and scope.path[-1] in DATA_BLOCKS
    script = data and scope.path[-1] not in {"map", "geo", "split_clients", "types"}
    for name, directives in scope.names.items():
        definer = _defines(name)
        for directive in directives:
            words = [name, *directive.args] if data else directive.args
            if script:
                yield from (word[1:].lower() for word in words if word.startswith("$"))
            if "(?" in "".join(words):
                yield from (name.lower() for word in words for name in _CAPTURE.findall(word))
            if definer:
                yield from (word.lstrip("$").strip("{}").lower() for word in _targets(directive))


@lru_cache(maxsize=4096)
def _defines(name: str) -> bool:
    return bool(_DEFINERS.match(name))


def _targets(directive: Directive) -> list[str]:
    """Return the words by which a directive names the variable that it defines."""
    if directive.name in {"map", "num_map", "geo", "split_clients", "keyval"}:
        return [arg for arg in directive.args[-2 if directive.name == "keyval" else -1 :] if arg.startswith("$")]
    return directive.args[:1]


def _unknown(directive: Directive, words: list[str], defined: set[str], known: frozenset[str]) -> Hit | None:
    """Return a finding for the first variable in the words that is not known."""
    for word in words:
        if "$" not in word or OPAQUE in word:
            continue
        for match in _VARIABLE.finditer(word):
            name = (match[1] or match[2]).lower()
            if name in defined or name in known or _other(match[1] or match[2], known):
                continue
            near = nearest(name, sorted(defined | known), 2)
            advice = f"did you mean ${near[0]}?" if near else "define it with set or map, or correct the name"
            problem = f"nothing defines the variable ${name}: nginx refuses the config"
            return hit("E11", directive.span, problem, advice)
    return None


def _other(name: str, known: frozenset[str]) -> bool:
    """Say whether a name is a capture's number, a value that a template fills in, or one of an open family."""
    if name.isdigit() or name.isupper():
        return True
    lower = name.lower()
    if lower.startswith(_APART):
        return True
    at = lower.find("_")
    while at >= 0:
        if lower[: at + 1] in known and len(lower) > at + 1:
            return True
        at = lower.find("_", at + 1)
    return False


def _read(directive: Directive) -> list[str]:
    """Return the words in which variables are read: not those that are regular expressions, nor what is defined."""
    name, args = directive.name, directive.args
    if name == "if":
        at = next((number for number, arg in enumerate(args) if arg in {"~", "~*", "!~", "!~*"}), len(args))
        return args[:at]
    if name in {"set", "rewrite", "log_format", "auth_request_set"}:
        return args[1:]
    if name == "map":
        return args[:-1]
    return args[:1] if name in {"split_clients", "access_log"} else args

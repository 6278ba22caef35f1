"""Names of formats and zones: defined twice, or used without being defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.values import is_opaque
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

_REFUSES = "nginx refuses the config"
#: Directives that read a zone → the parameter that names it ("" for the first word), and the directive that makes it.
_ZONES = {
    "limit_req": ("zone", "limit_req_zone"),
    "limit_conn": ("", "limit_conn_zone"),
    "proxy_cache": ("", "proxy_cache_path"),
    "fastcgi_cache": ("", "fastcgi_cache_path"),
    "uwsgi_cache": ("", "uwsgi_cache_path"),
    "scgi_cache": ("", "scgi_cache_path"),
}
_MAKERS = {maker: "keys_zone" if maker.endswith("_path") else "zone" for _, maker in _ZONES.values()}


def repeated(main: Scope) -> Iterator[Hit]:
    """Yield log formats that are defined twice."""
    seen: dict[tuple[str, str], Directive] = {}
    for scope in main.holding("log_format"):
        if scope.path not in {("http",), ("stream",)}:
            continue
        for directive in scope.all("log_format"):
            if not directive.args or is_opaque(directive.args[0]):
                continue
            first = seen.setdefault((scope.path[0], directive.args[0]), directive)
            if first is not directive:
                yield hit(
                    "E10", directive.span, f'log_format "{directive.args[0]}" is defined twice: {_REFUSES}',
                    "keep one of them", [Related(first.span, "the first one")],
                )  # fmt: skip


def undefined(main: Scope) -> Iterator[Hit]:
    """Yield formats and zones that are used and not defined. Only for whole configs."""
    formats = {(part, one.args[0]) for part, one in _placed(main, "log_format") if one.args}
    for part, directive in _placed(main, "access_log"):
        yield from _log(directive, part, formats)
    for name, (key, maker) in _ZONES.items():
        made = {(part, _parameter(one, _MAKERS[maker]).partition(":")[0]) for part, one in _placed(main, maker)}
        for part, directive in _placed(main, name):
            used = _parameter(directive, key)
            if used and not is_opaque(used) and used != "off" and (part, used) not in made:
                problem = f'no {maker} makes the zone "{used}": {_REFUSES}'
                yield hit("E11", directive.span, problem, f"define it with {maker}, or correct the name")


def _placed(main: Scope, name: str) -> Iterator[tuple[str, Directive]]:
    """Yield the directives of a name below the main context, each with the top block that it lies in."""
    for scope in main.holding(name):
        if scope.path:
            for directive in scope.all(name):
                yield scope.path[0], directive


def _parameter(directive: Directive, key: str) -> str:
    if not key:
        return directive.args[0] if directive.args else ""
    return next((arg.partition("=")[2] for arg in directive.args if arg.startswith(f"{key}=")), "")


def _log(directive: Directive, part: str, formats: set[tuple[str, str]]) -> Iterator[Hit]:
    if len(directive.args) < 2 or directive.children is not None:
        return
    name = directive.args[1]
    if "=" in name or is_opaque(name) or (part, name) in formats or (part == "http" and name == "combined"):
        return
    if name.lower() in {"buffer", "flush", "gzip"}:
        return
    yield hit(
        "E11", directive.arg_span(1), f'no log_format defines "{name}": {_REFUSES}',
        "define it with log_format before, or leave it out for combined",
    )  # fmt: skip

"""What nginx itself refuses beyond syntax: wrong place, wrong number of arguments, values out of range, duplicates.

Contexts and arities come from crossplane's table (directive_table.py); NEWER lists what nginx knows besides. Where
neither is sure, nothing is said: a directive of a third-party module is no error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.directive_table import DIRECTIVES
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.judge_variables import unknown_variables
from lbcheck.dialects.nginx.known import ANYWHERE, DATA_BLOCKS, FOREIGN, NEWER, ONCE
from lbcheck.dialects.nginx.passes import root
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.values import seconds, whole
from lbcheck.findings import Related
from lbcheck.spelling import nearest
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit
    from lbcheck.model import Config

_BLOCK, _FLAG, _ANY, _1MORE, _2MORE = 0x100, 0x200, 0x400, 0x800, 0x1000
#: The bit of each context (src/core/ngx_conf_file.h, ngx_http_config.h and their kin, as crossplane numbers them).
CONTEXTS: dict[tuple[str, ...], int] = {
    (): 0x40000,
    ("events",): 0x80000,
    ("mail",): 0x100000,
    ("mail", "server"): 0x200000,
    ("stream",): 0x400000,
    ("stream", "server"): 0x800000,
    ("stream", "upstream"): 0x1000000,
    ("http",): 0x2000000,
    ("http", "server"): 0x4000000,
    ("http", "location"): 0x8000000,
    ("http", "upstream"): 0x10000000,
    ("http", "server", "if"): 0x20000000,
    ("http", "location", "if"): 0x40000000,
    ("http", "location", "limit_except"): 0x80000000,
}
_NAMES = {path: " ".join(path) or "the main context" for path in CONTEXTS}


def judge(config: Config) -> None:
    """Append to config.hits what `nginx -t` would refuse."""
    main = root(config)
    if main is None or any(hit.code in {"E01", "E04", "E05"} for hit in config.hits):
        return
    fragment = config.open is not None and config.workers is None
    for scope in main.walk():
        config.hits.extend(_scope(scope, fragment=fragment))
    if not fragment:
        config.hits.extend(_upstream_names(main))
    if config.open is None:
        config.hits.extend(unknown_variables(main))


def context(scope: Scope) -> tuple[str, ...] | None:
    """Return the scope's context as nginx counts it, locations inside locations being one; None for a foreign block."""
    path = scope.path
    if path[:1] == ("http",) and "location" in path:
        path = ("http", "location", *(name for name in path[-1:] if name in {"if", "limit_except"}))
    return path if path in CONTEXTS else None


def _scope(scope: Scope, *, fragment: bool) -> Iterator[Hit]:
    name = scope.directive.name if scope.directive is not None else ""
    if name in DATA_BLOCKS:
        yield from _data(scope)
        return
    where = context(scope)
    if where is None or (scope.directive is not None and scope.directive.raw is not None):
        return
    seen: dict[str, Directive] = {}
    for directive, _ in scope.items:
        if OPAQUE in directive.name:
            continue
        yield from _directive(directive, where, fragment=fragment)
        if directive.name in ONCE and directive.name in seen:
            yield _duplicate(directive, seen[directive.name])
        seen.setdefault(directive.name, directive)
    if where[-1:] == ("upstream",):
        yield from _upstream(scope, fragment=fragment)
    elif where in {("http", "server"), ("http", "location")}:
        yield from _locations(scope)


def _duplicate(directive: Directive, first: Directive) -> Hit:
    return hit(
        "E10",
        directive.span,
        f'"{directive.name}" stands twice in one block: nginx refuses the second',
        "keep one of them",
        [Related(first.span, "the first one")],
    )


def _directive(directive: Directive, where: tuple[str, ...], *, fragment: bool) -> Iterator[Hit]:
    name = directive.name
    masks = DIRECTIVES.get(name)
    if masks is None:
        if name not in NEWER and name not in FOREIGN and not fragment:
            yield from _unknown(directive, where)
        return
    if name in NEWER:
        return
    here = [mask for mask in masks if mask & CONTEXTS[where]]
    if not here:
        # What stream and mail take has grown with each nginx; crossplane's table lags behind there.
        if not fragment and where[:1] not in {("stream",), ("mail",)} and (name, where[-1:]) not in ANYWHERE:
            yield _misplaced(directive, masks, where)
        return
    if not any(_fits(directive, mask) for mask in here):
        yield _arity(directive, here)
    elif name == "if":
        yield from _condition(directive)
    elif name == "listen" and where[0] == "http":
        yield from _listen(directive)


def _unknown(directive: Directive, where: tuple[str, ...]) -> Iterator[Hit]:
    name = directive.name
    if len(name) < 5 or not re.fullmatch(r"[a-z_0-9]+", name):
        return
    known = [other for other, masks in DIRECTIVES.items() if any(mask & CONTEXTS[where] for mask in masks)]
    near = nearest(name, known, 1)
    if near:
        yield hit("E06", directive.name_span, f'nginx knows no directive "{name}"', f"did you mean {near[0]}?")


def _misplaced(directive: Directive, masks: tuple[int, ...], where: tuple[str, ...]) -> Hit:
    allowed = [label for path, label in _NAMES.items() if any(mask & CONTEXTS[path] for mask in masks)]
    return hit(
        "E07",
        directive.name_span,
        f'"{directive.name}" is not allowed in {_NAMES[where]}: nginx refuses the config',
        f"write it in {', '.join(allowed)}",
    )


def _fits(directive: Directive, mask: int) -> bool:
    if bool(mask & _BLOCK) != (directive.children is not None):
        return False
    count = len(directive.args)
    if mask & _ANY or (mask & _1MORE and count >= 1) or (mask & _2MORE and count >= 2):
        return True
    if count <= 7 and mask >> count & 1:
        return True
    return (
        bool(mask & _FLAG)
        and count == 1
        and (directive.args[0].lower() in {"on", "off"} or OPAQUE in directive.args[0])
    )


def _arity(directive: Directive, masks: list[int]) -> Hit:
    name, count = directive.name, len(directive.args)
    block = any(mask & _BLOCK for mask in masks)
    if block != (directive.children is not None):
        problem = f'"{name}" {"needs a block" if block else "takes no block"}'
        return hit(
            "E08", directive.span, f"{problem}: nginx refuses the config", f"end it with {'{' if block else ';'}"
        )
    if count == 1 and any(mask & _FLAG for mask in masks):
        problem = f'"{name}" is "on" or "off", not {directive.args[0]!r}: nginx refuses the config'
        return hit("E09", directive.arg_span(0), problem, "write on or off")
    wanted = sorted({number for mask in masks for number in range(8) if mask >> number & 1})
    text = " or ".join(map(str, wanted)) if wanted else "more"
    lines = directive.source.position(directive.start)[0] != directive.source.position(directive.end)[0]
    hint = 'write ";" at the end of its line, or' if lines else "give it"
    return hit(
        "E08",
        directive.span,
        f'"{name}" takes {text} argument{"" if text == "1" else "s"} and has {count}: nginx refuses the config',
        f"{hint} {text}",
    )


def _condition(directive: Directive) -> Iterator[Hit]:
    """Hold an `if` against ngx_http_rewrite_if_condition: it begins with `(`, ends with `)`, and holds something."""
    text = " ".join(directive.args)
    if OPAQUE in text:
        return
    inner = text[1:-1].strip() if text.startswith("(") and text.endswith(")") and len(text) > 1 else ""
    if not inner:
        yield hit(
            "E01", directive.span, f"the condition of `if {text}` is not one in parentheses: nginx refuses the config",
            "write it as `if ($variable = value) {`",
        )  # fmt: skip


def _listen(directive: Directive) -> Iterator[Hit]:
    text = directive.args[0]
    if OPAQUE in text or "$" in text or text.startswith("unix:"):
        return
    port = text.rpartition(":")[2] if ":" in text and not text.endswith("]") else text
    number = whole(port)
    if number is not None and (port == text or ":" in text) and not 1 <= number <= 65535:
        yield hit("E09", directive.arg_span(0), f"port {port} is not between 1 and 65535", "write a port that exists")


def _upstream(scope: Scope, *, fragment: bool) -> Iterator[Hit]:
    servers = scope.all("server")
    for server in servers:
        yield from _server(server)
    names = {directive.name for directive in scope.directives}
    directive = scope.directive
    if directive is None or fragment or names & {"state", "include", "dyups_interface"} or _templated(scope):
        return
    foreign = any(name not in DIRECTIVES for name in names)
    if foreign or any(child.name == "include" for child in directive.children or ()):
        return
    if not any("backup" not in server.args for server in servers):
        what = "has only backups" if servers else "has no servers"
        closing = Span(directive.source, directive.close - 1, directive.close)
        yield hit(
            "E14", directive.span, f"upstream {' '.join(directive.args)} {what}: nginx refuses the config "
            "(no servers are inside upstream)", "add a server" if not servers else "take `backup` off one of them",
            [Related(closing, "nginx names this line")],
        )  # fmt: skip
    yield from _unsupported(scope)


def _templated(scope: Scope) -> bool:
    directive = scope.directive
    if directive is None:
        return False
    text = directive.source.text[directive.start : directive.close]
    return "{%" in text or "{{" in text or "<%" in text


_NO_BACKUP = {"hash", "ip_hash", "random"}


def _unsupported(scope: Scope) -> Iterator[Hit]:
    """A backup written after hash, ip_hash or random is refused; before it, it is taken (rule F04)."""
    method: Directive | None = None
    for directive in scope.directives:
        if directive.name in _NO_BACKUP:
            method = directive
        elif directive.name == "server" and method is not None and "backup" in directive.args:
            yield hit(
                "E14",
                directive.arg_span(directive.args.index("backup")),
                f"{method.name} knows no backup servers: nginx refuses the config "
                '(balancing method does not support parameter "backup")',
                "take `backup` off, or choose least_conn or round robin",
                [Related(method.span, "the method")],
            )


def _server(directive: Directive) -> Iterator[Hit]:
    for index, arg in enumerate(directive.args[1:], 1):
        name, equals, value = arg.partition("=")
        if not equals or OPAQUE in value or "$" in value:
            continue
        if name in {"weight", "max_fails", "max_conns"}:
            number = whole(value)
            if number is None or (name == "weight" and number == 0):
                least = 1 if name == "weight" else 0
                advice = "use `down` to take the server out" if value == "0" else f"write a number from {least} up"
                problem = f"{arg} is no valid {name}: nginx refuses the config"
                yield hit("E09", directive.arg_span(index), problem, advice)
        elif name in {"fail_timeout", "slow_start"} and seconds(value) is None:
            problem = f"{arg} is no time: nginx refuses the config"
            yield hit("E09", directive.arg_span(index), problem, f"write it as {name}=10s")


def _locations(scope: Scope) -> Iterator[Hit]:
    seen: dict[tuple[str, ...], Directive] = {}
    outer = scope.directive if scope.path[-1:] == ("location",) else None
    for directive in scope.all("location"):
        if directive.children is None or any(OPAQUE in arg for arg in directive.args):
            continue
        key = tuple(directive.args)
        if key in seen:
            yield hit(
                "E10", directive.span, f'location "{" ".join(key)}" stands twice: nginx refuses the second',
                "join the two", [Related(seen[key].span, "the first one")],
            )  # fmt: skip
        seen.setdefault(key, directive)
        if outer is not None:
            yield from _inside(directive, outer)


def _inside(directive: Directive, outer: Directive) -> Iterator[Hit]:
    """A prefix location must lie inside the prefix of the one around it (ngx_http_core_location)."""
    if len(directive.args) != 1 or len(outer.args) != 1:
        return
    path, prefix = directive.args[0], outer.args[0]
    if path.startswith("/") and prefix.startswith("/") and not path.startswith(prefix):
        yield hit(
            "E14", directive.span, f'location "{path}" is outside location "{prefix}": nginx refuses the config',
            f"begin it with {prefix}, or move it out", [Related(outer.span, "the location around it")],
        )  # fmt: skip


def _data(scope: Scope) -> Iterator[Hit]:
    """Entries of a map, geo, split_clients or types block are plain lines."""
    for directive, _ in scope.items:
        if directive.children is not None:
            yield hit(
                "E01",
                directive.span,
                f'unexpected "{{" in {scope.path[-1]}: its entries are plain lines',
                "write the value and a ;",
            )


def _upstream_names(main: Scope) -> Iterator[Hit]:
    for outer in main.blocks():
        seen: dict[str, Directive] = {}
        for scope in outer.scopes("upstream"):
            directive = scope.directive
            if directive is None or not directive.args or OPAQUE in directive.args[0]:
                continue
            name = directive.args[0].lower()
            if name in seen:
                yield hit(
                    "E10", directive.span, f'upstream "{directive.args[0]}" is defined twice: nginx refuses the second',
                    "give it another name, or join the two", [Related(seen[name].span, "the first one")],
                )  # fmt: skip
            seen.setdefault(name, directive)

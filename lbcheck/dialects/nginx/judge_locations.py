"""What nginx refuses inside `server` and `location` blocks: doubled and misplaced locations, conditions, URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.values import is_opaque, split_url
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

_REFUSES = "nginx refuses the config"
_MODIFIERS = frozenset({"=", "^~", "~", "~*"})
#: What is judged here: most blocks hold none of it.
_JUDGED = frozenset({"location", "if", "proxy_pass", "set"})
_OPERATORS = frozenset({"=", "!=", "~", "~*", "!~", "!~*"})
_FILE_TESTS = frozenset({"-f", "-d", "-e", "-x", "!-f", "!-d", "!-e", "!-x"})


def inside(scope: Scope) -> Iterator[Hit]:
    """Yield what is wrong directly inside one block."""
    if scope.names.keys().isdisjoint(_JUDGED):
        return
    yield from _locations(scope)
    for directive in scope.all("if"):
        yield from _condition(directive)
    for directive in scope.all("proxy_pass"):
        if len(directive.args) == 1:
            yield from _proxy_pass(scope, directive)
    for directive in scope.all("set"):
        if directive.args and not directive.args[0].startswith("$") and OPAQUE not in directive.args[0]:
            problem = f'"{directive.args[0]}" is no variable: {_REFUSES}'
            yield hit("E09", directive.arg_span(0), problem, f"write ${directive.args[0]}")


def _locations(scope: Scope) -> Iterator[Hit]:
    found = scope.all("location")
    if not found:
        return
    outer = scope.directive if scope.path[-1:] == ("location",) else None
    seen: dict[tuple[bool, str], Directive] = {}
    for directive in found:
        if directive.children is None or not directive.args or any(OPAQUE in arg for arg in directive.args):
            continue
        if len(directive.args) == 2 and directive.args[0] not in _MODIFIERS:
            problem = f'"{directive.args[0]}" is no modifier of a location: {_REFUSES}'
            yield hit("E09", directive.arg_span(0), problem, "write =, ^~, ~ or ~*")
            continue
        strength, path = _split(directive.args)
        if outer is not None:
            yield from _nested(directive, strength, path, outer)
        if strength not in {"~", "~*"} and not path.startswith("@"):
            first = seen.setdefault((strength == "=", path), directive)
            if first is not directive:
                yield hit(
                    "E10", directive.span, f'location "{" ".join(directive.args)}" stands twice: nginx refuses it',
                    "join the two", [Related(first.span, "the first one")],
                )  # fmt: skip


def _split(args: list[str]) -> tuple[str, str]:
    """Return modifier and path of a location, which may be written without a blank between them (`=/path`).

    One without a path, which another judge tells, has "".
    """
    if len(args) != 1:
        return (args[0], args[1]) if args else ("", "")
    modifier = next((mark for mark in ("^~", "~*", "=", "~") if args[0].startswith(mark)), "")
    return modifier, args[0].removeprefix(modifier)


def _nested(directive: Directive, strength: str, path: str, outer: Directive) -> Iterator[Hit]:
    """A location inside another must lie inside its path (`ngx_http_core_location`)."""
    if any(OPAQUE in arg for arg in outer.args):
        return
    around, prefix = _split(outer.args)
    if around == "=":
        problem = f'location "{path}" cannot be inside the exact location "{prefix}"'
    elif prefix.startswith("@"):
        problem = f'location "{path}" cannot be inside the named location "{prefix}"'
    elif path.startswith("@"):
        problem = f'the named location "{path}" can be on the server level only'
    elif strength not in {"~", "~*"} and not path.startswith(prefix):
        problem = f'location "{path}" is outside location "{prefix}"'
    else:
        return
    yield hit(
        "E14", directive.span, f"{problem}: {_REFUSES}", "move it out, into the server",
        [Related(outer.span, "the location around it")],
    )  # fmt: skip


def _condition(directive: Directive) -> Iterator[Hit]:
    """Hold an `if` against `ngx_http_rewrite_if_condition`."""
    words = list(directive.args)
    if not words or directive.children is None or any(OPAQUE in word for word in words):
        return
    wrong = _wrong_word(words)
    if wrong is not None:
        shown = " ".join(directive.args)
        problem = f'the condition "{shown}" is wrong at "{wrong}": {_REFUSES}'
        yield hit("E08", directive.span, problem, "write it as `if ($variable = value) {`, or `~`, `!=`, `-f`")


def _wrong_word(words: list[str]) -> str | None:
    """Return the word at which nginx stops, or None."""
    if not words[0].startswith("("):
        return words[0]
    if not words[-1].endswith(")"):
        return words[-1]
    inner = words[1:] if words[0] == "(" else [words[0][1:], *words[1:]]
    if inner:
        inner = inner[:-1] if inner[-1] == ")" else [*inner[:-1], inner[-1].removesuffix(")")]
    return _wrong_inside(inner)


def _wrong_inside(words: list[str]) -> str | None:
    if not words or not words[0]:
        return ")"
    first, count = words[0], len(words)
    if first in _FILE_TESTS:
        return None if count == 2 else first
    if len(first) < 2 or not first.startswith("$") or count not in {1, 3}:
        return first
    return words[1] if count == 3 and words[1] not in _OPERATORS else None


def _proxy_pass(scope: Scope, directive: Directive) -> Iterator[Hit]:
    text = directive.args[0]
    rest = "" if is_opaque(text) else split_url(text)[2]
    if rest:
        yield from _with_path(scope, directive, rest)


def _with_path(scope: Scope, directive: Directive, rest: str) -> Iterator[Hit]:
    """Only a plain location lets nginx replace the path that matched (`ngx_http_proxy_pass`)."""
    block = scope.directive
    if block is None or block.end == 0 or any(OPAQUE in arg for arg in block.args):
        return
    if block.name == "location":
        strength, path = _split(block.args)
        if strength not in {"~", "~*"} and not path.startswith("@"):
            return
        where = "a named location" if path.startswith("@") else "a location given by a regular expression"
    else:
        where = f"`{block.name}`"
    yield hit(
        "E14", directive.arg_span(0), f'proxy_pass cannot have a path ("{rest}") inside {where}: {_REFUSES}',
        f"take {rest} off, and change the path with rewrite", [Related(block.span, "this block")],
    )  # fmt: skip

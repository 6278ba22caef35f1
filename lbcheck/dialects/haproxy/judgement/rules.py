"""What haproxy refuses in rules and their conditions: unknown actions, ACLs that are not declared above (src/acl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import keywords
from lbcheck.dialects.haproxy.acl import PREDEFINED
from lbcheck.dialects.haproxy.conditions import condition_index, terms
from lbcheck.dialects.haproxy.judgement.expressions import acl_line, expression
from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

#: Rules with a condition: the index from which `if` or `unless` is looked for.
_RULES = {
    "use_backend": 2,
    "use-server": 2,
    "http-request": 2,
    "http-response": 2,
    "http-after-response": 2,
    "tcp-request": 3,
    "tcp-response": 3,
    "redirect": 1,
    "stick": 2,
    "force-persist": 1,
    "ignore-persist": 1,
    "monitor": 2,
    "stats": 2,
}
_ACTIONS = {
    "http-request": keywords.HTTP_REQUEST,
    "http-response": keywords.HTTP_RESPONSE,
    "http-after-response": keywords.HTTP_AFTER_RESPONSE,
}
_TCP_ACTIONS = {"tcp-request": keywords.TCP_REQUEST, "tcp-response": keywords.TCP_RESPONSE}
_TCP_WHERE = {
    "tcp-request": ("connection", "session", "content", "inspect-delay"),
    "tcp-response": ("content", "inspect-delay"),
}
#: Words that look like operators; there is no `and`, and `or` is the only word between alternatives.
_OPERATORS = {"and": "two conditions side by side must both hold: write them without 'and'", "not": "write '!' instead"}
_OPERATORS |= {"AND": _OPERATORS["and"], "&&": _OPERATORS["and"], "NOT": _OPERATORS["not"]}


def rules(tree: Tree) -> Iterator[Hit]:
    """Yield what is refused in the rules of each proxy, in the order of writing."""
    for proxy in (*tree.defaults, *tree.proxies):
        declared: set[str] = set()
        for line in proxy.section.lines:
            keyword = line.words[0]
            if keyword == "acl":
                declared.add(line.word(1))
                if certain(line):
                    yield from acl_line(line, proxy)
            elif keyword in _RULES and certain(line) and not line.modifier:
                yield from _rule(line, proxy, declared, tree)


def _rule(line: Line, proxy: Proxy, declared: set[str], tree: Tree) -> Iterator[Hit]:
    keyword = line.words[0]
    yield from _action(line, proxy)
    if keyword in ("use_backend", "use-server"):
        yield from _switch(line, proxy)
    elif keyword in ("force-persist", "ignore-persist") and line.word(1) not in ("if", "unless"):
        yield hit("E08", line.span_of(0), f"'{keyword}' needs a condition", f"write '{keyword} if NAME'", proxy=proxy)
    index = condition_index(line, _RULES[keyword])
    if not index or (keyword == "stats" and line.word(1) not in ("admin", "http-request")):
        return
    for part in terms(line.words, index + 1):
        for _, words, at, anonymous in part:
            if words and words[0].startswith("{") and not anonymous and plain(line, at):
                problem = f"'{words[0]}' begins a test without a blank behind the '{{'"
                yield hit("E01", line.span_of(at), problem, "write '{ … }' with blanks", proxy=proxy)
                return
            if anonymous:
                yield from _anonymous(line, words, at, proxy)
            elif words[0] not in declared and not tree.templated:
                yield from _undefined(line, words[0], at, proxy)


def _anonymous(line: Line, words: tuple[str, ...], at: int, proxy: Proxy) -> Iterator[Hit]:
    if at + len(words) + 1 >= len(line.words):
        yield hit(
            "E01",
            line.span_of(at, len(line.words)),
            "the '{' is never closed",
            "add ' }' with a blank before it",
            proxy=proxy,
        )
        return
    if not words:
        yield hit("E08", line.span_of(at, at + 1), "the condition '{ }' is empty", "write a test into it", proxy=proxy)
    elif plain(line, at + 1):
        yield from expression(line, at + 1, proxy)


def _undefined(line: Line, name: str, at: int, proxy: Proxy) -> Iterator[Hit]:
    if name in PREDEFINED or name in ("", "}") or not plain(line, at):
        return
    span = line.span_of(at)
    if name in _OPERATORS:
        yield hit(
            "E11", span, f"'{name}' is taken for the name of an ACL, and there is none", _OPERATORS[name], proxy=proxy
        )
        return
    later = next((other for other in proxy.lines("acl") if other.word(1) == name), None)
    if later is not None:
        related = [Related(later.span, "declared here")]
        problem = f"the ACL '{name}' is declared only below, on line {later.span.line}"
        yield hit("E11", span, problem, "move the 'acl' line above the rule", proxy=proxy, related=related)
        return
    meant = guess(name, [*(other.word(1) for other in proxy.lines("acl")), *PREDEFINED])
    advice = f"did you mean '{meant}'?" if meant else f"declare it above: 'acl {name} …'"
    yield hit("E11", span, f"there is no ACL '{name}' in this section", advice, proxy=proxy)


def _switch(line: Line, proxy: Proxy) -> Iterator[Hit]:
    keyword = line.words[0]
    what = "backend" if keyword == "use_backend" else "server"
    if not line.word(1):
        yield hit(
            "E08", line.span, f"'{keyword}' needs the name of a {what}", f"write '{keyword} NAME if …'", proxy=proxy
        )
    elif line.word(2) not in ("", "if", "unless") and plain(line, 2):
        problem = f"behind the name only 'if' or 'unless' may stand, not '{line.word(2)}'"
        yield hit("E08", line.span_of(2), problem, f"write '{keyword} {line.word(1)} if …'", proxy=proxy)
    elif keyword == "use-server" and not line.word(2):
        yield hit("E08", line.span, "'use-server' needs a condition", f"write '{line.text_from(0)} if …'", proxy=proxy)


def _action(line: Line, proxy: Proxy) -> Iterator[Hit]:
    keyword = line.words[0]
    at = 1
    table = _ACTIONS.get(keyword)
    if keyword in _TCP_ACTIONS:
        where = line.word(1)
        if where not in _TCP_WHERE[keyword]:
            meant = guess(where, _TCP_WHERE[keyword])
            if meant and plain(line, 1):
                yield hit(
                    "E06", line.span_of(1), f"there is no '{keyword} {where}'", f"did you mean '{meant}'?", proxy=proxy
                )
            return
        at = 2
        table = _TCP_ACTIONS[keyword] if where != "inspect-delay" else None
    if table is None:
        return
    action = line.word(at).partition("(")[0]
    if not action:
        yield hit("E08", line.span, f"'{line.text_from(0)}' needs an action", "write what to do", proxy=proxy)
    elif action not in table and not action.startswith(("track-sc", "lua.")) and plain(line, at):
        meant = guess(action, sorted(table))
        if meant:
            problem = f"'{keyword}' has no action '{action}'"
            yield hit("E06", line.span_of(at), problem, f"did you mean '{meant}'?", proxy=proxy)

"""How a frontend finds a backend: rules that answer, `use_backend`, `default_backend`, in the order of evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.haproxy.conditions import condition_index, match
from lbcheck.dialects.haproxy.names import Names, dynamic
from lbcheck.model import EVERY_REQUEST, Condition, Route, Setting, WeightedTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.dialects.haproxy.conditions import Acls
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Match

#: Actions after which a request needs no server, by the words that begin the rule.
#: Actions that answer: the word before the status, and the status without one.
_STATUS = {"redirect": ("code", 302), "return": ("status", 200)}
HTTP_ENDS = frozenset({"deny", "tarpit", "redirect", "return", "reject", "silent-drop", "use-service", "auth", "block"})
TCP_ENDS = frozenset({"reject", "use-service", "silent-drop"})
#: Actions after which the rules behind them are skipped.
_STOPS = frozenset({"allow", "accept"})
#: Where a frontend's rules stand, in the order in which haproxy runs them.
RULES = (("tcp-request", "connection"), ("tcp-request", "session"), ("tcp-request", "content"), ("http-request", ""))


def answering(proxy: Proxy) -> Iterator[tuple[Line, int, Acls]]:
    """Yield the rules that end requests in the order of evaluation: line, index of its action, the ACLs it sees.

    Rules of a named defaults section come before own ones. `allow` and `accept` are among them: they end rule sets.
    """
    chain = list(proxy.chain())[::-1]
    for keyword, level in RULES:
        if keyword == "http-request" and proxy.mode == "tcp":
            continue
        at = 2 if level else 1
        ends = TCP_ENDS if level else HTTP_ENDS
        for section in chain:
            for line in section.lines(keyword):
                if level and line.word(1) != level:
                    continue
                action = line.word(at).partition("(")[0]
                if action in ends or action in _STOPS:
                    yield line, at, section.acls
    if proxy.mode != "tcp":
        for line in proxy.lines("redirect"):
            yield line, 0, proxy.acls


def routes(proxy: Proxy, names: Names) -> list[Route]:
    """Return the routes of a frontend or listen in order; the first that matches wins."""
    acls = proxy.acls
    found = list(_answers(proxy))
    found.extend(_use_backend(line, acls, names) for line in proxy.lines("use_backend"))
    default = proxy.effective("default_backend")
    if default is not None:
        found.append(_default(default, names))
        if not proxy.lines("default_backend"):
            found[-1].options = {"inherited": Setting(True, default.span)}
    elif proxy.is_backend:
        target = WeightedTarget(proxy.name, proxy.span, names.pool(proxy.name))
        found.append(Route(f"listen {proxy.name}", proxy.span, EVERY_REQUEST, (target,)))
    return found


def settle_scheme(routes: Iterable[Route], *, tls: bool) -> None:
    """Take `ssl_fc` for what it is where all of a frontend's listeners speak TLS, or none does.

    `redirect scheme https unless { ssl_fc }` on port 80 alone takes every request.
    """
    for route in routes:
        kept = [
            tuple(condition for condition in alternative if condition.field != "scheme")
            for alternative in route.match
            if all(condition.field != "scheme" or condition.negated != tls for condition in alternative)
        ]
        route.match = EVERY_REQUEST if () in kept else tuple(kept)


def _answers(proxy: Proxy) -> Iterator[Route]:
    if (line := proxy.effective("monitor-uri")) is not None and proxy.mode != "tcp":
        yield Route(f"monitor-uri {line.word(1)}", line.span, _path(line.word(1), "exact"), (), "answer")
    stopped: list[Condition] = []
    ruleset = ""
    for line, at, acls in answering(proxy):
        if line.words[0] + line.word(1) * (at == 2) != ruleset:
            ruleset = line.words[0] + line.word(1) * (at == 2)
            stopped = []
        index = condition_index(line, at + 1)
        action = line.word(at)
        if action in _STOPS:
            stopped.append(Condition("opaque", "exact", (line.text_from(0),), negated=True))
            continue
        found = match(line, index, acls)
        if action == "auth":
            found = tuple((*part, Condition("opaque", "exact", ("auth",))) for part in found)
        if stopped:
            found = tuple((*part, *stopped) for part in found)
        yield Route(line.text_from(0), line.span, found, (), "answer", options=_status(line, at))


def _status(line: Line, at: int) -> dict[str, Setting[Any]]:
    """Return the status that a redirect or a `return` answers with (src/http_rules.c): 302 and 200 by default."""
    found = _STATUS.get(line.word(at))
    if found is None:
        return {}
    word, status = found
    for index, one in enumerate(line.words[at + 1 :], at + 1):
        if one == word:
            given = line.word(index + 1)
            return {"status": Setting(int(given), line.span_of(index, index + 1))} if _is_status(given) else {}
        if one in ("if", "unless"):
            break
    return {"status": Setting(status, line.span_of(at))}


def _is_status(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdecimal()


def _path(text: str, op: str) -> Match:
    return ((Condition("path", op, (text,)),),)


def _use_backend(line: Line, acls: Acls, names: Names) -> Route:
    index = condition_index(line, 2)
    when = match(line, index, acls)
    name = line.word(1)
    label = line.text_from(0)
    span = line.span_of(1)
    if 1 in line.opaque or "%[" in name or "%{" in name:
        return _dynamic(line, when, names, label)
    return Route(label, line.span, when, (WeightedTarget(name, span, names.pool(name)),))


def _default(line: Line, names: Names) -> Route:
    name = line.word(1)
    if 1 in line.opaque:
        return _dynamic(line, EVERY_REQUEST, names, line.text_from(0))
    target = WeightedTarget(name, line.span_of(1), names.pool(name))
    return Route(line.text_from(0), line.span, EVERY_REQUEST, (target,))


def _dynamic(line: Line, when: Match, names: Names, label: str) -> Route:
    """A name that is computed for each request: what can be read of it becomes targets, the rest stays unknown."""
    expression = line.word(1)
    found, complete, total = dynamic(expression, names, opaque=1 in line.opaque)
    targets = _targets(found, line, names)
    if not complete:
        return Route(label, line.span, when, targets, "unknown", expression=expression)
    if not total:  # a request without an entry goes on to the next rule
        when = tuple((*part, Condition("opaque", "exact", (expression,))) for part in when)
    return Route(label, line.span, when, targets, expression=expression)


def _targets(found: Sequence[str], line: Line, names: Names) -> list[WeightedTarget]:
    span = line.span_of(1)
    return [WeightedTarget(name, span, names.pool(name)) for name in dict.fromkeys(found)]

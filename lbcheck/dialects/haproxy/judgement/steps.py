"""What haproxy refuses in the steps of `http-check` and `tcp-check` (src/tcpcheck.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.findings import Hit

_ANYWHERE = ("comment", "connect", "expect", "set-var", "set-var-fmt", "unset-var")
_ACTIONS = {
    "http-check": (*_ANYWHERE, "disable-on-404", "send-state", "send"),
    "tcp-check": (*_ANYWHERE, "send", "send-lf", "send-binary", "send-binary-lf"),
}
#: Lines that are no steps.
_BESIDE = ("comment", "set-var", "unset-var", "disable-on-404", "send-state")
#: `expect status` takes codes and ranges of codes.
_CODES = re.compile(r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*")


def steps(tree: Tree) -> Iterator[Hit]:
    """Yield the steps of checks that are wrong by themselves, or out of order."""
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword in ("http-check", "tcp-check"):
            lines = proxy.lines(keyword)
            for line in lines:
                if certain(line):
                    yield from _step(line, proxy)
            if lines:
                yield from _order(lines, proxy)


def _order(lines: Sequence[Line], proxy: Proxy) -> Iterator[Hit]:
    """If any step is a `connect`, the first one must be."""
    found = [line for line in lines if not line.word(1).startswith(_BESIDE)]
    if not found or found[0].word(1) == "connect" or not all(certain(line) for line in found):
        return
    late = next((line for line in found if line.word(1) == "connect"), None)
    if late is not None:
        problem = "a 'connect' step stands behind other steps, and the first one is no 'connect'"
        yield hit("E14", late.span, problem, f"begin with '{late.words[0]} connect'", proxy=proxy)


def _step(line: Line, proxy: Proxy) -> Iterator[Hit]:
    keyword, action = line.words[0], line.word(1)
    name = action.partition("(")[0]
    if not action:
        yield hit("E08", line.span, f"'{keyword}' needs a step", f"write '{keyword} expect …'", proxy=proxy)
    elif name not in _ACTIONS[keyword]:
        meant = guess(name, _ACTIONS[keyword])
        if meant and plain(line, 1):
            problem = f"'{keyword}' has no step '{name}'"
            yield hit("E06", line.span_of(1), problem, f"did you mean '{meant}'?", proxy=proxy)
    elif action != "comment" and line.words[-1] == "comment" and len(line.words) > 3:
        problem = "'comment' has no text behind it"
        yield hit("E08", line.span_of(len(line.words) - 1), problem, "write 'comment TEXT'", proxy=proxy)
    elif action == "expect":
        yield from _expect(line, proxy)


def _expect(line: Line, proxy: Proxy) -> Iterator[Hit]:
    if not line.word(2):
        problem = f"'{line.text_from(0)}' does not say what to expect"
        yield hit("E08", line.span, problem, "write such as 'http-check expect status 200'", proxy=proxy)
        return
    words = line.words
    for index, word in enumerate(words[2:], 2):
        if word in ("status", "!status") or (word == "!" and line.word(index + 1) == "status"):
            at = index + (2 if word == "!" else 1)
            if at >= len(words):
                problem = "'status' needs the codes that are right"
                yield hit("E08", line.span_of(index), problem, "write 'status 200' or 'status 200-399'", proxy=proxy)
            elif not _CODES.fullmatch(words[at]) and plain(line, at):
                problem = f"'{words[at]}' is no list of status codes"
                yield hit("E09", line.span_of(at), problem, "write 'status 200' or 'status 200-399'", proxy=proxy)
            return
        if word in ("string", "rstring", "rstatus", "binary", "!", "!string", "!rstring", "!rstatus"):
            return

"""HAProxy's `balance`: one that another line of the same section undoes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lbcheck.findings import WARNING, Edit, Fix, Hit, Related
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Config


def balance_redefined(config: Config, context: Context) -> Iterator[Hit]:
    """D17: of two `balance` lines in one section the last counts (`cfg_parse_listen`), and nothing is said."""
    del context
    if config.tree is None:
        return
    for proxy in (*config.tree.defaults, *config.tree.proxies):
        lines = [line for line in proxy.lines("balance") if len(line.words) > 1]
        for first, second in pairwise(lines):
            # lines of different `.if` alternatives never meet; neither do those that a template chooses from
            if first.branch == second.branch and not proxy.section.templated:
                yield _dropped(proxy, first, second)


def _dropped(proxy: Proxy, first: Line, second: Line) -> Hit:
    name = proxy.name or "defaults"
    same = first.words == second.words
    args = {
        "problem": f"{name} says `{second.text_from(0)}` twice"
        if same
        else f"{name} chooses its method twice: `{second.text_from(0)}` counts, `{first.text_from(0)}` is dropped",
        "advice": "keep the one that is meant",
    }
    fix = Fix("delete the line that is dropped", [_drop(first)], safe=False)
    related = [Related(first.span, "this one is dropped")]
    return Hit("D17", second.span, args, severity=WARNING, related=related, fix=fix, pool=name)


def _drop(line: Line) -> Edit:
    """Delete a line; its comment goes with it."""
    source = line.source
    end = source.text.find("\n", line.end)
    start = source.line_start(source.position(line.start)[0])
    return Edit(Span(source, start, len(source.text) if end < 0 else end + 1), "")

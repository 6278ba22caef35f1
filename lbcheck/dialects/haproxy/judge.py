"""What haproxy would refuse: the findings of reading (group E), in the order of the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.binds import binds
from lbcheck.dialects.haproxy.judgement.heads import heads
from lbcheck.dialects.haproxy.judgement.inheritance import inheritance
from lbcheck.dialects.haproxy.judgement.names import names
from lbcheck.dialects.haproxy.judgement.placement import placement
from lbcheck.dialects.haproxy.judgement.rules import rules
from lbcheck.dialects.haproxy.judgement.said import begin
from lbcheck.dialects.haproxy.judgement.samples import samples
from lbcheck.dialects.haproxy.judgement.servers import servers
from lbcheck.dialects.haproxy.judgement.steps import steps
from lbcheck.dialects.haproxy.judgement.targets import targets
from lbcheck.dialects.haproxy.judgement.together import together
from lbcheck.dialects.haproxy.judgement.values import values
from lbcheck.findings import Hit
from lbcheck.text import Span

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.resolve import Tree


def judge(tree: Tree) -> list[Hit]:
    """Return what haproxy 2.6 and newer refuse in the parts that are modelled.

    Silent about anything that holds a variable or a template, and about lines in `.if` blocks: whether haproxy
    meets them is decided when it starts.
    """
    begin()
    hits = [
        Hit(mistake.code, Span(document.source, mistake.start, mistake.end), _args(mistake.problem, mistake.advice))
        for document, mistake in tree.read.mistakes
    ]
    for one in (placement, heads, inheritance, values, binds, rules, samples, steps, together, names, targets):
        hits.extend(one(tree))
    for proxy in (*tree.defaults, *tree.proxies):
        hits.extend(servers(proxy))
    hits = _once(hits)
    order = {id(document.source): place for place, document in enumerate(tree.documents)}
    hits.sort(key=lambda hit: (order.get(id(hit.span.source), 0), hit.span.start))
    return hits


def _once(hits: list[Hit]) -> list[Hit]:
    """Drop repetitions: a mistake in `default-server` is met again at every server."""
    known: set[tuple[str, Span]] = set()
    found = []
    for hit in hits:
        if (hit.code, hit.span) not in known:
            known.add((hit.code, hit.span))
            found.append(hit)
    return found


def _args(problem: str, advice: str) -> dict[str, object]:
    return {"problem": problem, "advice": advice}

"""What not every Traefik has, where it is used (the changelog of 3.7; field by field in 3.0, 3.1, 3.5, 3.6 and 3.7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.traefik import fields as f
from lbcheck.model import Requirement
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.traefik.entries import Entries
    from lbcheck.dialects.traefik.fields import Fields
    from lbcheck.text import Span

#: A star for one label of a name: version 3.6 refuses it in HostSNI, and takes it in Host for the letter that it is.
_STAR = pattern(r"\bHost(?:SNI)?\(`\*\.[^`]*`\)", re.IGNORECASE)
#: Strategies by the first version that has them.
_STRATEGIES = {"p2c": (3, 4, 0), "hrw": (3, 6, 0), "leasttime": (3, 6, 0)}


def requirements(entries: Entries) -> Iterator[Requirement]:
    """Yield the features in use that came with a version of Traefik 3."""
    for protocol in ("http", "tcp"):
        for entry in entries.of(protocol, "services").values():
            for feature, since, span in _of_service(entry.fields, protocol):
                yield Requirement("traefik", feature, since, span)
        for entry in entries.of(protocol, "routers").values():
            if f.written(entry.fields, "parentrefs"):
                yield Requirement("traefik", "parentRefs", (3, 6, 0), entry.fields["parentrefs"][0].span)
            rule = f.scalar(entry.fields, "rule")
            star = None if rule is None else _STAR.search(rule.text)
            if rule is not None and star is not None:
                yield Requirement("traefik", star[0], (3, 7, 0), rule.span)


def _of_service(fields: Fields, protocol: str) -> Iterator[tuple[str, tuple[int, ...], Span]]:
    balancer = f.inside(fields, "loadbalancer")
    strategy = f.text(balancer, "strategy")
    if strategy is not None and strategy.span is not None and strategy.value in _STRATEGIES:
        yield f"strategy: {strategy.value}", _STRATEGIES[strategy.value], strategy.span
    for name, where, since in (
        ("passiveHealthCheck", balancer, (3, 6, 0)),
        ("highestRandomWeight", fields, (3, 6, 0)),
        ("errors", f.inside(fields, "failover"), (3, 7, 0)),
    ):
        if f.written(where, name.lower()):
            said = "failover.errors" if name == "errors" else name
            yield said, since, where[name.lower()][0].span
    if protocol == "tcp" and f.written(balancer, "healthcheck"):
        yield "healthCheck of a TCP service", (3, 6, 0), balancer["healthcheck"][0].span

"""Highest random weight: what Traefik's hash makes of the URLs of servers and the names of services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik import fields as f
from lbcheck.findings import ERROR, Hit, Related
from lbcheck.traffic.algorithms import rendezvous
from lbcheck.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.entries import Entry
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.model import Config
    from lbcheck.text import Span

#: Times a fair share from which a share is a finding, and an error.
_TOO_MUCH, _FAR_TOO_MUCH = 1.25, 1.5
#: So many standard errors a counted share must be beyond the limit.
_SURE = 4


def hrw_imbalance(config: Config, context: Context) -> Iterator[Hit]:
    """D08: FNV-1a hardly tells names apart that differ in their last bytes (traffic.algorithms.rendezvous)."""
    yield from _pools(config, context)
    tree: Tree | None = config.tree
    if tree is not None and config.open is None:
        for entry in tree.entries.of("http", "services").values():
            if f.written(entry.fields, "highestrandomweight"):
                yield from _services(entry)


def _pools(config: Config, context: Context) -> Iterator[Hit]:
    """Yield pools whose servers' URLs are hardly told apart."""
    for pool in config.pools:
        if pool.algorithm.name != "hrw" or pool.open is not None or len(pool.serving) < 2:
            continue
        if len({server.address.key for server in pool.serving}) < len(pool.serving):
            continue  # one server twice is P04's
        found = context.shares(pool, config.dialect)
        if found.servers is None or found.stderr is None:
            continue
        parts = [
            _Part(server.name, server.span, server.weight.value, share)
            for share, server in zip(found.servers, pool.servers, strict=True)
            if server.serving
        ]
        advice = "write URLs that differ before their last bytes (http://10.0.0.1:80), or use another strategy"
        for hit in _judge(pool.name, pool.algorithm.span or pool.span, parts, found.stderr, advice):
            hit.pool = pool.name
            hit.server = str(hit.args["server"])
            yield hit


def _services(entry: Entry) -> Iterator[Hit]:
    """Yield a service whose children's names are hardly told apart."""
    key, node = entry.fields["highestrandomweight"]
    parts = []
    for item in f.items(f.of(node), "services"):
        fields = f.of(item)
        name, weight = f.scalar(fields, "name"), f.integer(fields, "weight")
        if name is None or f.opaque(fields, "name") or f.opaque(fields, "weight"):
            return
        parts.append(_Part(name.text, name.span, 1 if weight is None else weight.value, 0.0))
    taking = [part for part in parts if part.weight > 0]
    if len({part.name for part in taking}) < max(len(taking), 2):
        return
    clients = rendezvous.Clients([part.name for part in taking], [part.weight for part in taking])
    shares = clients.parts(range(len(taking)))
    if shares is not None:
        known = [part._replace(share=share) for part, share in zip(taking, shares, strict=True)]
        advice = "give the services names that differ before their last letters (blue, green), or use weighted"
        yield from _judge(entry.name, key.span, known, clients.standard_error(shares), advice)


class _Part(NamedTuple):
    """A server or service among which clients are shared out."""

    name: str
    span: Span
    weight: int
    share: float


def _judge(pool: str, span: Span, parts: Sequence[_Part], stderr: float, advice: str) -> Iterator[Hit]:
    """Yield a hit where one of them gets far more than its weight says, for certain."""
    total = sum(part.weight for part in parts)
    most = max(parts, key=lambda part: part.share / part.weight)
    ratio = most.share * total / most.weight
    idle = [part for part in parts if not part.share]
    if (most.share - _SURE * stderr) * total / most.weight <= _TOO_MUCH and not idle:
        return
    args = {
        "pool": pool,
        "hash": "the hrw hash",
        "server": most.name,
        "share": percent(most.share),
        "ratio": f"{ratio:.2g}",
        "advice": advice,
    }
    severity = ERROR if idle or ratio > _FAR_TOO_MUCH else None
    related = [Related(part.span, f"{part.name} gets nothing") for part in idle[:10]]
    yield Hit("D08", span, args, severity=severity, related=related)

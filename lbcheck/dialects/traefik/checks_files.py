"""Names that two files of one directory define (pkg/provider/merge.go, ResourceStrategySkipDuplicates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import Hit, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.traefik.lower import Tree
    from lbcheck.model import Config


def pool_name_collision(config: Config, _context: Context) -> Iterator[Hit]:
    """X05: a router, service or middleware that an earlier file has defined already. Labels are P14's."""
    tree: Tree | None = config.tree
    if tree is None or config.open is not None or tree.project is not None:
        return
    for first, again in tree.entries.twice:
        path = first.key.source.path
        args = {
            "name": again.name,
            "other": path,
            "effect": f"of the files of a directory Traefik keeps the first, {path}, and only logs the other",
        }
        related = [Related(first.key.span, "the first one is here")]
        yield Hit("X05", again.key.span, args, related=related)

"""HAProxy: text → lines → sections → resolved tree → model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.group import groups, neighbourhood
from lbcheck.dialects.haproxy.judge import judge
from lbcheck.dialects.haproxy.lexer import scan
from lbcheck.dialects.haproxy.lower import lower
from lbcheck.dialects.haproxy.recognise import recognises, references
from lbcheck.dialects.haproxy.resolve import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config

__all__ = ["neighbourhood", "read", "read_group", "recognises", "references"]


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn files into configs: each file is one, unless its folder makes it part of a group (`group.groups`)."""
    return [read_group(group, files) for group in groups(paths)]


def read_group(paths: Sequence[str], files: Files) -> Config:
    """Turn the files of `haproxy -f A -f B` into one config, in the order given."""
    tree = Tree([scan(files.read(path)) for path in paths])
    config = lower(tree, files)
    config.hits.extend(judge(tree))
    return config


def __getattr__(name: str) -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    """Load the table of checks when it is asked for: reading a file needs none of them."""
    if name == "CHECKS":
        from lbcheck.dialects.haproxy.checks import CHECKS as TABLE

        return TABLE
    raise AttributeError(name)

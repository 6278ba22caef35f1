"""What of an Envoy config loads or runs code: extensions that hold programs, or load them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.nodes import text, walked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.text import Span

#: Types, and names, of extensions: Lua and Wasm filters, Go plugins, dynamic modules, tracers that are libraries.
_EXTENSION = re.compile(
    r"(?:envoy|type\.googleapis)[\w./]*?(?:lua|wasm|golang|dynamic_?modules?|dynamic_?ot|python|javascript|[._/]exec\b)",
    re.IGNORECASE,
)
#: Fields that only such extensions have.
_FIELDS = re.compile(
    r"(?:inline_?code|source_?codes?|default_?source_?code|library_?path|wasm_?service|dynamic_?module_?config"
    r"|package_?c?paths)\Z",
    re.IGNORECASE,
)


def code(documents: Iterable[Node]) -> Iterator[tuple[Span, str]]:
    """Yield what loads or runs code, each with its place."""
    for _, node in walked(documents):
        word = text(node)
        if word is not None and (_EXTENSION.match(word) or _FIELDS.match(word)):
            yield node.span, f"{word[:120]} runs code"

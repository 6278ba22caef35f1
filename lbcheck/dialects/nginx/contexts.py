"""Where a directive may stand and how many words it takes: crossplane's table and what nginx's source adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.directive_table import DIRECTIVES
from lbcheck.dialects.nginx.source_table import MORE

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.scope import Scope

BLOCK, FLAG, ANY, ONE_OR_MORE, TWO_OR_MORE = 0x100, 0x200, 0x400, 0x800, 0x1000
#: The bit of each context (src/core/ngx_conf_file.h, ngx_http_config.h and their kin, as crossplane numbers them).
CONTEXTS: dict[tuple[str, ...], int] = {
    (): 0x40000,
    ("events",): 0x80000,
    ("mail",): 0x100000,
    ("mail", "server"): 0x200000,
    ("stream",): 0x400000,
    ("stream", "server"): 0x800000,
    ("stream", "upstream"): 0x1000000,
    ("http",): 0x2000000,
    ("http", "server"): 0x4000000,
    ("http", "location"): 0x8000000,
    ("http", "upstream"): 0x10000000,
    ("http", "server", "if"): 0x20000000,
    ("http", "location", "if"): 0x40000000,
    ("http", "location", "limit_except"): 0x80000000,
}


def _joined() -> dict[str, tuple[int, ...]]:
    masks = dict(DIRECTIVES)
    for name, more in MORE.items():
        masks[name] = (*masks.get(name, ()), *more)
    return masks


#: Every known directive's masks.
MASKS = _joined()


def context(scope: Scope) -> tuple[str, ...] | None:
    """Return the scope's context as nginx counts it, locations inside locations being one; None for a foreign block."""
    path = scope.path
    if len(path) > 2 and path[0] == "http" and path[2] == "location":
        path = ("http", "location", *(name for name in path[-1:] if name != "location"))
    return path if path in CONTEXTS else None


def allowed(masks: tuple[int, ...]) -> str:
    """Return the contexts of some masks as people say them."""
    names = (" ".join(path) or "the main context" for path, bit in CONTEXTS.items() if any(m & bit for m in masks))
    return ", ".join(names)


def arities(masks: list[int]) -> tuple[int, int]:
    """Return how many arguments masks allow a plain directive and a block, each as bits (`ngx_conf_handler`).

    Bit N of an endless row of bits stands for N arguments, so that `allowed >> N & 1` answers for any number.
    """
    plain = block = 0
    for mask in masks:
        if mask & BLOCK:
            block |= _arity(mask)
        else:
            plain |= _arity(mask)
    return plain, block


def _arity(mask: int) -> int:
    if mask & ANY:
        return -1
    if mask & FLAG:
        return 1 << 1
    if mask & ONE_OR_MORE:
        return -1 << 1
    return -1 << 2 if mask & TWO_OR_MORE else mask & 0xFF


def counts(masks: list[int]) -> str:
    """Return how many arguments the masks take, as people say it."""
    for mask in masks:
        if mask & (ONE_OR_MORE | TWO_OR_MORE):
            return "at least two arguments" if mask & TWO_OR_MORE else "at least one argument"
    wanted = sorted({number for mask in masks for number in range(8) if mask >> number & 1} | _flags(masks))
    text = " or ".join(map(str, wanted))
    return "no argument" if wanted == [0] else f"{text} argument{'' if text == '1' else 's'}"


def _flags(masks: list[int]) -> set[int]:
    return {1} if any(mask & FLAG for mask in masks) else set()

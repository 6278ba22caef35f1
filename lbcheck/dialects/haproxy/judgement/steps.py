"""The order of `http-check` and `tcp-check` steps (`parse_tcpcheck_connect` in src/tcpcheck.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import certain, hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Tree
    from lbcheck.findings import Hit

#: Lines that are no steps.
_BESIDE = ("comment", "set-var", "unset-var", "disable-on-404", "send-state")


def steps(tree: Tree) -> Iterator[Hit]:
    """Yield a `connect` that comes after another step, where the first step is none."""
    for proxy in (*tree.defaults, *tree.proxies):
        for keyword in ("http-check", "tcp-check"):
            lines = [line for line in proxy.lines(keyword) if not line.word(1).startswith(_BESIDE)]
            if not lines or lines[0].word(1) == "connect" or not all(certain(line) for line in lines):
                continue
            for line in lines[1:]:
                if line.word(1) == "connect":
                    problem = "a 'connect' step stands behind other steps, and the first one is no 'connect'"
                    yield hit("E14", line.span, problem, f"begin with '{keyword} connect'", proxy=proxy)
                    break

"""What nginx itself refuses beyond syntax, so that a config that `nginx -t` would turn away never looks good.

Every directive is held against the tables (contexts.py) for its place, its arguments and its values; judge_*.py hold
what nginx refuses for reasons of its own. Where an unknown module, another edition or a missing file may explain what
is written, nothing is said.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx import (
    judge_addresses,
    judge_listen,
    judge_locations,
    judge_names,
    judge_tables,
    judge_upstreams,
    judge_variables,
)
from lbcheck.dialects.nginx.contexts import CONTEXTS, FLAG, MASKS, allowed, arities, context, counts
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.judge_values import SINGLE, judged, kind_of, wrong_value
from lbcheck.dialects.nginx.known import ANYWHERE, DATA_BLOCKS, ONCE, apart, foreign
from lbcheck.dialects.nginx.passes import root
from lbcheck.dialects.nginx.templates import OPAQUE, TORN, any_words, exclusive
from lbcheck.findings import WARNING, Related
from lbcheck.patterns import pattern
from lbcheck.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit
    from lbcheck.model import Config

#: How many unknown names are compared with the known ones; a file with more is no nginx config.
MAX_GUESSES = 50
_NAME = pattern(r"[a-z][a-z_0-9]{4,}\W?\Z")


def judge(config: Config) -> None:
    """Append to config.hits what `nginx -t` would refuse."""
    main = root(config)
    if main is None or any(found.code in {"E01", "E04", "E05"} for found in config.hits):
        return
    if any(gap.reason == TORN for gap in config.unmodelled):
        return
    read = len(config.hits)
    fragment = config.open is not None and config.workers is None
    places = _Places(fragment=fragment)
    for scope in main.walk():
        config.hits.extend(places.scope(scope))
    config.hits.extend(judge_upstreams.names(main))
    config.hits.extend(judge_listen.addresses(main))
    config.hits.extend(judge_addresses.passes(main, whole=config.open is None))
    if not fragment:
        config.hits.extend(judge_names.repeated(main))
    if config.open is None:
        config.hits.extend(judge_names.undefined(main))
        said = {(id(found.span.source), found.span.start) for found in config.hits}
        config.hits.extend(
            found for found in judge_variables.undefined(main) if (id(found.span.source), found.span.start) not in said
        )
    config.hits[read:] = [_hedged(found, config) for found in config.hits[read:] if not _perhaps_apart(found)]


def _perhaps_apart(found: Hit) -> bool:
    """Say whether conditions of a template may keep the two places of a finding out of one config."""
    source = found.span.source
    return any(
        other.span.source is source and exclusive(source.text, found.span.start, other.span.start)
        for other in found.related
    )


def _hedged(found: Hit, config: Config) -> Hit:
    """Make a duplicate a warning where the two come together by an include whose file was found by its path's end."""
    files = {found.span.source.path, *(other.span.source.path for other in found.related)}
    taken = next((path for path in sorted(files) if os.path.normpath(path) in config.assumed), None)
    if found.code == "E10" and len(files) > 1 and taken is not None:
        include = config.assumed[os.path.normpath(taken)]
        problem = f"{found.args['problem']}, if `include {include}` takes in {taken}"
        found.args, found.severity = {**found.args, "problem": problem}, WARNING
    return found


class _Places:
    """Holds the directives of one config against the tables. `fragment`: where it will be included is not known."""

    def __init__(self, *, fragment: bool) -> None:
        self.fragment = fragment
        self._guesses: dict[tuple[int, str], str | None] = {}

    def scope(self, scope: Scope) -> Iterator[Hit]:
        """Yield what is wrong directly inside one block."""
        block = scope.directive
        if block is not None and (block.name in DATA_BLOCKS or block.raw is not None):
            yield from judge_tables.table(scope)
            return
        where = context(scope)
        if where is None:
            return
        yield from self._directives(scope, where, self._bits(scope, where))
        if where[-1:] == ("upstream",):
            yield from judge_upstreams.upstream(scope, fragment=self.fragment)
        elif where[0:1] == ("http",) and len(where) > 1:
            yield from judge_locations.inside(scope)

    def _bits(self, scope: Scope, where: tuple[str, ...]) -> int:
        """Return the contexts that the scope may be: of a fragment only the innermost block is certain, if that."""
        if not self.fragment:
            return CONTEXTS[where]
        if scope.directive is None or scope.directive.end == 0:
            return 0
        return _innermost(where[-1:])

    def _directives(self, scope: Scope, where: tuple[str, ...], bits: int) -> Iterator[Hit]:
        part = where[0] if where else ""
        for name, directives in scope.names.items():
            masks, plain, block, kind, once = _look_up(name, bits, part)
            for directive in directives:
                takes = plain if directive.children is None else block
                if not takes >> len(directive.args) & 1:
                    yield from self._misfit(directive, where, bits, masks)
                elif kind is not None and (wrong := wrong_value(directive, kind)) is not None:
                    yield wrong
            if once:
                yield from map(_duplicate, directives[1:], directives)

    def _misfit(self, directive: Directive, where: tuple[str, ...], bits: int, masks: list[int]) -> Iterator[Hit]:
        name = directive.name
        if OPAQUE in name or apart(name) or foreign(name) or not bits:
            return
        if name not in MASKS:
            yield from self._unknown(directive, bits)
        elif masks:
            yield from _arity(directive, masks)
        elif (name, where[-1:]) not in ANYWHERE:
            place = " ".join(where) or "the main context"
            yield hit(
                "E07", directive.name_span, f'"{name}" is not allowed in {place}: nginx refuses the config',
                f"write it in {allowed(MASKS[name])}",
            )  # fmt: skip

    def _unknown(self, directive: Directive, bits: int) -> Iterator[Hit]:
        """Yield a finding for a name that lies near one that may stand here; others may be any module's."""
        key = (bits, directive.name)
        if key not in self._guesses:
            if len(self._guesses) >= MAX_GUESSES:
                return
            self._guesses[key] = _guess(directive.name, bits)
        near = self._guesses[key]
        if near is not None:
            problem = f'nginx knows no directive "{directive.name}"'
            yield hit("E06", directive.name_span, problem, f"did you mean {near}?")


@lru_cache(maxsize=16_384)
def _look_up(name: str, bits: int, part: str) -> tuple[list[int], int, int, str | None, bool]:
    """Return what holds for a name in the contexts of `bits`, which lie in "http", "stream", "mail" or "".

    The masks, the numbers of arguments that they allow without and with a block (`arities`), the kind of value that is
    judged, and whether a second one is refused.
    """
    masks = [mask for mask in MASKS.get(name, ()) if mask & bits]
    if apart(name):
        return masks, *arities(masks), None, False
    once = bool(masks) and (name in ONCE or kind_of(name, part) in SINGLE)
    return masks, *arities(masks), judged(name, part), once


@lru_cache(maxsize=64)
def _innermost(block: tuple[str, ...]) -> int:
    """Return the contexts whose innermost block has that name."""
    return sum(bit for path, bit in CONTEXTS.items() if path[-1:] == block)


def _guess(name: str, bits: int) -> str | None:
    if not _NAME.match(name):
        return None
    near = nearest(name, _possible(bits), 2 if len(name) >= 10 else 1)
    return near[0] if near else None


@lru_cache(maxsize=64)
def _possible(bits: int) -> list[str]:
    """Return the names that may stand in one of some contexts."""
    return [name for name, masks in MASKS.items() if any(mask & bits for mask in masks)]


def _duplicate(directive: Directive, first: Directive) -> Hit:
    return hit(
        "E10",
        directive.span,
        f'"{directive.name}" stands twice in one block: nginx refuses the second',
        "keep one of them",
        [Related(first.span, "the first one")],
    )


def _arity(directive: Directive, masks: list[int]) -> Iterator[Hit]:
    name, count = directive.name, len(directive.args)
    if any(map(any_words, directive.args)):
        return
    block = directive.children is not None
    right = [mask for mask in masks if bool(mask & 0x100) == block]
    if not right:
        problem = f'"{name}" {"takes no block" if block else "needs a block"}: nginx refuses the config'
        advice = f"end it with {';' if block else '{ … }'}"
        if block and _spans_lines(directive):
            advice = 'write the ";" that is missing at the end of its first line'
        yield hit("E08", directive.span, problem, advice)
        return
    if count > 1 and any(mask & FLAG for mask in right) and _spans_lines(directive):
        wanted = "on or off"
    else:
        wanted = counts(right)
    advice = f"give it {wanted}"
    if count > 1 and _spans_lines(directive):
        advice = f'write the ";" that is missing at the end of its first line, or give it {wanted}'
    problem = f'"{name}" takes {wanted} and has {count}: nginx refuses the config'
    yield hit("E08", directive.span, problem, advice)


def _spans_lines(directive: Directive) -> bool:
    return "\n" in directive.source.text[directive.start : directive.end]

"""Section heads: names, `from`, and sections that exist twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.said import guess, hit, plain
from lbcheck.dialects.haproxy.sections import PROXY_KINDS
from lbcheck.findings import Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.resolve import Tree
    from lbcheck.dialects.haproxy.tree import Branch, Section
    from lbcheck.findings import Hit

#: The characters of names (`invalid_char` in src/tools.c).
NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_NAMED = frozenset({*PROXY_KINDS, "resolvers", "peers", "userlist", "mailers", "cache"})
#: Of these a second section with the same name is refused.
_UNIQUE = frozenset({"resolvers", "peers", "mailers", "cache"})
_ANY_NAME = frozenset({"userlist", "mailers", "cache"})


def heads(tree: Tree) -> Iterator[Hit]:
    """Yield what haproxy refuses about the heads of sections."""
    for section in tree.read.sections:
        if not section.head.branch and not section.head.expands:
            yield from _head(section)
    yield from _bases(tree)
    if not tree.templated:
        yield from _duplicates(tree)


def compatible(one: Branch, other: Branch) -> bool:
    """Say whether two places can both exist at run time: they are not in different alternatives of one `.if`."""
    alternatives = dict(one)
    return all(alternatives.get(block, alternative) == alternative for block, alternative in other)


def bad_character(name: str) -> str | None:
    """Return the first character that a name must not have, None where it is right."""
    return None if NAME.fullmatch(name) else next((char for char in name if not NAME.fullmatch(char)), None)


def _head(section: Section) -> Iterator[Hit]:
    head = section.head
    if section.kind == "global" and head.word(1) and plain(head, 1):
        yield hit("E08", head.span_of(1), f"'global' takes no argument, but got '{head.word(1)}'", "remove it")
    if section.kind not in _NAMED:
        return
    if not head.word(1):
        yield hit("E08", head.span, f"this '{section.kind}' section has no name", f"write '{section.kind} NAME'")
        return
    if plain(head, 1) and section.kind not in _ANY_NAME and (char := bad_character(section.name)):
        problem = f"the name '{section.name}' has the character '{char}'"
        yield hit("E09", head.span_of(1), problem, "use letters, digits, '.', ':', '_' and '-' only")
    if section.kind in PROXY_KINDS and len(head.words) > 2 and not (section.base_index == 3 and len(head.words) == 4):
        problem = f"behind the name of a '{section.kind}' only 'from DEFAULTS' may stand, not '{head.text_from(2)}'"
        advice = "write the address as 'bind ADDRESS:PORT' in the section"
        # src/cfgparse-listen.c leaves before the section is made; of a backend it says nothing
        effect = "haproxy skips the head, and the lines below it belong to no section, or to the one above"
        yield hit("E08", head.span_of(2, len(head.words)), problem, advice, effect=effect)


def _bases(tree: Tree) -> Iterator[Hit]:
    """A `from` must name one defaults section that stands above."""
    known: dict[str, list[Section]] = {}
    for section in tree.read.sections:
        base = section.base
        if base and plain(section.head, section.base_index) and not section.head.branch and not tree.templated:
            span = section.head.span_of(section.base_index)
            found = known.get(base, [])
            if not found:
                meant = guess(base, known)
                advice = f"did you mean '{meant}'?" if meant else f"write 'defaults {base}' above, or take 'from' out"
                yield hit("E11", span, f"there is no 'defaults {base}' above this line", advice)
            elif len(found) > 1 and all(not one.head.branch for one in found):
                related = [Related(one.span, "one of that name") for one in found]
                problem = f"there are {len(found)} sections 'defaults {base}', so 'from {base}' is ambiguous"
                yield hit("E10", span, problem, "give each its own name", related=related)
        if section.kind == "defaults" and section.name:
            known.setdefault(section.name, []).append(section)


def _duplicates(tree: Tree) -> Iterator[Hit]:
    """Two proxies clash if a newer one that accepts connections meets one that does too, and so for backends.

    A `listen` is looked up among the frontends only (src/cfgparse-listen.c): a backend of its name is accepted.
    """
    frontends: dict[str, list[Section]] = {}
    backends: dict[str, list[Section]] = {}
    others: dict[tuple[str, str], list[Section]] = {}
    for section in tree.read.sections:
        if not section.name or 1 in section.head.opaque:
            continue
        kind = section.kind
        if kind in PROXY_KINDS:
            earlier = (backends if kind == "backend" else frontends).get(section.name, [])
            if kind in ("frontend", "listen"):
                frontends.setdefault(section.name, []).append(section)
            if kind in ("backend", "listen"):
                backends.setdefault(section.name, []).append(section)
        elif kind in _UNIQUE:
            earlier = others.setdefault((kind, section.name), [])
            earlier.append(section)
        else:
            continue
        yield from _clash(section, earlier)


def _clash(section: Section, earlier: Sequence[Section]) -> Iterator[Hit]:
    for one in earlier:
        if one is not section and compatible(one.head.branch, section.head.branch):
            problem = f"there is already a '{one.kind}' named '{section.name}', on line {one.head.span.line}"
            related = [Related(one.span, "the first one")]
            yield hit("E10", section.span, problem, "give one of them another name", related=related)
            return

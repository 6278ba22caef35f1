"""Keywords that do not exist (E06), or that stand where haproxy does not take them (E07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import keywords
from lbcheck.dialects.haproxy.judgement.said import certain, guess, hit, plain
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.resolve import Tree
    from lbcheck.dialects.haproxy.tree import Line, Section
    from lbcheck.findings import Hit

#: What was taken out, since which version, and what to write now.
_REMOVED: dict[str, tuple[str, str]] = {
    "appsession": ("1.6", "use 'cookie' or a stick-table"),
    "block": ("2.1", "use 'http-request deny', which takes the same condition"),
    "clitimeout": ("2.1", "use 'timeout client'"),
    "cliexp": ("2.1", "use 'http-response' rules"),
    "contimeout": ("2.1", "use 'timeout connect'"),
    "srvtimeout": ("2.1", "use 'timeout server'"),
    "redisp": ("2.1", "use 'option redispatch'"),
    "redispatch": ("2.1", "use 'option redispatch'"),
    "monitor-net": ("2.2", "use 'http-request return status 200 if { src NET }'"),
    "nbproc": ("2.5", "use threads: 'nbthread', or nothing, for one thread per core is the default"),
}
_REMOVED_REWRITES = ("reqadd", "reqi", "reqa", "reqd", "reqp", "reqr", "reqt", "rsp")
_REWRITES = "use 'http-request' and 'http-response' rules such as set-header, replace-header and deny"

#: Refused in every defaults section.
_NOT_IN_DEFAULTS = words(
    """
    bind server server-template use_backend use-server dispatch redirect stick stick-table force-persist ignore-persist
    id description monitor declare use-fcgi-app
    """
)
#: Refused in a defaults section without a name.
_NAMED_DEFAULTS = words("acl http-request http-response http-after-response")
#: Refused in a frontend.
_NOT_IN_FRONTEND = words("server server-template default-server retry-on use-fcgi-app")
#: Refused by no section that it is common in; looking at these lines more closely would cost time for nothing.
_COMMON = {"backend": frozenset({"server"}), "listen": frozenset({"server"})}
#: Where a prefix `no` or `default` may stand (src/cfgparse.c).
_NEGATABLE = words("option log busy-polling set-dumpable strict-limits insecure-fork-wanted numa-cpu-mapping")


def placement(tree: Tree) -> Iterator[Hit]:
    """Yield the lines whose keyword is unknown, misspelt, removed or misplaced."""
    yield from _loose(tree)
    for section in tree.read.sections:
        table = keywords.BY_SECTION.get(section.kind)
        if table is None:
            continue
        common = _COMMON.get(section.kind, frozenset())
        for line in section.lines:
            keyword = line.words[0]
            if (keyword in common and not line.modifier) or line.branch or not plain(line, 0):
                continue
            if line.modifier and keyword not in _NEGATABLE and certain(line):
                yield _modifier(line)
            elif keyword not in table:
                yield from _unknown(keyword, line, section, table)
            elif section.kind != "global":
                yield from _misplaced(keyword, line, section)


def _loose(tree: Tree) -> Iterator[Hit]:
    """The first line of a file that stands before any section; it says enough about the ones behind it."""
    seen: set[int] = set()
    for line in tree.read.loose:
        if id(line.source) in seen or line.branch or not plain(line, 0):
            continue
        seen.add(id(line.source))
        if line.words[0].startswith("\ufeff"):
            yield hit(
                "E01",
                line.source.span(line.start, line.start + 1),
                "the file begins with a byte order mark, which haproxy takes for a part of the first word",
                "save the file as UTF-8 without a byte order mark",
            )
        else:
            problem = f"'{line.words[0]}' stands in no section"
            yield hit("E07", line.span_of(0), problem, "write it below 'global', 'defaults', 'frontend' or 'backend'")


def _modifier(line: Line) -> Hit:
    problem = f"'{line.modifier}' cannot stand before '{line.words[0]}'"
    return hit("E07", line.span, problem, "only options and 'log' can be negated; take the line out instead")


def _unknown(keyword: str, line: Line, section: Section, table: frozenset[str]) -> Iterator[Hit]:
    span = line.span_of(0)
    if keyword in _REMOVED and (section.kind != "global" or keyword == "nbproc"):
        since, advice = _REMOVED[keyword]
        yield hit("E06", span, f"'{keyword}' was taken out of HAProxy {since}", advice)
    elif keyword.startswith(_REMOVED_REWRITES) and len(keyword) <= 10 and table is keywords.PROXY:
        yield hit("E06", span, f"'{keyword}' was taken out of HAProxy 2.1", _REWRITES)
    elif home := _home(keyword, section):
        yield hit("E07", span, f"'{keyword}' cannot stand in a '{section.kind}' section", f"move it to {home}")
    elif (meant := guess(keyword, sorted(table))) is not None:
        yield hit("E06", span, f"there is no keyword '{keyword}' in '{section.kind}'", f"did you mean '{meant}'?")


def _home(keyword: str, section: Section) -> str:
    """Return where a keyword of another section belongs, "" where it is none."""
    if keyword in keywords.GLOBAL and section.kind != "global":
        return "'global'"
    if keyword in keywords.PROXY and keywords.BY_SECTION.get(section.kind) is not keywords.PROXY:
        return "'defaults', 'frontend', 'backend' or 'listen'"
    return ""


def _misplaced(keyword: str, line: Line, section: Section) -> Iterator[Hit]:
    kind = section.kind
    if kind == "defaults":
        if keyword in _NOT_IN_DEFAULTS:
            yield _wrong_place(line, "a 'defaults' section", "write it in the sections that need it")
        elif (keyword in _NAMED_DEFAULTS and not section.name) or (
            keyword in ("tcp-request", "tcp-response") and not section.name and line.word(1)
        ):
            yield _wrong_place(line, "a 'defaults' section without a name", "name the section: 'defaults NAME'")
    elif kind == "frontend" and (
        keyword in _NOT_IN_FRONTEND or (keyword == "tcp-response" and line.word(1) in ("content", "inspect-delay"))
    ):
        yield _wrong_place(line, "a 'frontend'", "write it in a 'backend' or 'listen' section")
    elif kind == "backend" and keyword == "declare":
        yield _wrong_place(line, "a 'backend'", "write it in a 'frontend' or 'listen' section")


def _wrong_place(line: Line, where: str, advice: str) -> Hit:
    return hit("E07", line.span_of(0), f"'{line.words[0]}' cannot stand in {where}", advice)

"""Lines into sections; of an `.if` both alternatives stay possible (`readcfgfile`, src/cfgparse.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.tree import Document, Line, Mistake, Section
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.dialects.haproxy.tree import Branch

#: The sections whose lines are modelled.
PROXY_KINDS = frozenset({"frontend", "backend", "listen"})
#: Sections of HAProxy Enterprise.
ENTERPRISE_KINDS = words(
    """
    udp-lb dynamic-update botmgmt-profile captcha waf-global waf-profile fingerprint-profile sso-profile
    """
)
#: Every keyword that begins a section, up to HAProxy 3.5.
KINDS = ENTERPRISE_KINDS | words(
    """
    global defaults frontend backend listen peers resolvers userlist mailers program cache http-errors fcgi-app ring
    log-forward traces crt-store log-profile acme healthcheck
    """
)
#: How deep `.if` may nest (MAXNESTEDCONDS counts one more).
MAX_CONDITIONS = 15
#: Conditions that are known without the binary that will run.
_CONSTANT = {"": False, "0": False, "1": True, "false": False, "true": True}


class Sections:
    """All sections of one config, in order, with what belongs to none and what could not be read."""

    __slots__ = ("loose", "mistakes", "sections")

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.loose: list[Line] = []
        self.mistakes: list[tuple[Document, Mistake]] = []


class _Conditions:
    """The stack of open `.if` blocks."""

    __slots__ = ("blocks", "counter", "states")

    def __init__(self) -> None:
        self.blocks: list[tuple[int, int]] = []
        #: Per block: is the present alternative dead (False), possible (None) or certain (True), and its `.if` line.
        self.states: list[tuple[bool | None, bool, Line]] = []
        self.counter = 0

    @property
    def branch(self) -> Branch:
        return tuple(block for block, (state, _, _) in zip(self.blocks, self.states, strict=True) if state is not True)

    @property
    def dead(self) -> bool:
        return any(state is False for state, _, _ in self.states)

    def take(self, line: Line) -> str | None:
        """Follow `.if`, `.elif`, `.else` or `.endif`; return what haproxy refuses about it."""
        word = line.keyword
        if word == ".if":
            self.counter += 1
            self.blocks.append((self.counter, 0))
            state = _CONSTANT.get(line.text_from(1))
            self.states.append((state, state is True, line))
            return "'.if' nests too deeply" if len(self.blocks) > MAX_CONDITIONS else None
        if not self.blocks:
            return f"'{word}' without an '.if' before it"
        if word == ".endif":
            self.blocks.pop()
            self.states.pop()
            return None
        number, alternative = self.blocks[-1]
        _, decided, opened = self.states[-1]
        self.blocks[-1] = (number, alternative + 1)
        state = False if decided else _CONSTANT.get(line.text_from(1)) if word == ".elif" else None
        self.states[-1] = (state, decided or state is True, opened)
        return None


def sections(documents: Sequence[Document]) -> Sections:
    """Read the files of one config in their order. A section never reaches into the next file."""
    result = Sections()
    for document in documents:
        current: Section | None = None
        for line in _live(document, result):
            if line.words[0] in ("no", "default") and len(line.words) > 1:
                line.take_modifier()
            word = line.words[0]
            if word in KINDS and 0 not in line.opaque:
                current = Section(word, line)
                result.sections.append(current)
            elif current is None:
                result.loose.append(line)
            else:
                current.lines.append(line)
        result.mistakes.extend((document, mistake) for mistake in document.mistakes)
        _mark_templated(document, result.sections)
    return result


def _live(document: Document, result: Sections) -> Iterator[Line]:
    """Yield the lines that can exist at run time, each with the alternatives it lies in."""
    conditions = _Conditions()
    for line in document.lines:
        first = line.words[0]
        if first[0] not in ".[":
            if not conditions.blocks:
                yield line
            elif not conditions.dead:
                line.branch = conditions.branch
                yield line
        elif first in (".if", ".elif", ".else", ".endif"):
            if first in (".else", ".endif") and len(line.words) > 1:
                _refuse(document, result, line, f"'{first}' takes no argument", "take it out")
            if problem := conditions.take(line):
                _refuse(document, result, line, problem, "balance '.if' and '.endif'")
                return  # haproxy reads no further
        elif first[0] == "." and not conditions.dead:
            _directive(document, result, line, certain=not conditions.branch)
    if conditions.states:
        _refuse(document, result, conditions.states[-1][2], "'.if' is never closed", "add '.endif'")


def _refuse(document: Document, result: Sections, line: Line, problem: str, advice: str) -> None:
    mistake = Mistake("E01", line.start, line.end, f"{problem}: haproxy refuses to start", advice)
    result.mistakes.append((document, mistake))


def _directive(document: Document, result: Sections, line: Line, *, certain: bool) -> None:
    word = line.words[0]
    if word == ".alert" and certain:
        _refuse(document, result, line, "'.alert' stops haproxy here", "put it into an '.if' block, or take it out")
    elif word not in (".alert", ".warning", ".notice", ".diag") and 0 not in line.opaque:
        advice = "haproxy knows .if, .elif, .else, .endif, .notice, .warning, .alert and .diag"
        mistake = Mistake(
            "E06", line.start, line.end, f"there is no directive '{word}': haproxy refuses to start", advice
        )
        result.mistakes.append((document, mistake))


def _mark_templated(document: Document, found: Iterable[Section]) -> None:
    """Mark the sections about whose lines a template's statement decides."""
    if not document.controls:
        return
    own = [section for section in found if section.head.source is document.source]
    begins = [section.head.start for section in own[1:]] + [len(document.source.text)]
    for section, beyond in zip(own, begins, strict=False):
        end = section.extent.end
        section.templated = any(
            section.head.start <= control.start < end or (end <= control.start < beyond and control.column > 1)
            for control in document.controls
        )

"""What a run judges by: which rules run, with which words and severities, and what is silenced."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.catalog import Rule, find, rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lbcheck.results import Finding

#: Selects every rule.
ALL = "ALL"


class UnknownSelectorError(ValueError):
    """A selector that stands for no rule; its text is the whole message."""


class Ignored(NamedTuple):
    """An entry of `[[ignore]]`: findings of a path, of a rule or with a fingerprint, until a date."""

    path: str
    code: str | None
    fingerprint: str | None
    until: str | None


class Selection:
    """`codes` are the rules that run; `rules` all rules by code, in the user's words where they replaced ours.

    `severities` are the user's own and win over a check's. `per_file` maps a path pattern to codes; `today` is an
    ISO date, "" for the clock's. `approved` are the fingerprints of the findings that comments may silence, None for
    all.
    """

    __slots__ = ("approved", "codes", "ignored", "min_severity", "per_file", "rules", "severities", "today")

    def __init__(
        self,
        codes: Iterable[str],
        *,
        rules: Mapping[str, Rule],
        severities: Mapping[str, str] | None = None,
        per_file: Sequence[tuple[str, frozenset[str]]] = (),
        ignored: Sequence[Ignored] = (),
        min_severity: str = "info",
        today: str = "",
        approved: frozenset[str] | None = None,
    ) -> None:
        self.approved = approved
        self.codes = frozenset(codes)
        self.rules = rules
        self.severities = severities or {}
        self.per_file = per_file
        self.ignored = ignored
        self.min_severity = min_severity
        self.today = today

    def silences(self, finding: Finding) -> bool:
        """Say whether the settings, by path, silence a finding."""
        return any(
            finding.code in codes and matches(finding.place.path, pattern) for pattern, codes in self.per_file
        ) or any(self._ignores(entry, finding) for entry in self.ignored)

    def _ignores(self, entry: Ignored, finding: Finding) -> bool:
        return (
            entry.code in (None, finding.code)
            and entry.fingerprint in (None, finding.fingerprint)
            and matches(finding.place.path, entry.path)
            and (entry.until is None or entry.until >= (self.today or _today()))
        )


def _today() -> str:
    from time import strftime

    return strftime("%Y-%m-%d")


def matches(path: str, pattern: str) -> bool:
    """Say whether a path is meant by a pattern: the path itself, a folder above it, or a shell pattern of either.

    `*` also matches "/"; a pattern without "/" is held against the file's name.
    """
    import os
    from fnmatch import fnmatchcase

    if "/" not in pattern:
        return fnmatchcase(os.path.basename(path), pattern)
    path, pattern = os.path.abspath(path), os.path.abspath(pattern)
    return path == pattern or path.startswith(pattern.rstrip("/") + "/") or fnmatchcase(path, pattern)


def default_selection(today: str = "") -> Selection:
    """Return the rules that run when nobody selects anything."""
    known = rules()
    return Selection((code for code, rule in known.items() if on_by_default(rule)), rules=known, today=today)


def on_by_default(rule: Rule, *, preview: bool = False) -> bool:
    """Say whether a rule runs when nobody selects it."""
    return rule.default and (preview or not rule.preview)


def expand(selectors: Iterable[str], known: Mapping[str, Rule]) -> frozenset[str]:
    """Return the codes that selectors stand for: a code, the beginning of codes ("D", "D0"), a name, or "ALL".

    Raises UnknownSelectorError with the one that stands for nothing.
    """
    codes: set[str] = set()
    for selector in selectors:
        codes |= _codes(selector, known)
    return frozenset(codes)


def _codes(selector: str, known: Mapping[str, Rule]) -> set[str]:
    word = selector.strip().upper()
    if word == ALL:
        return set(known)
    found = {code for code in known if word and code.startswith(word)}
    return found or {named(selector, known).code}


def named(word: str, known: Mapping[str, Rule]) -> Rule:
    """Return the rule of this code or name. Raises UnknownSelectorError."""
    rule = find(word.strip(), known)
    if rule is not None:
        return rule
    from lbcheck.spelling import closest

    meant = closest(word.lower(), [rule.name for rule in known.values()])
    hint = f"did you mean {meant}?" if meant else "give a code, the beginning of codes, a name, or ALL"
    raise UnknownSelectorError(f'"{word}" is no rule; {hint}')


def choose(
    known: Mapping[str, Rule],
    *,
    select: Sequence[str] | None = None,
    extend: Sequence[str] = (),
    ignore: Sequence[str] = (),
    preview: bool = False,
) -> frozenset[str]:
    """Return the codes that run. Without `select` those on by default; a preview rule only with previews on.

    A rule named by its whole code or its name beats an `ignore` of its group, and `select` of a group the defaults.
    Raises UnknownSelectorError.
    """
    if select is None:
        chosen = {code for code, rule in known.items() if on_by_default(rule, preview=preview)}
    else:
        chosen = set(expand(select, known))
    chosen |= expand(extend, known)
    exact = {rule.code for word in (*(select or ()), *extend) if (rule := find(word.strip(), known))}
    broad = [word for word in ignore if find(word.strip(), known) is None]
    chosen -= expand(broad, known) - exact
    chosen -= expand([word for word in ignore if word not in broad], known)
    return frozenset(code for code in chosen if preview or not known[code].preview)

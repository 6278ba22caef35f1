"""What a run found, as flat data: it crosses processes, and reporters need nothing else."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A range in a text. Lines and columns count from 1, columns in code points; the end is exclusive.

    `start` and `end` are offsets in code points, for edits. `excerpt` is the first line's text, secrets redacted.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int
    excerpt: str


class Note(NamedTuple):
    """Another place that explains a finding, or a place that was not checked, with the words for it."""

    place: Place
    message: str


class Change(NamedTuple):
    """A fix: replace each edit's [start, end) of its path by its text; `safe` keeps shares and behaviour."""

    title: str
    safe: bool
    edits: tuple[tuple[str, int, int, str], ...]


class Finding(NamedTuple):
    """One defect, in words, with everything that a machine format prints. `config` is the path of the config's root."""

    code: str
    name: str
    severity: str
    message: str
    help: str
    fingerprint: str
    place: Place
    config: str
    dialect: str
    frontend: str | None = None
    route: str | None = None
    pool: str | None = None
    server: str | None = None
    object: dict[str, str] | None = None
    pointer: str | None = None
    related: tuple[Note, ...] = ()
    fix: Change | None = None
    url: str = ""


class Unmatched(NamedTuple):
    """An entry of a settings file: its table, what it names, what is wrong, and where it is written."""

    entry: str
    value: str
    problem: str
    path: str
    line: int

    @property
    def words(self) -> str:
        """The entry and its problem, for people."""
        table = "[hosts]" if self.entry == "hosts" else f"[[{self.entry}]]"
        return f"{table} {self.value}: {self.problem}"


class Counts(NamedTuple):
    """How much was looked at."""

    files: int = 0
    configs: int = 0
    frontends: int = 0
    pools: int = 0
    servers: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Result:
    """A whole run, or one config's part.

    `suppressed` counts what comments, settings and baseline silenced. `used` are the places, as (path, offset), of
    the codes in suppression comments that silenced something: a fragment that two configs include is in use if one
    of them needs it. `silenced` are the fingerprints of the findings that comments silenced. `declared` are the
    entries of the settings about machines and demand that matched something (`declared.Key`).
    """

    __slots__ = ("counts", "declared", "findings", "not_checked", "silenced", "suppressed", "used")

    def __init__(
        self,
        findings: list[Finding] | None = None,
        not_checked: list[Note] | None = None,
        suppressed: int = 0,
        counts: Counts | None = None,
        used: set[tuple[str, int]] | None = None,
        silenced: set[str] | None = None,
    ) -> None:
        self.findings = findings or []
        self.not_checked = not_checked or []
        self.suppressed = suppressed
        self.counts = counts or Counts()
        self.used = used or set()
        self.silenced = silenced or set()
        self.declared: set[tuple[str, int | str]] = set()

    def add(self, other: Result) -> None:
        """Take in another part of the run."""
        self.findings.extend(other.findings)
        self.not_checked.extend(other.not_checked)
        self.suppressed += other.suppressed
        self.used |= other.used
        self.silenced |= other.silenced
        self.declared |= other.declared
        self.counts = self.counts.plus(other.counts)

    def count(self, severity: str) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

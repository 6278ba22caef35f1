"""Two versions of the configs: read and judge both by one policy, pair what they have in common, say what changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck import causes, engine, project, unmatched
from lbcheck.changes import overall
from lbcheck.changes.compare import compare
from lbcheck.changes.outcome import Changes, ConfigChange, Version
from lbcheck.changes.pairing import Traits, by_likeness
from lbcheck.changes.rerouted import rerouted
from lbcheck.changes.routing import ALIKE
from lbcheck.context import Context
from lbcheck.fingerprints import stamp
from lbcheck.patterns import pattern
from lbcheck.residue.judge import not_understood
from lbcheck.results import Counts, Result
from lbcheck.traffic.assemble import BROKEN, traffic
from lbcheck.traffic.outcome import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from lbcheck.changes.outcome import NotUnderstood
    from lbcheck.model import Config
    from lbcheck.project import Judge, Work
    from lbcheck.results import Finding
    from lbcheck.selection import Selection
    from lbcheck.settings import Settings
    from lbcheck.sides import Side
    from lbcheck.text import Source
    from lbcheck.traffic.scenario import Scenario

#: A line that a message names: it shifts with whatever stands above.
_LINE = pattern(r"\bline [0-9]+")


class Seen:
    """One version, read and judged."""

    __slots__ = ("result", "side", "traffic", "versions", "work")

    def __init__(self, side: Side, work: Work) -> None:
        self.side = side
        self.work = work
        self.result = Result()
        self.traffic = Traffic()
        self.versions: list[Version] = []


class Comparison(NamedTuple):
    """What changed, and all that was found in the two versions."""

    changes: Changes
    old: Seen
    new: Seen


def diff(
    old: Side, new: Side, settings: Settings, scenario: Scenario, approved: frozenset[str] | None = None
) -> Comparison:
    """Compare two versions by one policy, whose paths are the newer version's.

    Comments of the newer version silence only the `approved` findings, None for all. Raises PathMissingError,
    SettingsError, GitError.
    """
    theirs = settings.moved(new.base, old.base)
    old = old._replace(request=old.request._replace(exclude=tuple(theirs.exclude)))
    before = seen(old, theirs, scenario, None)
    after = seen(new, settings, scenario, approved)
    configs = compare(before.versions, after.versions, exact=scenario.exact_points is not None)
    selection = settings.selection()
    selection.approved = approved
    introduced, fixed, unchanged = _findings(before, after, configs)
    raised = _raised(configs, selection, settings)
    changes = Changes(
        before.traffic,
        after.traffic,
        [pool for config in configs for pool in config.pools],
        overall.moved(configs, before.traffic, after.traffic),
        causes.of_change(sorted([*introduced, *raised], key=_place)),
        fixed,
        unchanged,
    )
    if overall.routing(configs, before.traffic, after.traffic) != ALIKE:
        changes.rerouted = rerouted(configs)
    changes.not_understood = [one for change in configs for one in _not_understood(change, after)]
    matched = before.result.declared | after.result.declared
    changes.unmatched = unmatched.unmatched(settings, matched)
    for version in (before, after):
        notes = unmatched.notes(settings, new.request, matched)
        version.traffic.not_checked = [*version.traffic.not_checked, *notes]
    return Comparison(changes, before, after)


def seen(side: Side, settings: Settings, scenario: Scenario, approved: frozenset[str] | None = None) -> Seen:
    """Read one version, judge it, and say where its requests go. `approved` as in `diff`.

    Raises PathMissingError and SettingsError.
    """
    judge: Judge = project.judge(settings, approved)
    scenario = scenario._replace(demands=settings.demands)
    version = Seen(side, project.prepare(side.request))
    for config in project.configs(version.work):
        found = judge(config)
        part = traffic(config, scenario, broken=engine.broken(config))
        if not config.dialect:
            found.counts, part.configs = Counts(files=1), 0
        version.result.add(found)
        version.traffic.add(part)
        version.versions.append(Version(config, part, _below(config.path, side), _unseen(config)))
    engine.finish(version.result)
    version.traffic.not_checked = version.result.not_checked
    return version


def _not_understood(change: ConfigChange, after: Seen) -> list[NotUnderstood]:
    def again(texts: Mapping[str, str]) -> Config | None:
        return None if change.after is None else project.again(after.work, change.after.config, texts)

    return not_understood(change, again)


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return (finding.place.path, finding.place.line, finding.place.column, finding.code)


def _unseen(config: Config) -> str | None:
    """Return why what the config holds is not, or not all, known."""
    if config.dialect and not config.unread:
        return BROKEN if engine.broken(config) else None
    reasons = [note.reason for note in config.unmodelled] + [str(hit.args.get("problem")) for hit in config.hits]
    return reasons[0] if reasons else "it was not read"


def _below(path: str, side: Side) -> str:
    """Return a path as seen from the side's base, "" for the file that is all of it."""
    return "" if path == side.alone else os.path.relpath(path, side.base)


def _raised(configs: Sequence[ConfigChange], selection: Selection, settings: Settings) -> list[Finding]:
    """Return what the checks of a change find."""
    result = Result()
    for change in configs:
        result.add(engine.check_change(change, selection, Context(settings.targets, settings.options)))
    engine.finish(result)
    return result.findings


def _findings(before: Seen, after: Seen, configs: Sequence[ConfigChange]) -> tuple[list[Finding], list[Finding], int]:
    """Return the findings that came, those that went, and how many stayed.

    A finding stays if it has the same fingerprint, made as if the old version's files and pools had had their new
    names; or if it says the same of the same subject, for what else stands on its line is no part of it. Of a config
    that cannot be read any more no finding is called fixed: nobody knows.
    """
    files, pools = _new_names(before, after, configs)
    known = stamp([_as_new(finding, files, pools) for finding in before.result.findings])
    come = stamp([_placed(finding, _below(finding.place.path, after.side)) for finding in after.result.findings])
    stayed: tuple[set[int], set[int]] = (set(), set())
    for key in (_fingerprint, _sense):
        _match(known, come, key, stayed)
    lost = {
        change.before.config.path
        for change in configs
        if change.before is not None and change.after is not None and change.after.unseen is not None
    }
    introduced = [finding for at, finding in enumerate(after.result.findings) if at not in stayed[1]]
    gone = [finding for at, finding in enumerate(before.result.findings) if at not in stayed[0]]
    fixed = [finding for finding in gone if finding.config not in lost]
    return introduced, fixed, len(after.result.findings) - len(introduced)


def _match(
    known: Sequence[Finding],
    come: Sequence[Finding],
    key: Callable[[Finding], Hashable],
    stayed: tuple[set[int], set[int]],
) -> None:
    """Add to the places of findings on both sides those that have the same key, in order, each once."""
    waiting: dict[Hashable, list[int]] = {}
    for at in reversed(range(len(known))):
        if at not in stayed[0]:
            waiting.setdefault(key(known[at]), []).append(at)
    for at, finding in enumerate(come):
        if at not in stayed[1] and waiting.get(found := key(finding)):
            stayed[0].add(waiting[found].pop())
            stayed[1].add(at)


def _fingerprint(finding: Finding) -> Hashable:
    return finding.fingerprint


def _sense(finding: Finding) -> Hashable:
    """Return what a finding says of what: its words, without the lines that they name, and its subject.

    Where it has no subject, the text that it marks stands for one.
    """
    subject: tuple[object, ...] = (finding.frontend, finding.route, finding.pool, finding.server)
    place = finding.place
    if finding.object is not None:
        subject += tuple(sorted(finding.object.values()))
    if not any(subject):
        end = place.end_column - 1 if place.end_line == place.line else None
        subject += (place.excerpt[place.column - 1 : end],)
    return (finding.code, finding.severity, place.path, subject, _LINE.sub("line", finding.message))


def _as_new(finding: Finding, files: Mapping[str, str], pools: Mapping[tuple[str, str], str]) -> Finding:
    pool = finding.pool if finding.pool is None else pools.get((finding.config, finding.pool), finding.pool)
    return _placed(finding, files.get(finding.place.path, finding.place.path))._replace(pool=pool)


def _placed(finding: Finding, path: str) -> Finding:
    return finding._replace(place=finding.place._replace(path=path))


def _new_names(
    before: Seen, after: Seen, configs: Sequence[ConfigChange]
) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return old path → the file's path in the new version, and (old config, old name) → a pool's new name."""
    files = {finding.place.path: _below(finding.place.path, before.side) for finding in before.result.findings}
    pools: dict[tuple[str, str], str] = {}
    for change in configs:
        for pool in change.pools:
            if pool.renamed_from is not None and pool.before is not None:
                pools[pool.before.config, pool.renamed_from] = pool.name
        if change.before is not None and change.after is not None:
            files |= _moved(change.before, change.after, before.side, after.side)
    return files, pools


def _moved(before: Version, after: Version, old: Side, new: Side) -> dict[str, str]:
    """Return the files of one config that have another place in the new version: its root, and what it includes."""
    here = {_below(source.path, new): source for source in after.config.files}
    there = {_below(source.path, old): source for source in before.config.files}
    found = {before.config.path: after.path}
    left = [source for path, source in there.items() if path not in here and source.path != before.config.path]
    come = [source for path, source in here.items() if path not in there and source.path != after.config.path]
    for one, other in by_likeness(left, come, _lines):
        found[one.path] = _below(other.path, new)
    return found


def _lines(source: Source) -> Traits:
    lines = frozenset(line.strip() for line in source.text.splitlines())
    return Traits(lines, frozenset({("name", os.path.basename(source.path))}))

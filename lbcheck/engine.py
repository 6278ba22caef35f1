"""Judging one config: run the checks, keep one finding for each cause, silence what is ignored, sort."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from lbcheck import causes
from lbcheck.catalog import render, rules
from lbcheck.checks import CHECKS
from lbcheck.dialects import DIALECTS, dialect
from lbcheck.findings import ERROR, Hit, Related, at_least
from lbcheck.fingerprints import stamp
from lbcheck.places import change, hidden, notes, place
from lbcheck.redaction import without
from lbcheck.results import Counts, Finding, Note, Result
from lbcheck.text import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.changes.outcome import ConfigChange
    from lbcheck.context import Context
    from lbcheck.model import Config
    from lbcheck.selection import Selection
    from lbcheck.suppressions import Ignore

T = TypeVar("T")

#: Rules that no table of checks holds: reading a config raises them, and so do this module and the suppressions.
READING = frozenset(f"E{number:02}" for number in range(16))
#: A check that failed. It cannot be switched off: silence would pass for praise.
INTERNAL = "E00"
#: The group of the rules that judge a change. One version alone raises none of them.
CHANGE = "V"
#: Said of a comment where the policy comes from another revision.
NOT_APPROVED = "this comment does not count: in the policy's revision no comment silences this finding"


def check(config: Config, selection: Selection, context: Context) -> Result:
    """Judge one config: its findings in order, what was not checked, and how much was looked at.

    A config with an error in the reading gets no other checks, so that one typo does not give thirty echoes, unless its
    objects stand apart. A check that fails becomes the finding E00, and the others run all the same.
    """
    refused = broken(config)
    raised = [*config.hits] if refused else [*config.hits, *_run(config, selection, context)]
    whole = not refused and config.open is None and all(hit.code != INTERNAL for hit in raised)
    result = _judged(config, raised, selection, judge_unused=whole)
    result.not_checked = [_not_checked(item.span, item.reason) for item in config.unmodelled]
    result.counts = _counts(config)
    return result


def check_change(change: ConfigChange, selection: Selection, context: Context) -> Result:
    """Judge what two versions of one config say together (group V), by the comments of the newer one."""
    if change.after is None or change.after.config.dialect not in DIALECTS:
        return Result()
    from lbcheck.checks.changes import CHANGE_CHECKS

    config = change.after.config
    raised: list[Hit] = []
    for code, function in CHANGE_CHECKS.items():
        if code in selection.codes and config.dialect in selection.rules[code].dialects:
            _guarded(raised, code, function, change, config, context)
    result = _judged(config, raised, selection, judge_unused=False)
    result.findings = [finding for finding in result.findings if finding.code[0] == CHANGE or finding.code == INTERNAL]
    return result


def _judged(config: Config, raised: list[Hit], selection: Selection, *, judge_unused: bool) -> Result:
    """Return the findings that hits become: one for each cause, without those that are silenced."""
    shown, echoes = causes.split(_selected(raised, selection))
    left, silenced, used, marks = _heeding_comments(config, shown, echoes, selection, judge_unused=judge_unused)
    findings = stamp(_ordered(_finding(hit, config, selection) for hit in left))
    kept = [finding for finding in findings if not selection.silences(finding)]
    return Result(
        [finding for finding in kept if at_least(finding.severity, selection.min_severity)],
        suppressed=silenced + len(findings) - len(kept),
        used=used,
        silenced=marks,
    )


def broken(config: Config) -> bool:
    """Say whether reading found an error, so that the proxy would not load the config."""
    return not config.apart and any(_severity(hit) == ERROR for hit in config.hits)


def _heeding_comments(
    config: Config, shown: list[Hit], echoes: list[Hit], selection: Selection, *, judge_unused: bool
) -> tuple[list[Hit], int, set[tuple[str, int]], set[str]]:
    """Return the hits that no comment silences, how many are silenced, and where the comments are that did it.

    The last value are the fingerprints of the silenced ones. Findings about the comments themselves are among the
    hits. Comments are called unused only on demand: where not all checks have run, or more belongs to the config than
    was seen, nobody knows.
    """
    if not any("lbcheck:" in source.text for source in config.files) and not any(
        True for _ in config.written_ignores()
    ):
        return shown, 0, set(), set()
    from lbcheck import suppressions

    comments = suppressions.collect(config, selection.rules, selection.today)
    left, quiet = suppressions.split([*shown, *_selected(comments.hits, selection)], comments.ignores)
    suppressions.silence(echoes, comments.ignores)  # a comment for an echo is in use
    if judge_unused:
        ran = [code for code in selection.codes if code[0] != CHANGE]
        idle = _selected(suppressions.unused(comments.ignores, ran, selection.rules), selection)
        more, silent = suppressions.split(idle, comments.ignores)
        left += more
        quiet += silent
    back, marks = _approved(quiet, config, selection)
    used = {(ignore.span.path, ignore.span.start) for ignore in comments.ignores if ignore.used}
    return left + back, len(quiet) - len(back), used, marks


def _approved(quiet: Sequence[tuple[Hit, Ignore]], config: Config, selection: Selection) -> tuple[list[Hit], set[str]]:
    """Return the hits whose comment does not count, since nobody approved of it, and the other hits' fingerprints."""
    stamped = stamp([_finding(hit, config, selection) for hit, _ in quiet])
    marks = {finding.fingerprint for finding in stamped}
    if selection.approved is None:
        return [], marks
    back = []
    for (hit, ignore), finding in zip(quiet, stamped, strict=True):
        if finding.fingerprint not in selection.approved:
            hit.related = [*hit.related, Related(ignore.span, NOT_APPROVED)]
            back.append(hit)
    return back, marks & selection.approved


def finish(result: Result) -> None:
    """Put the parts of a whole run in order: sorted, each finding and each unchecked place once.

    Two configs that include one file give its findings twice, perhaps in other words (so many workers here, so many
    there), and a comment in it that only one of them needs is not unused.
    """
    alive = (
        finding
        for finding in result.findings
        if finding.code != "E12" or (finding.place.path, finding.place.start) not in result.used
    )
    result.findings = _ordered(alive)
    places = {(note.place, note.message): note for note in result.not_checked}
    result.not_checked = sorted(places.values(), key=lambda note: (note.place.path, note.place.start, note.message))


def _selected(hits: Iterable[Hit], selection: Selection) -> list[Hit]:
    return [hit for hit in hits if hit.code in selection.codes or hit.code == INTERNAL]


def _run(config: Config, selection: Selection, context: Context) -> list[Hit]:
    """Return what the selected checks say about the config; of one that fails what it said until then."""
    hits: list[Hit] = []
    if config.dialect not in DIALECTS:
        return hits
    for table in (CHECKS, dialect(config.dialect).CHECKS):
        for code, function in table.items():
            rule = selection.rules.get(code) if code in selection.codes else None
            if rule is not None and config.dialect in rule.dialects:
                _guarded(hits, code, function, config, config, context)
    return hits


def _guarded(
    hits: list[Hit],
    code: str,
    function: Callable[[T, Context], Iterable[Hit]],
    subject: T,
    config: Config,
    context: Context,
) -> None:
    """Add a check's hits; if it fails, those until then and the failure."""
    try:
        hits.extend(function(subject, context))
    except Exception as error:  # noqa: BLE001 - one broken check must not silence the others
        source = config.files[0] if config.files else Source(config.path, "")
        problem = f"the check {code} failed on this config: {type(error).__name__} at {raised_at(error)}"
        advice = "report it with a config that shows it at https://github.com/lbcheck/lbcheck/issues"
        hits.append(Hit(INTERNAL, Span(source, 0, 0), {"problem": problem, "advice": advice}))


def raised_at(error: BaseException) -> str:
    """Return file and line where an exception was raised. Its text may quote the config and stays unsaid."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _severity(hit: Hit) -> str:
    """Return how bad a hit of reading is, whatever the user would call it: it decides what can be trusted."""
    return hit.severity or rules()[hit.code].severity


def _finding(hit: Hit, config: Config, selection: Selection) -> Finding:
    rule = selection.rules[hit.code]
    words = hidden(hit.span)
    args = {name: without(str(value), words) for name, value in hit.args.items()}
    frontend, route, pool, server = (
        None if name is None else without(name, words) for name in (hit.frontend, hit.route, hit.pool, hit.server)
    )
    owner, pointer = config.subject(hit.span)
    return Finding(
        rule.code,
        rule.name,
        selection.severities.get(rule.code) or hit.severity or rule.severity,
        render(rule.message, args),
        render(rule.help, args),
        "",
        place(hit.span),
        config.path,
        config.dialect,
        frontend,
        route,
        pool,
        server,
        None if owner is None else {key: without(text, words) for key, text in owner.items()},
        pointer,
        related=notes(hit.related, words),
        fix=change(hit.fix, words),
        url=rule.url,
    )


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings by path, line, column and code, once what has one fingerprint or, before, one message."""
    unique: dict[tuple[str, int, int, str, str], Finding] = {}
    for found in findings:
        spot = found.place
        key = (spot.path, spot.line, spot.column, found.code, found.fingerprint or found.message)
        unique.setdefault(key, found)
    return [unique[key] for key in sorted(unique)]


def _not_checked(span: Span, reason: str) -> Note:
    return Note(place(span), without(reason, hidden(span)))


def _counts(config: Config) -> Counts:
    servers = sum(len(pool.servers) for pool in config.pools)
    return Counts(len(config.files), int(not config.unread), len(config.frontends), len(config.pools), servers)

"""`lbcheck gate`: every stage under one policy, and one word: GO or NO-GO."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lbcheck.cli import interrupt
from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FAILED, FOUND, NOTHING, color, fail, show, target, warn_of_unmatched, width, write
from lbcheck.gate.policy import CHECK, DIFF, PROBE, REHEARSE
from lbcheck.report import GATE_REPORTERS, GATE_SUFFIXES

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes
    from lbcheck.comparison import Seen
    from lbcheck.gate.outcome import Stage, Verdict
    from lbcheck.project import Request
    from lbcheck.revisions import Repository
    from lbcheck.settings import Settings
    from lbcheck.sides import Side


@click.command(
    "gate",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck gate build/                          check, and traffic with every loss
  lbcheck gate build/ --from deployed/         and what the change moves
  lbcheck gate lb/ --git origin/main           the same against a git revision
  lbcheck gate build/ --rehearse               and what the real proxy makes of it
  lbcheck gate build/ --probe                  and whether each server would be up, seen from here
  lbcheck gate build/ -o gate.html -o gate.md  the verdict as a page, and for a pull request's comment
\b
The limits are in the settings: [gate] allow, moved, headroom, tolerance, require. They run nothing: without
--rehearse no proxy is run, without --probe no connection made; where one is required, that is a NO-GO. So is a stage
that was asked for and could not be run.
Exit codes: 0 GO, 1 NO-GO, 2 lbcheck could not do its work, 3 no config was found.
""",
)
@click.argument("new", default=".", type=click.Path(readable=False))
@taking.together
@click.option("--from", "old", metavar="OLD", type=click.Path(readable=False), help="What NEW is to replace.")
@click.option("--git", "revision", metavar="REV", help="NEW replaces what this git revision has in its place.")
@click.option("--rehearse", is_flag=True, help="Also run it on the real proxy, in a sandbox, and lose servers.")
@click.option("--probe", is_flag=True, help="Also connect to every server, from this machine.")
@taking.judging
@taking.reading
@taking.output(list(GATE_REPORTERS), next(iter(GATE_REPORTERS)))
@click.option("--baseline", type=click.Path(dir_okay=False), help="Leave out the findings that this file holds.")
@taking.settings_file
@taking.policy
@taking.color
def command(new: str, **options: Any) -> None:
    """Say whether a config may go live: GO or NO-GO, with the evidence of every stage.

    NEW is a file or a folder; without it, this folder.
    """
    from lbcheck.baseline import BaselineError
    from lbcheck.discovery import PathMissingError
    from lbcheck.files import GitError
    from lbcheck.settings import SettingsError

    outputs = [target(output, GATE_REPORTERS, GATE_SUFFIXES) for output in options["outputs"]]
    if options["old"] and options["revision"]:
        raise click.UsageError("--from and --git both say what NEW replaces: name one")
    try:
        verdict = _verdict(new, options)
    except PathMissingError as error:
        fail(f"{error}: no such file or folder")
    except (SettingsError, GitError, BaselineError) as error:
        fail(str(error))
    _report(verdict, outputs, options)
    sys.exit(_code(verdict))


def _verdict(new: str, options: dict[str, Any]) -> Verdict:
    if options["revision"] is None and options["policy_from"] is None:
        return _gated(new, options, None)
    from lbcheck.revisions import Repository

    repository = Repository()
    try:
        return _gated(new, options, repository)
    finally:
        repository.close()


def _gated(new: str, options: dict[str, Any], repository: Repository | None) -> Verdict:
    from lbcheck import project
    from lbcheck.engine import INTERNAL
    from lbcheck.gate import stages
    from lbcheck.gate.outcome import Verdict

    trusted = options["policy_from"]
    policy_files = repository.files(trusted) if repository is not None and trusted is not None else None
    settings = taking.settings_of(options, policy_files)
    request = taking.request_of((new,), settings, options)
    approved = None
    if policy_files is not None:
        approved = project.silenced(request, project.judge(settings), policy_files)
    seen, changes = _compared(new, options, request, settings, repository, approved)
    found: tuple[Stage, ...] = (
        stages.check(seen.result, settings.gate),
        stages.left_out(DIFF, "--from OLD or --git REV") if changes is None else stages.diff(changes, settings.gate),
        stages.traffic(seen.traffic, settings.gate),
        _rehearse(request, settings, options),
        _probe(request, settings, options),
    )
    broken = any(one.code == INTERNAL for one in seen.result.findings) or any(stage.broken for stage in found)
    old = options["old"] or options["revision"]
    return Verdict(new, old, settings.gate, found, seen.traffic, changes, broken)


def _rehearse(request: Request, settings: Settings, options: dict[str, Any]) -> Stage:
    """Rehearse the configs where the command line asks for it; settings may come with what is under review."""
    from lbcheck.gate import stages

    if not options["rehearse"]:
        return stages.left_out(REHEARSE, "--rehearse")
    from lbcheck.cli.rehearse import rehearsable, rehearsed_where_possible
    from lbcheck.rehearsal.planning.staging import NoBinaryError
    from lbcheck.rehearsal.planning.wishes import Wishes
    from lbcheck.rehearsal.play.sandbox import UnusableError

    wishes = Wishes(tolerance=100 * settings.gate.tolerance)
    try:
        with interrupt.heard():
            return stages.rehearse(rehearsed_where_possible(rehearsable(request, settings), wishes))
    except (UnusableError, NoBinaryError) as error:
        return stages.not_run(REHEARSE, str(error))


def _probe(request: Request, settings: Settings, options: dict[str, Any]) -> Stage:
    """Probe the servers where the command line asks for it; settings may come with what is under review."""
    from lbcheck.gate import stages

    if not options["probe"]:
        return stages.left_out(PROBE, "--probe")
    from lbcheck.cli.probe import probed
    from lbcheck.live.probe import Wishes

    return stages.probe(probed(request, settings, Wishes(hosts=settings.addresses)))


def _compared(
    new: str,
    options: dict[str, Any],
    request: Request,
    settings: Settings,
    repository: Repository | None,
    approved: frozenset[str] | None,
) -> tuple[Seen, Changes | None]:
    """Read NEW, and what it replaces where that is named."""
    from lbcheck import baseline, comparison, unmatched
    from lbcheck.traffic.scenario import Scenario

    sides = _sides(new, options, request, repository)
    if sides is None:
        from lbcheck.sides import Side

        after, changes = comparison.seen(Side(request), settings, Scenario(), approved), None
        matched = after.result.declared
        after.traffic.not_checked = [*after.traffic.not_checked, *unmatched.notes(settings, request, matched)]
        warn_of_unmatched(unmatched.unmatched(settings, matched))
    else:
        found = comparison.diff(*sides, settings, Scenario(), approved)
        after, changes = found.new, found.changes
        warn_of_unmatched(changes.unmatched)
    if settings.baseline:
        baseline.apply(after.result, baseline.read(settings.baseline, settings.files))
    return after, changes


def _sides(
    new: str, options: dict[str, Any], request: Request, repository: Repository | None
) -> tuple[Side, Side] | None:
    from lbcheck import sides

    if options["old"] is not None:
        return sides.of_paths(options["old"], new, request)
    if options["revision"] is None or repository is None:
        return None
    return sides.of_revisions(repository, sides.Range(options["revision"], None, (new,)), request)


def _report(verdict: Verdict, outputs: list[tuple[str, str]], options: dict[str, Any]) -> None:
    from lbcheck.report import gate_reporter
    from lbcheck.report.options import Options

    for name, path in outputs:
        write(path, gate_reporter(name)(verdict, Options()))
    show(gate_reporter(options["output_format"])(verdict, Options(color=color(options), width=width())))


def _code(verdict: Verdict) -> int:
    """Return the exit code, the same for every output format."""
    from lbcheck.gate.outcome import GO, NOT_RUN

    if verdict.broken:
        return FAILED
    if any(stage.name == CHECK and stage.outcome == NOT_RUN for stage in verdict.stages):
        return NOTHING
    return CLEAN if verdict.word == GO else FOUND

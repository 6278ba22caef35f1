"""`lbcheck check`: options to a request and settings, a result to text and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FAILED, FOUND, NOTHING, color, fail, show, target, width, write
from lbcheck.report import REPORTERS, SUFFIXES

if TYPE_CHECKING:
    from lbcheck.files import FileTree
    from lbcheck.project import Judge, Request
    from lbcheck.results import Result
    from lbcheck.settings import Settings


@click.command(
    "check",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck check                                every config below this folder
  lbcheck check nginx.conf haproxy.cfg         these two
  nginx -T | lbcheck check -                   what the running nginx would load
  lbcheck check -f 00-base.cfg -f 10-web.cfg   files that HAProxy loads as one config
  lbcheck check --select D,H01 .               shares, and missing health checks, only
  lbcheck check -o sarif:out.sarif .           a report for code scanning beside the text
  lbcheck check --policy-from origin/main .    a pull request cannot silence its own check
\b
Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 lbcheck could not do its work, 3 nothing was checked.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@taking.together
@taking.judging
@taking.reading
@click.option("--changed", is_flag=True, help="PATHS are changed files: check the configs that contain them.")
@click.option("--stdin-filename", default="-", metavar="PATH", help="What standard input is called in the output.")
@taking.output(list(REPORTERS), "full")
@click.option("--fix", is_flag=True, help="Mend what can be mended without changing the traffic.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also what changes the traffic.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings by rule instead of listing them.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked.")
@taking.exit_zero
@click.option("--baseline", type=click.Path(dir_okay=False), help="Leave out the findings that this file holds.")
@click.option("--write-baseline", type=click.Path(dir_okay=False), help="Write today's findings to this file.")
@taking.settings_file
@taking.policy
@taking.color
@taking.jobs
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Find the defects in load-balancer configs that the proxy's own checker lets through.

    PATHS are files, folders, or - for standard input; without any, this folder.
    """
    from lbcheck.baseline import BaselineError
    from lbcheck.discovery import PathMissingError
    from lbcheck.files import GitError
    from lbcheck.settings import SettingsError

    try:
        settings = taking.settings_of(options, _policy(options))
        request = taking.request_of(paths, settings, options)
        if options["show_files"]:
            _show_files(request)
        result = _run(request, settings, options)
        _report(result, settings, options)
    except PathMissingError as error:
        fail(f"{error}: no such file or folder")
    except (SettingsError, BaselineError, GitError) as error:
        fail(str(error))
    sys.exit(_code(result, settings, options))


def _policy(options: dict[str, Any]) -> FileTree | None:
    """Return the files of the revision that settings and suppressions come from, None where none is named."""
    if options["policy_from"] is None:
        return None
    from lbcheck.revisions import Repository

    return Repository().files(options["policy_from"])


def _run(request: Request, settings: Settings, options: dict[str, Any]) -> Result:
    from lbcheck import baseline, project

    judge = project.judge(settings)
    if settings.files is not None:
        judge = project.judge(settings, project.silenced(request, judge, settings.files))
    result = _checked(request, settings, judge)
    if options["write_baseline"]:
        write(options["write_baseline"], baseline.text(result.findings))
        click.echo(f"wrote {len(result.findings)} findings to {options['write_baseline']}", err=True)
        baseline.apply(result, baseline.read(options["write_baseline"]))
    elif settings.baseline:
        baseline.apply(result, baseline.read(settings.baseline, settings.files))
    if options["fix"] or options["show_diff"]:
        result = _mend(result, request, settings, judge, options)
    return result


def _checked(request: Request, settings: Settings, judge: Judge) -> Result:
    from lbcheck import project, unmatched

    result = project.check(request, judge)
    result.not_checked += unmatched.notes(settings, request, result.declared)
    return result


def _mend(result: Result, request: Request, settings: Settings, judge: Judge, options: dict[str, Any]) -> Result:
    """Apply the fixes and check again, or show them."""
    from lbcheck import fixes
    from lbcheck.files import UnreadableError, decode, read_regular

    changes = fixes.compatible(
        [finding.fix for finding in result.findings if finding.fix is not None], unsafe=options["unsafe_fixes"]
    )
    before = {}
    for path in {edit[0] for change in changes for edit in change.edits}:
        try:
            before[path] = decode(read_regular(path))
        except UnreadableError as error:
            fail(f"{path}: {error.reason}")
    after = fixes.fixed(before, changes)
    if options["show_diff"]:
        click.echo(fixes.difference(before, after), nl=False)
        return result
    try:
        for path, text in after.items():
            fixes.write(path, text, before[path])
    except fixes.NotWrittenError as error:
        fail(str(error))
    click.echo(f"mended {len(changes)} of {len(result.findings)} findings", err=True)
    return _checked(request, settings, judge)


def _report(result: Result, settings: Settings, options: dict[str, Any]) -> None:
    from lbcheck.report import reporter
    from lbcheck.report.options import Options

    for output in options["outputs"]:
        name, path = target(output, REPORTERS, SUFFIXES)
        write(path, reporter(name)(result, Options(fail_on=settings.fail_on, rules=settings.rules)))
    if options["show_diff"]:
        return
    if options["statistics"]:
        from lbcheck.report.summary import statistics

        show(statistics(result))
        return
    form = Options(color=color(options), width=width(), fail_on=settings.fail_on, rules=settings.rules)
    show(reporter(options["output_format"])(result, form))


def _show_files(request: Request) -> NoReturn:
    from lbcheck import project
    from lbcheck.report.escape import escape

    for unit in project.prepare(request).units:
        for path in unit.paths:
            click.echo(f"{unit.dialect}\t{escape(path)}")
    sys.exit(CLEAN)


def _code(result: Result, settings: Settings, options: dict[str, Any]) -> int:
    """Return the exit code, the same for every output format."""
    from lbcheck.engine import INTERNAL
    from lbcheck.findings import at_least

    if any(finding.code == INTERNAL for finding in result.findings):
        return FAILED
    if options["exit_zero"]:
        return CLEAN
    if any(at_least(finding.severity, settings.fail_on) for finding in result.findings):
        return FOUND
    return NOTHING if not result.counts.configs and not options["changed"] else CLEAN

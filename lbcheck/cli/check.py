"""`lbcheck check`: options to a request and settings, a result to text and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from lbcheck.report import REPORTERS, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.project import Judge, Request
    from lbcheck.results import Result
    from lbcheck.settings import Settings

F = TypeVar("F", bound="Callable[..., Any]")

CLEAN, FOUND, FAILED, NOTHING = 0, 1, 2, 3
SEVERITIES = click.Choice(["error", "warning", "info"])


def _words(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Split `D01,H` into words: selectors may be given together or one by one."""
    del ctx, param
    return tuple(word for text in value for word in text.split(",") if word)


def _selectors(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, multiple=True, callback=_words, metavar="CODES", help=text)


@click.command(
    "check",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  lbcheck check                                every config below this folder
  lbcheck check nginx.conf haproxy.cfg         these two
  nginx -T | lbcheck check -                   what the running nginx would load
  lbcheck check -f 00-base.cfg -f 10-web.cfg   files that HAProxy loads as one config
  lbcheck check --select D,H01 .               shares, and missing health checks, only
  lbcheck check -o sarif:out.sarif .           a report for code scanning beside the text
\b
Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 lbcheck could not do its work, 3 nothing was checked.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@click.option(
    "-f",
    "--file",
    "together",
    multiple=True,
    type=click.Path(readable=False),
    help="A file or folder of one HAProxy config.",
)
@_selectors("--select", "Run these rules only: codes, first letters, names or ALL.")
@_selectors("--extend-select", "Run these rules too.")
@_selectors("--ignore", "Leave these rules out.")
@click.option("--preview", is_flag=True, help="Run rules that are still being tried.")
@click.option("--min-severity", type=SEVERITIES, help="Leave milder findings out.")
@click.option("--fail-on", type=SEVERITIES, help="The mildest severity that exits 1.  [default: warning]")
@click.option("--target", metavar="P=V,…", help="The versions that will run: nginx=1.26,haproxy=3.0.")
@click.option("--dialect", type=click.Choice(["nginx", "haproxy", "native"]), help="Read the named files as this.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files and folders that match.")
@click.option("--root", type=click.Path(file_okay=False), help="Find the server's absolute paths below this folder.")
@click.option("--changed", is_flag=True, help="PATHS are changed files: check the configs that contain them.")
@click.option("--stdin-filename", default="-", metavar="PATH", help="What standard input is called in the output.")
@click.option("--output-format", type=click.Choice(list(REPORTERS)), default="full", show_default=True)
@click.option("-o", "--output", "outputs", multiple=True, metavar="[FORMAT:]PATH", help="Write a report to a file too.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without changing the traffic.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also what changes the traffic.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings by rule instead of listing them.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--baseline", type=click.Path(dir_okay=False), help="Leave out the findings that this file holds.")
@click.option("--write-baseline", type=click.Path(dir_okay=False), help="Write today's findings to this file.")
@click.option("--config", "settings_path", type=click.Path(dir_okay=False), help="Read the settings from this file.")
@click.option("--isolated", is_flag=True, help="Read no settings.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0 means as many as cores.")
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Find the defects in load-balancer configs that the proxy's own checker lets through.

    PATHS are files, folders, or - for standard input; without any, this folder.
    """
    from lbcheck.baseline import BaselineError
    from lbcheck.discovery import PathMissingError
    from lbcheck.settings import SettingsError

    try:
        settings = _settings(options)
        request = _request(paths, settings, options)
        if options["show_files"]:
            _show_files(request)
        result = _run(request, settings, options)
        _report(result, settings, options)
    except PathMissingError as error:
        _fail(f"{error}: no such file or folder")
    except (SettingsError, BaselineError) as error:
        _fail(str(error))
    sys.exit(_code(result, settings, options))


def _fail(message: str) -> NoReturn:
    from lbcheck.report.escape import escape

    click.echo(f"lbcheck: {escape(message)}", err=True)
    sys.exit(FAILED)


def _settings(options: dict[str, Any]) -> Settings:
    from lbcheck.settings import load, targets_from

    settings = load(options["settings_path"], isolated=options["isolated"])
    settings.choose(
        select=options["select"] or None,
        extend_select=options["extend_select"],
        ignore=options["ignore"],
        preview=options["preview"],
    )
    for name in ("min_severity", "fail_on", "baseline", "root", "jobs"):
        if options[name]:
            setattr(settings, name, options[name])
    if options["exclude"]:
        settings.exclude = (*settings.exclude, *options["exclude"])
    if options["target"]:
        settings.targets = {**settings.targets, **targets_from(options["target"])}
    return settings


def _request(paths: tuple[str, ...], settings: Settings, options: dict[str, Any]) -> Request:
    from lbcheck.project import Request, expanded

    together = [tuple(expanded(options["together"]))] if options["together"] else []
    together += [tuple(map(os.path.relpath, files)) for files, _ in settings.configs]
    stdin = None
    if "-" in paths:
        from lbcheck.files import MAX_FILE_BYTES, decode

        stdin = decode(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        if len(stdin) > MAX_FILE_BYTES:
            _fail(f"standard input has more than {MAX_FILE_BYTES:,} bytes")
    return Request(
        paths or (() if options["together"] or options["changed"] else (".",)),
        stdin=stdin,
        stdin_name=options["stdin_filename"],
        together=tuple(together),
        dialect=options["dialect"],
        exclude=tuple(settings.exclude),
        root=settings.root,
        changed=options["changed"],
        jobs=settings.jobs,
    )


def _run(request: Request, settings: Settings, options: dict[str, Any]) -> Result:
    from lbcheck import baseline, project

    judge = project.judge(settings)
    result = project.check(request, judge)
    if options["write_baseline"]:
        _write(options["write_baseline"], baseline.text(result.findings))
        click.echo(f"wrote {len(result.findings)} findings to {options['write_baseline']}", err=True)
        baseline.apply(result, baseline.read(options["write_baseline"]))
    elif settings.baseline:
        baseline.apply(result, baseline.read(settings.baseline))
    if options["fix"] or options["show_diff"]:
        result = _mend(result, request, judge, options)
    return result


def _mend(result: Result, request: Request, judge: Judge, options: dict[str, Any]) -> Result:
    """Apply the fixes and check again, or show them."""
    from lbcheck import fixes, project
    from lbcheck.files import UnreadableError, decode, read_regular

    changes = fixes.compatible(
        [finding.fix for finding in result.findings if finding.fix is not None], unsafe=options["unsafe_fixes"]
    )
    before = {}
    for path in {edit[0] for change in changes for edit in change.edits}:
        try:
            before[path] = decode(read_regular(path))
        except UnreadableError as error:
            _fail(f"{path}: {error.reason}")
    after = fixes.fixed(before, changes)
    if options["show_diff"]:
        click.echo(fixes.difference(before, after), nl=False)
        return result
    try:
        for path, text in after.items():
            fixes.write(path, text, before[path])
    except fixes.NotWrittenError as error:
        _fail(str(error))
    click.echo(f"mended {len(changes)} of {len(result.findings)} findings", err=True)
    return project.check(request, judge)


def _report(result: Result, settings: Settings, options: dict[str, Any]) -> None:
    from lbcheck.report import reporter
    from lbcheck.report.options import Options

    for output in options["outputs"]:
        name, path = _output(output)
        _write(path, reporter(name)(result, Options(fail_on=settings.fail_on, rules=settings.rules)))
    if options["show_diff"]:
        return
    if options["statistics"]:
        from lbcheck.report.summary import statistics

        _print(statistics(result))
        return
    width = int(os.environ.get("COLUMNS", "") or 120) if os.environ.get("COLUMNS", "").isdecimal() else 120
    form = Options(color=_color(options), width=width, fail_on=settings.fail_on, rules=settings.rules)
    _print(reporter(options["output_format"])(result, form))


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _output(text: str) -> tuple[str, str]:
    name, colon, path = text.partition(":")
    if colon and name in REPORTERS:
        return name, path
    suffix = os.path.splitext(text)[1]
    if suffix not in SUFFIXES:
        raise click.UsageError(f"-o {text}: name a format, one of {', '.join(REPORTERS)}, as in sarif:{text}")
    return SUFFIXES[suffix], text


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        _fail(f"{path}: {(reason or 'cannot be written').lower()}")


def _color(options: dict[str, Any]) -> bool:
    """Decide about colours: the option, NO_COLOR (no-color.org), FORCE_COLOR, then whether a person watches."""
    if options["color"] != "auto":
        return bool(options["color"] == "always")
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


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

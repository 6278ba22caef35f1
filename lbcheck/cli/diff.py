"""`lbcheck diff`: two versions to what moves between them, and which findings come and go."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lbcheck.cli import options as taking
from lbcheck.cli.output import CLEAN, FAILED, FOUND, NOTHING, color, fail, show, target, warn_of_unmatched, width, write
from lbcheck.report import DIFF_REPORTERS, DIFF_SUFFIXES

if TYPE_CHECKING:
    from lbcheck.comparison import Comparison
    from lbcheck.files import FileTree
    from lbcheck.revisions import Repository
    from lbcheck.settings import Settings
    from lbcheck.sides import Range, Side


@click.command(
    "diff",
    context_settings=taking.CONTEXT,
    epilog="""\b
Examples:
  lbcheck diff old.cfg new.cfg             two files
  lbcheck diff deployed/ build/            two folders
  lbcheck diff nginx.conf envoy.yaml       from one balancer to another
  nginx -T | lbcheck diff - conf/          what the running nginx has loaded, and what is to come
  lbcheck diff --git main                  what this working tree changes, untracked files included
  lbcheck diff --git main...               what this branch has changed since it left main
  lbcheck diff --git v1.4 v1.5 lb/         two revisions of a folder; a bare clone will do
  lbcheck diff --git main -o diff.html     the same as a page with a drawing
\b
Exit codes: 0 nothing introduced at or above --fail-on, 1 findings introduced, 2 lbcheck could not do its work,
3 nothing was compared.
""",
)
@click.argument("words", nargs=-1, metavar="OLD NEW | --git BASE [HEAD] [PATHS]...")
@click.option("--git", "git", is_flag=True, help="Compare git revisions, or one with the working tree.")
@taking.judging
@taking.reading
@click.option("--stdin-filename", default="-", metavar="PATH", help="What standard input is called in the output.")
@taking.output(list(DIFF_REPORTERS), next(iter(DIFF_REPORTERS)))
@click.option("--exact", is_flag=True, help="Walk large hash rings point by point; they are estimated otherwise.")
@taking.exit_zero
@taking.settings_file
@taking.policy
@taking.color
def command(words: tuple[str, ...], **options: Any) -> None:
    """Show what a change of load-balancer configs moves: shares of servers, keys of hashes, and findings.

    OLD and NEW are files or folders; - is standard input. With --git, BASE and HEAD are revisions: their files are
    read from the repository, and nothing is checked out. Without HEAD, BASE is compared with the working tree.
    """
    from lbcheck.discovery import PathMissingError
    from lbcheck.files import GitError
    from lbcheck.settings import SettingsError

    outputs = [target(output, DIFF_REPORTERS, DIFF_SUFFIXES) for output in options["outputs"]]
    try:
        found, settings = _compared(words, options)
    except PathMissingError as error:
        either = options["git"] and words[1:2] == (str(error),)  # HEAD, or the first of PATHS
        fail(f"{error}: no such {'revision, file' if either else 'file'} or folder")
    except (SettingsError, GitError) as error:
        fail(str(error))
    warn_of_unmatched(found.changes.unmatched)
    _report(found, outputs, options)
    sys.exit(_code(found, settings, options))


def _compared(words: tuple[str, ...], options: dict[str, Any]) -> tuple[Comparison, Settings]:
    if options["git"] or options["policy_from"] is not None:
        from lbcheck.revisions import Repository

        repository = Repository()
        try:
            return _between(words, options, repository)
        finally:
            repository.close()
    return _between(words, options, None)


def _between(
    words: tuple[str, ...], options: dict[str, Any], repository: Repository | None
) -> tuple[Comparison, Settings]:
    from lbcheck import comparison, project
    from lbcheck.traffic.algorithms import MAX_RING_POINTS
    from lbcheck.traffic.scenario import Scenario

    named = _range(words, options, repository)
    policy = _policy(options, repository, named)
    settings = taking.settings_of(options, policy)
    old, new = _sides(words, settings, options, repository, named)
    approved = None
    if options["policy_from"] is not None and policy is not None:
        approved = project.silenced(new.request, project.judge(settings), policy)
    scenario = Scenario(exact_points=MAX_RING_POINTS if options["exact"] else None)
    return comparison.diff(old, new, settings, scenario, approved), settings


def _range(words: tuple[str, ...], options: dict[str, Any], repository: Repository | None) -> Range | None:
    if not options["git"] or repository is None:
        if len(words) != 2:
            raise click.UsageError("name OLD and NEW, or --git and a revision")
        return None
    if not words:
        raise click.UsageError("--git needs a revision to compare with, such as main")
    from lbcheck.sides import in_range

    return in_range(repository, words)


def _policy(options: dict[str, Any], repository: Repository | None, named: Range | None) -> FileTree | None:
    """Return where the settings are: in the revision that is named for it, else in the newer version."""
    if repository is None:
        return None
    if options["policy_from"] is not None:
        return repository.files(options["policy_from"])
    if named is not None and named.head is not None and options["settings_path"] is None:
        return repository.files(named.head)
    return None


def _sides(
    words: tuple[str, ...],
    settings: Settings,
    options: dict[str, Any],
    repository: Repository | None,
    named: Range | None,
) -> tuple[Side, Side]:
    from lbcheck import sides

    request = taking.request_of(words if named is None else (".",), settings, options)
    if named is None or repository is None:
        return sides.of_paths(words[0], words[1], request)
    return sides.of_revisions(repository, named, request)


def _report(found: Comparison, outputs: list[tuple[str, str]], options: dict[str, Any]) -> None:
    from lbcheck.report import diff_reporter
    from lbcheck.report.options import Options

    for name, path in outputs:
        write(path, diff_reporter(name)(found.changes, Options()))
    show(diff_reporter(options["output_format"])(found.changes, Options(color=color(options), width=width())))


def _code(found: Comparison, settings: Settings, options: dict[str, Any]) -> int:
    """Return the exit code, the same for every output format."""
    from lbcheck.engine import INTERNAL
    from lbcheck.findings import at_least

    everything = (*found.old.result.findings, *found.new.result.findings, *found.changes.introduced)
    if any(finding.code == INTERNAL for finding in everything):
        return FAILED
    if options["exit_zero"]:
        return CLEAN
    if any(at_least(finding.severity, settings.fail_on) for finding in found.changes.introduced):
        return FOUND
    return CLEAN if found.old.result.counts.configs or found.new.result.counts.configs else NOTHING

"""Options that several commands take, and what they come to: settings and a request."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lbcheck.cli.output import fail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lbcheck.files import FileTree
    from lbcheck.project import Request
    from lbcheck.settings import Settings

F = TypeVar("F", bound="Callable[..., Any]")

SEVERITIES = click.Choice(["error", "warning", "info"])
#: What every command's context is made with.
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _words(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Split `D01,H` into words: selectors may be given together or one by one."""
    del ctx, param
    return tuple(word for text in value for word in text.split(",") if word)


def _selectors(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, multiple=True, callback=_words, metavar="CODES", help=text)


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that stands for several, `--help` lists them in this order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


together = click.option(
    "-f",
    "--file",
    "together",
    multiple=True,
    type=click.Path(readable=False),
    help="A file or folder of one HAProxy config.",
)

judging = _all(
    _selectors("--select", "Run these rules only: codes, first letters, names or ALL."),
    _selectors("--extend-select", "Run these rules too."),
    _selectors("--ignore", "Leave these rules out."),
    click.option("--preview", is_flag=True, help="Run rules that are still being tried."),
    click.option("--min-severity", type=SEVERITIES, help="Leave milder findings out."),
    click.option("--fail-on", type=SEVERITIES, help="The mildest severity that exits 1.  [default: warning]"),
    click.option("--target", metavar="P=V,…", help="The versions that will run: nginx=1.26,haproxy=3.0."),
)

reading = _all(
    click.option(
        "--dialect",
        type=click.Choice(["nginx", "haproxy", "envoy", "traefik", "compose", "kubernetes", "native"]),
        help="Read the named files as this.",
    ),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files and folders that match."),
    click.option(
        "--root", type=click.Path(file_okay=False), help="Find the server's absolute paths below this folder."
    ),
    click.option(
        "--complete-namespace",
        multiple=True,
        metavar="NAME",
        help="Every object of this Kubernetes namespace is scanned, so that what is missing is an error; * is all.",
    ),
)

settings_file = _all(
    click.option(
        "--config", "settings_path", type=click.Path(dir_okay=False), help="Read the settings from this file."
    ),
    click.option("--isolated", is_flag=True, help="Read no settings."),
)

policy = click.option(
    "--policy-from", metavar="REV", help="Take settings and suppressions from this git revision instead."
)

exit_zero = click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
color = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
jobs = click.option("-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0 means as many as cores.")


def output(formats: Sequence[str], default: str) -> Callable[[F], F]:
    """Return the options `--output-format` and `-o` of a command with these formats."""
    return _all(
        click.option("--output-format", type=click.Choice(formats), default=default, show_default=True),
        click.option(
            "-o", "--output", "outputs", multiple=True, metavar="[FORMAT:]PATH", help="Write a report to a file too."
        ),
    )


def settings_of(options: Mapping[str, Any], files: FileTree | None = None) -> Settings:
    """Return the settings file's words with the options laid over them; `files` is where it is, None for the disk.

    Raises SettingsError.
    """
    from lbcheck.settings import load

    settings = load(options["settings_path"], isolated=options["isolated"], files=files)
    lay_over(settings, options)
    return settings


def lay_over(settings: Settings, options: Mapping[str, Any]) -> None:
    """Lay the options over settings; those that a command does not have leave them alone. Raises SettingsError."""
    from lbcheck.settings import targets_from

    settings.choose(
        select=options.get("select") or None,
        extend_select=options.get("extend_select", ()),
        ignore=options.get("ignore", ()),
        preview=options.get("preview", False),
    )
    for name in ("min_severity", "fail_on", "baseline", "root", "jobs"):
        if options.get(name):
            setattr(settings, name, options[name])
    if options.get("exclude"):
        settings.exclude = (*settings.exclude, *options["exclude"])
    if options.get("complete_namespace"):
        settings.complete_namespaces |= frozenset(options["complete_namespace"])
    if options.get("target"):
        settings.targets = {**settings.targets, **targets_from(options["target"])}


def request_of(paths: tuple[str, ...], settings: Settings, options: Mapping[str, Any]) -> Request:
    """Return what a command is to look at. Raises PathMissingError."""
    from lbcheck.project import Request, expanded

    named = [tuple(expanded(options["together"]))] if options.get("together") else []
    named += [tuple(map(os.path.relpath, files)) for files, _ in settings.configs]
    changed = options.get("changed", False)
    return Request(
        paths or (() if options.get("together") or changed else (".",)),
        stdin=_stdin() if "-" in paths else None,
        stdin_name=options.get("stdin_filename", "-"),
        together=tuple(named),
        dialect=options.get("dialect"),
        exclude=tuple(settings.exclude),
        root=settings.root,
        changed=changed,
        jobs=settings.jobs,
    )


def _stdin() -> str:
    from lbcheck.files import MAX_FILE_BYTES, decode

    text = decode(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
    if len(text) > MAX_FILE_BYTES:
        fail(f"standard input has more than {MAX_FILE_BYTES:,} bytes")
    return text

"""What every command ends with: text on standard output or in files, one line for an error, an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lbcheck.results import Unmatched

CLEAN, FOUND, FAILED, NOTHING = 0, 1, 2, 3


def fail(message: str) -> NoReturn:
    """Say in one line why the command could not do its work, and exit."""
    from lbcheck.report.escape import escape

    click.echo(f"lbcheck: {escape(message)}", err=True)
    sys.exit(FAILED)


def crashed() -> int:
    """Print the exception under way, a defect of lbcheck's own, and return the exit code.

    Python's own would say that something was found.
    """
    import traceback

    from lbcheck.report.escape import escape

    lines = [escape(line) for line in traceback.format_exc().splitlines()]
    with contextlib.suppress(OSError):
        click.echo("\n".join([*lines, "lbcheck: an internal error, which is a defect of lbcheck"]), err=True)
    return FAILED


def warn(message: str) -> None:
    """Say in one line what may be wrong, beside what the command prints."""
    from lbcheck.report.escape import escape

    click.echo(f"lbcheck: warning: {escape(message)}", err=True)


def warn_of_unmatched(entries: Sequence[Unmatched]) -> None:
    """Say in one line which entries of the settings match nothing of what was read."""
    if not entries:
        return
    from lbcheck.wording import listed

    told = listed([f"{entry.words} (line {entry.line})" for entry in entries])
    warn(f"{entries[0].path}: {told}")


def show(text: str) -> None:
    """Print text as UTF-8 whatever the locale. `cli.main` sees to a full disk, click to a reader that has gone."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def unprinted(reason: str | None) -> int:
    """Say in one line why standard output cannot be written, and return the exit code."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail again at the end
    with contextlib.suppress(OSError):
        click.echo(f"lbcheck: standard output: {(reason or 'it cannot be written').lower()}", err=True)
    return FAILED


def write(path: str, text: str) -> None:
    """Write a report to a file, or fail in one line."""
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        fail(f"{path}: {(reason or 'cannot be written').lower()}")


def target(text: str, formats: Mapping[str, str], suffixes: Mapping[str, str]) -> tuple[str, str]:
    """Return (format, path) of a `-o [FORMAT:]PATH`. Raises click.UsageError where the suffix names no format."""
    name, colon, path = text.partition(":")
    if colon and name in formats:
        return name, path
    suffix = os.path.splitext(text)[1]
    if suffix not in suffixes:
        raise click.UsageError(f"-o {text}: name a format, one of {', '.join(formats)}, as in json:{text}")
    return suffixes[suffix], text


def color(options: Mapping[str, Any]) -> bool:
    """Decide about colours: the option, NO_COLOR (no-color.org), FORCE_COLOR, then whether a person watches."""
    if options["color"] != "auto":
        return bool(options["color"] == "always")
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def width() -> int:
    """Return how many columns a line may take: what COLUMNS says, the terminal's, or 120."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 120
    except (OSError, ValueError):
        return 120

"""`--output-format full`: each finding with its source line, for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report import summary
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.excerpt import excerpt
from lbcheck.report.paint import painter
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.report.paint import Paint
    from lbcheck.results import Change, Finding, Note, Place, Result

#: How many of the places that were not checked are listed.
MAX_NOT_CHECKED = 10
#: Fewer columns than this for a source line show nothing.
_MIN_WIDTH = 20


def render(result: Result, options: Options) -> str:
    """Return the findings with excerpts, the places that were not checked, and the summary."""
    paint = painter(color=options.color)
    blocks = [_finding(found, paint, options.width) for found in result.findings]
    if result.not_checked:
        blocks.append(_not_checked(result.not_checked, paint))
    blocks.append(_closing(result, paint))
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _finding(found: Finding, paint: Paint, width: int) -> list[str]:
    place = found.place
    gutter = max(len(str(number)) for number in (place.line, *(note.place.line for note in found.related)))
    arrow = paint("gutter", f"{'':>{gutter}}-->")
    kind = paint(found.severity, f"{found.severity}[{escape(found.code)}]")
    lines = [
        f"{kind} {paint('bold', escape(found.name))}: {escape(found.message)}",
        f"{arrow} {shown_path(place.path)}:{place.line}:{place.column}",
    ]
    lines += _source(place, gutter, paint, found.severity, width)
    for note in found.related:
        lines += _related(note, place, gutter, paint, width)
    blank = " " * gutter
    if found.help:
        lines.append(f"{blank} {paint('gutter', '=')} {paint('bold', 'help')}: {escape(found.help)}")
    if found.fix:
        lines.append(f"{blank} {paint('gutter', '=')} {paint('bold', 'fix')}: {_fix(found.fix)}")
    return lines


def _source(place: Place, gutter: int, paint: Paint, style: str, width: int) -> list[str]:
    """Return the source line in its gutter and what underlines it; nothing where there is no line to show."""
    if not place.excerpt.strip():
        return []
    line, offset, length = excerpt(place, max(_MIN_WIDTH, width - gutter - 3))
    bar = paint("gutter", f"{'':>{gutter}} |")
    lines = [bar, f"{paint('gutter', f'{place.line:>{gutter}} |')} {line}"]
    if length:
        lines.append(f"{bar} {' ' * offset}{paint(style, '^' * length)}")
    return lines


def _related(note: Note, primary: Place, gutter: int, paint: Paint, width: int) -> list[str]:
    place = note.place
    colons = paint("gutter", f"{'':>{gutter}}:::")
    lines = [f"{colons} {shown_path(place.path)}:{place.line}: {escape(note.message)}"]
    if (place.path, place.line) != (primary.path, primary.line):
        lines += _source(place, gutter, paint, "gutter", width)
    return lines


def _fix(change: Change) -> str:
    how = "--fix" if change.safe else "--fix --unsafe-fixes: it changes what the config does"
    return f"{escape(change.title)} ({how})"


def _not_checked(notes: list[Note], paint: Paint) -> list[str]:
    lines = [f"{paint('bold', 'not checked')}: {counted(len(notes), 'place')}"]
    lines += [
        f"  {shown_path(note.place.path)}:{note.place.line}: {escape(note.message)}" for note in notes[:MAX_NOT_CHECKED]
    ]
    if len(notes) > MAX_NOT_CHECKED:
        lines.append(f"  … and {len(notes) - MAX_NOT_CHECKED:,} more; --output-format json lists all")
    return lines


def _closing(result: Result, paint: Paint) -> list[str]:
    words = summary.headline(result)
    clean = not result.findings and not result.not_checked and result.counts.configs
    fixes = summary.fixes(result)
    return [paint("good" if clean else "bold", words), *([fixes] if fixes else [])]

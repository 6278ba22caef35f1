"""`lbcheck diff --output-format markdown`: what moves, for a pull request's comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.diff_sections import digest
from lbcheck.report.pictures.markdown import Comment, bar, code, number, prose, row, unread
from lbcheck.report.pictures.pairs import headline
from lbcheck.report.pictures.rows import full_scale, mark
from lbcheck.wording import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import Changes, NotUnderstood
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.pairs import Pair, PoolPair
    from lbcheck.report.pictures.rows import Row
    from lbcheck.results import Finding

_MOST_POOLS = 60
_MOST_LINES = 10
_MOST_FINDINGS = 30
_HEAD = row(("Pool", "Server", "Before", "After", "Change", "")) + row((":--", ":--", "--:", "--:", ":--", ":--"))


def render(changes: Changes, options: Options) -> str:
    """Return at most 60 kB of Markdown."""
    del options
    shown = digest(changes, _MOST_POOLS)
    comment = Comment(f"### What the change moves\n\n{prose(headline(changes))}\n")
    comment.add(_rerouted(changes.rerouted))
    comment.add(_not_understood(changes.not_understood))
    comment.add(_findings("New findings", changes.introduced))
    for section in shown.sections:
        before, after = section.titles
        words = (
            code(after or before, 80)
            if before == after or not (before and after)
            else f"{code(before, 80)} → {code(after, 80)}"
        )
        opening = f"\n**{words}**\n\n{_HEAD}"
        for pair in section.pairs:
            if comment.add(_pool(pair), opening):
                opening = ""
        if section.unchanged:
            comment.add(f"\n{counted(len(section.unchanged), 'pool')} unchanged.\n")
    comment.add(_findings("Fixed findings", changes.fixed))
    left_out = len(shown.left_out)
    closing = f"\n{counted(left_out, 'more pool')} moved less.\n" if left_out else ""
    if comment.left_out:
        closing = f"\n{counted(left_out + comment.left_out, 'more block')} left out: the text may not be longer.\n"
    sides = (("Before", changes.before.not_checked), ("After", changes.after.not_checked))
    return comment.text(closing + "".join(unread(notes, side) for side, notes in sides))


def _rerouted(words: Sequence[str]) -> str:
    if not words:
        return ""
    return "\n**Rerouted**\n\n" + "".join(f"- {prose(line)}\n" for line in shortened(words))


def _not_understood(found: Sequence[NotUnderstood]) -> str:
    if not found:
        return ""
    lines = [f"- {code(f'{one.path}:{one.line}', 80)} {prose(one.said)}\n" for one in found[:_MOST_FINDINGS]]
    more = len(found) - len(lines)
    heading = f"\n**Not understood** ({len(found):,}): nobody knows what these changes do to requests\n\n"
    return heading + "".join(lines) + (f"- and {more:,} more\n" if more else "")


def _findings(heading: str, found: Sequence[Finding]) -> str:
    if not found:
        return ""
    lines = [
        f"- **{code(each.code)}** {code(each.name)} {code(_place(each), 80)} {prose(each.message)}\n"
        for each in found[:_MOST_FINDINGS]
    ]
    more = len(found) - len(lines)
    return f"\n**{heading}** ({len(found):,})\n\n{''.join(lines)}" + (f"- and {more:,} more\n" if more else "")


def _place(found: Finding) -> str:
    return f"{found.place.path}:{found.place.line}"


def _pool(pair: PoolPair) -> str:
    if pair.reason is not None:
        return row((code(pair.name), "", "?", "?", "not known", prose(f"{pair.headline}: {pair.reason}")))
    found = pair.pairs(_MOST_LINES, alike=len(pair.change.servers) > _MOST_LINES)
    lines = [_server(pair, line, first=not at) for at, line in enumerate(found)]
    return "".join(lines) or row((code(pair.name), "", "", "", prose(pair.headline), ""))


def _server(pair: PoolPair, line: Pair, *, first: bool) -> str:
    name = code(line.label)
    words = [number(line.aside)] if line.aside else []
    if line.after is not None and mark(line.after):
        words.append(number(mark(line.after)))
    head = f"{code(pair.name)} {prose(pair.headline)}" if first else ""
    shown = line.after or line.before
    blocks = "" if shown is None else f"{_blocks(line.before, shown)} → {_blocks(line.after, shown)}"
    return row((head, name, _share(line.before), _share(line.after), ", ".join(words), blocks))


def _share(side: Row | None) -> str:
    return "–" if side is None else number(side.amount)


def _blocks(side: Row | None, shown: Row) -> str:
    return bar(0.0 if side is None else side.high, full_scale(shown.fair_each))

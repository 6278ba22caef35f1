"""`lbcheck diff` at a terminal: before and after as two bars in one line, what moved most first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.diff_sections import digest
from lbcheck.report.pictures.pairs import headline
from lbcheck.report.pictures.rows import full_scale, mark
from lbcheck.report.pictures.terminal import bar, columns_width, padded, printed, styled, unread, width_of
from lbcheck.report.pictures.words import cut, named, told
from lbcheck.traffic.outcome import UNKNOWN
from lbcheck.wording import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.changes.outcome import Changes, NotUnderstood
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.diff_sections import DiffDigest, DiffSection
    from lbcheck.report.pictures.pairs import Pair, PoolPair
    from lbcheck.report.pictures.rows import Row
    from lbcheck.results import Finding

MOST_POOLS = 12
_MOST_LINES = 8
_MOST_FINDINGS = 8
_SERVER, _SHARE = (8, 24), (6, 14)
_ASIDE, _MARK = (6, 18), (0, 20)
_BARS = (6, 24)


class _Widths(NamedTuple):
    server: int
    bar: int
    share: int
    aside: int
    total: int


def render(changes: Changes, options: Options) -> str:
    """Return what moved, the findings that come and go, and the summary as the last line."""
    shown = digest(changes, MOST_POOLS)
    lines = {
        pair.at: pair.pairs(_MOST_LINES, alike=True)
        for section in shown.sections
        for pair in section.pairs
        if pair.reason is None
    }
    widths = _widths([line for found in lines.values() for line in found], width_of(options))
    return printed(_lines(changes, shown, lines, widths), options)


def _widths(lines: Sequence[Pair], width: int) -> _Widths:
    rows = [side for line in lines for side in (line.before, line.after) if side is not None]
    server = columns_width((_label(line, _SERVER[1]) for line in lines), *_SERVER)
    share = columns_width((row.amount for row in rows), *_SHARE)
    aside = columns_width((line.aside for line in lines), *_ASIDE)
    marks = columns_width((mark(line.after) for line in lines if line.after is not None), *_MARK)
    free = width - 4 - server - 2 * share - aside - marks - 8
    if free < 2 * _BARS[0]:
        server = max(_SERVER[0], server - (2 * _BARS[0] - free))
        free = width - 4 - server - 2 * share - aside - marks - 8
    return _Widths(server, max(_BARS[0], min(_BARS[1], free // 2)), share, aside, width)


def _label(line: Pair, room: int) -> str:
    """Return a line's name: those of all its servers where they fit."""
    row = line.after or line.before
    names = "" if row is None else ", ".join(row.names)
    return names if row is not None and 1 < row.size == len(row.names) and len(names) <= room else line.label


def _lines(changes: Changes, shown: DiffDigest, lines: dict[int, list[Pair]], widths: _Widths) -> Iterator[Text]:
    for section in shown.sections:
        yield styled(_title(section, widths.total), "strong")
        for pair in section.pairs:
            yield from _pool(pair, lines.get(pair.at, []), widths)
        if section.unchanged:
            names = named([pair.name for pair in section.unchanged], widths.total - 13)
            yield styled(f"  unchanged: {names}", "muted")
        yield Text()
    if shown.left_out:
        yield styled(f"{counted(len(shown.left_out), 'more pool')} moved less", "muted")
    yield from _findings("new", changes.introduced, widths)
    yield from _findings("fixed", changes.fixed, widths)
    for words in shortened(changes.rerouted):
        yield _fitting(styled(f"rerouted: {told(words)}", UNKNOWN), widths)
    for words in shortened([f"{_place(one)}: {told(one.said)}" for one in changes.not_understood]):
        yield _fitting(styled(f"not understood: {words}", UNKNOWN), widths)
    if changes.before.not_checked:
        yield styled(f"not checked before: {counted(len(changes.before.not_checked), 'place')}", "strong")
    if changes.after.not_checked:
        yield from unread(changes.after.not_checked, widths.total, "not checked after")
    yield styled(headline(changes), "strong")


def _place(change: NotUnderstood) -> str:
    return f"{shown_path(change.path)}:{change.line}"


def _title(section: DiffSection, width: int) -> str:
    before, after = section.titles
    words = before if before == after or not after else after if not before else f"{before} → {after}"
    return shown_path(cut(words, width))


def _pool(pair: PoolPair, lines: Sequence[Pair], widths: _Widths) -> Iterator[Text]:
    words = [styled(pair.name, "strong"), styled(pair.headline)]
    if pair.reason is not None:
        words[1] = styled(f"? {pair.headline}: {pair.reason}", UNKNOWN)
    yield _fitting(Text("  ") + Text("  ").join(words), widths)
    for line in lines:
        yield _fitting(_server(line, widths), widths)


def _server(line: Pair, widths: _Widths) -> Text:
    scale = max((full_scale(side.fair_each) for side in (line.before, line.after) if side is not None), default=1.0)
    text = Text("    ") + padded(_label(line, widths.server), widths.server)
    text.append(" ")
    text.append_text(_side(line.before, widths, scale))
    text.append(" → ")
    text.append_text(_side(line.after, widths, scale))
    text.append(" ")
    text.append_text(padded(line.aside, widths.aside, "strong"))
    if line.after is not None:
        text.append(" ")
        text.append_text(styled(mark(line.after), line.after.look))
    return text


def _side(row: Row | None, widths: _Widths, scale: float) -> Text:
    if row is None:
        return Text(" " * widths.bar + " ") + padded("–", widths.share, "muted", right=True)
    drawn = bar(row.high, row.fair_each, widths.bar, row.look, scale)
    return drawn + Text(" ") + padded(row.amount, widths.share, row.look, right=True)


def _fitting(line: Text, widths: _Widths) -> Text:
    line.truncate(widths.total, overflow="ellipsis")
    return line


def _findings(word: str, findings: Sequence[Finding], widths: _Widths) -> Iterator[Text]:
    for found in findings[:_MOST_FINDINGS]:
        look = "good" if word == "fixed" else "hot" if found.severity == "error" else UNKNOWN
        place = f"{shown_path(found.place.path)}:{found.place.line}"
        words = Text.assemble(
            styled(f"{word}: {escape(found.code)} {escape(found.name)}", look), f" {place}: {escape(found.message)}"
        )
        yield _fitting(words, widths)
    if len(findings) > _MOST_FINDINGS:
        yield styled(f"… and {len(findings) - _MOST_FINDINGS:,} more {word}", "muted")

"""What the pictures for a terminal are made of: bars of block characters, columns, and colours where they are allowed.

Nothing depends on colours: every outlier has a sign and a word as well.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.rows import NOBODY, OVERLOADED, full_scale
from lbcheck.report.pictures.words import cut
from lbcheck.traffic.outcome import HOT, STARVED, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lbcheck.report.options import Options
    from lbcheck.results import Note

#: How a line looks, in rich's words; what is not here has the terminal's own colour.
COLORS = {
    OVERLOADED: "bold red",
    HOT: "bold red",
    NOBODY: "bold red",
    STARVED: "bold cyan",
    UNKNOWN: "yellow",
    "muted": "dim",
    "strong": "bold",
    "good": "bold green",
}
#: Narrower than this is no terminal, and wider bars say no more.
_LEAST = 40
_MOST = 200
_EIGHTHS = " ▏▎▍▌▋▊▉"
#: Where a fair share would end, and a bar that is longer than its place.
FAIR_TICK = "┊"
_BROKEN = "▶"
#: So many places that were not understood are named.
_MOST_NOTES = 5


def printed(lines: Iterable[Text], options: Options) -> str:
    """Return the lines as text, with ANSI colours if they are allowed; the environment has no say."""
    stream = StringIO()
    console = Console(
        file=stream,
        width=_MOST * 10,
        height=25,
        color_system="standard" if options.color else None,
        force_terminal=options.color,
        no_color=not options.color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)
    return stream.getvalue()


def width_of(options: Options) -> int:
    """Return how many columns there are."""
    return max(_LEAST, min(_MOST, options.width))


def styled(text: str, look: str = "") -> Text:
    """Return text in the colour of a look."""
    return Text(text, style=COLORS.get(look, ""))


def padded(text: str, width: int, look: str = "", *, right: bool = False) -> Text:
    """Return text in exactly so many columns."""
    text = cut(text, width)
    blank = " " * max(0, width - cell_len(text))
    return styled(blank + text if right else text + blank, look)


def bar(share: float | None, fair: float | None, width: int, look: str = "", scale: float | None = None) -> Text:
    """Return a bar of one server's share, with a tick where its fair share ends.

    The whole width stands for `scale`; a bar that is longer is broken.
    """
    if share is None:
        return styled("?".ljust(width), UNKNOWN)
    whole = scale or full_scale(fair)
    eighths = round(share / whole * width * 8)
    if eighths > width * 8:
        return styled("█" * (width - 1) + _BROKEN, look)
    if share > 0:
        eighths = max(1, eighths)
    blocks = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    text = styled(blocks, look)
    tick = None if not fair else min(width - 1, round(fair / whole * width))
    if tick is not None and tick > len(blocks):
        text.append(" " * (tick - len(blocks)))
        text.append(FAIR_TICK, style=COLORS["muted"])
    text.append(" " * (width - len(text)))
    return text


def unread(notes: Sequence[Note], width: int, heading: str = "not checked") -> Iterator[Text]:
    """Say what was not understood or may not be read, of so much the first places only."""
    yield styled(f"{heading}: {counted(len(notes), 'place')}", "strong")
    for note in notes[:_MOST_NOTES]:
        yield Text(cut(f"  {shown_path(note.place.path)}:{note.place.line}: {escape(note.message)}", width))
    if len(notes) > _MOST_NOTES:
        yield Text(f"  … and {len(notes) - _MOST_NOTES:,} more; --output-format json lists all")


def columns_width(texts: Iterable[str], least: int, most: int) -> int:
    """Return a column's width for these texts, between two limits."""
    return max(least, min(most, max(map(cell_len, texts), default=0)))

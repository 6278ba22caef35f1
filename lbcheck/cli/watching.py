"""What a rehearsal shows while it runs: how far it is, and bars of who has answered how often. People only see it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from lbcheck.rehearsal.progress import Step

#: So many servers have bars; there may be thousands.
_MOST = 12
_BAR, _NAME = 40, 28


@contextmanager
def watched() -> Iterator[Callable[[Step], None]]:
    """Show steps on standard error as long as the context lasts, where that is a terminal; then wipe them away.

    rich keeps to what the terminal can do.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.live import Live

    plain = bool(os.environ.get("NO_COLOR"))
    console = Console(stderr=True, color_system=None if plain else "auto", highlight=False, markup=False, emoji=False)
    with Live(console=console, transient=True, refresh_per_second=8) as live:
        yield lambda step: live.update(shown(step))


def shown(step: Step) -> RenderableType:
    """Return a step as lines for a terminal."""
    from rich.console import Group

    from lbcheck.report.escape import escape, shown_path
    from lbcheck.report.pictures.terminal import bar, padded, styled
    from lbcheck.report.pictures.words import cut

    words = [step.stage, cut(shown_path(step.config), 60), escape(cut(step.pool, _NAME))]
    if step.losses:
        words.append(f"({step.over} of {step.losses} losses)")
    lines = [styled(" ".join(filter(None, words)), "strong")]
    total = sum(count for _, count in step.servers)
    for name, count in step.servers[:_MOST]:
        line = styled("  ").append_text(padded(escape(name), _NAME)).append(" ")
        line.append_text(bar(count / total if total else 0.0, None, _BAR)).append(f" {count:,}")
        lines.append(line)
    return Group(*lines)

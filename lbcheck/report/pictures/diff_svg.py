"""`lbcheck diff --output-format svg`: before and after as a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.diff_layout import draw
from lbcheck.report.pictures.svg import document

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes
    from lbcheck.report.options import Options

#: Pixels: two sides of a page's width.
WIDTH = 1180.0


def render(changes: Changes, options: Options) -> str:
    """Return the drawing of the pools that moved most."""
    del options
    return document(draw(changes, WIDTH))

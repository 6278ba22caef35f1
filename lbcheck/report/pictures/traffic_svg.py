"""`lbcheck traffic --output-format svg`: the drawing as a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.layout import draw
from lbcheck.report.pictures.svg import document

if TYPE_CHECKING:
    from lbcheck.report.options import Options
    from lbcheck.traffic.outcome import Traffic

#: Pixels; as wide as a page on a code host, so that the text stays readable there.
WIDTH = 980.0


def render(traffic: Traffic, options: Options) -> str:
    """Return the drawing of the worst pools."""
    del options
    return document(draw(traffic, WIDTH))

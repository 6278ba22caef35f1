"""A drawing as SVG: shapes with classes, every text escaped, no script, no reference to anything outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.escape import escape
from lbcheck.report.pictures.style import drawing_css

if TYPE_CHECKING:
    from lbcheck.report.pictures.shapes import Band, Box, Drawing, Label, Link

#: A band thinner than this gets an outline, or nobody would see it.
_THIN = 1.0
#: A drawing that is opened alone shrinks to its window.
_FIT = "svg.lb{max-width:100%;height:auto}"
#: A bar that stands for many servers has at most so many stripes, each at least so many pixels high.
_STRIPES = 40
_STRIPE = 3.0


def document(drawing: Drawing) -> str:
    """Return a file of its own, with its style sheet and its background."""
    return f"{_element(drawing, 'lb', style=f'<style>{_FIT}{drawing_css()}</style>', sized=True)}\n"


def inline(drawing: Drawing, prefix: str) -> str:
    """Return an element for a page that has the style sheet; `prefix` keeps its ids apart from other drawings'."""
    return _element(drawing, prefix, style="", sized=False)


def _element(drawing: Drawing, prefix: str, *, style: str, sized: bool) -> str:
    size = f"{_number(drawing.width)} {_number(drawing.height)}"
    measures = f' width="{_number(drawing.width)}" height="{_number(drawing.height)}"' if sized else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lb" viewBox="0 0 {size}"{measures} role="img" '
        f'aria-labelledby="{prefix}-title">'
    )
    ground = f'<rect class="ground" width="{_number(drawing.width)}" height="{_number(drawing.height)}"/>'
    parts = [
        head,
        f'<title id="{prefix}-title">{xml(drawing.title)}</title>',
        style,
        _patterns(prefix),
        ground if sized else "",
        *map(_band, drawing.bands),
        *map(_link, drawing.links),
        *(_box(box, prefix) for box in drawing.boxes),
        *map(_label, drawing.labels),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _patterns(prefix: str) -> str:
    return (
        f'<defs><pattern id="{prefix}-unknown" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="hatching" d="M0 0V8"/></pattern>'
        f'<pattern id="{prefix}-nobody" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(-45)"><path class="crossing" d="M0 0V6"/></pattern></defs>'
    )


def _band(band: Band) -> str:
    middle = (band.x0 + band.x1) / 2
    x0, x1, control = _number(band.x0), _number(band.x1), _number(middle)
    y0, y1 = _number(band.y0), _number(band.y1)
    low0, low1 = _number(band.y0 + band.width), _number(band.y1 + band.width)
    path = f"M{x0} {y0}C{control} {y0} {control} {y1} {x1} {y1}V{low1}C{control} {low1} {control} {low0} {x0} {low0}Z"
    thin = " thin" if band.width < _THIN else ""
    look = "overloaded" if band.look == "nobody" else band.look
    return f'<path class="band {look}{thin}" d="{path}">{_title(band.title)}</path>'


def _link(link: Link) -> str:
    middle = _number((link.x0 + link.x1) / 2)
    x0, y0, x1, y1 = map(_number, (link.x0, link.y0, link.x1, link.y1))
    return f'<path class="link" d="M{x0} {y0}C{middle} {y0} {middle} {y1} {x1} {y1}">{_title(link.title)}</path>'


def _box(box: Box, prefix: str) -> str:
    if not box.width:
        return f'<path class="{box.look}" d="M{_number(box.x)} {_number(box.y)}v{_number(box.height)}"/>'
    place = f'x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" height="{_number(box.height)}"'
    fill = f' fill="url(#{prefix}-{box.look})"' if box.look in ("unknown", "nobody") else ""
    round_ = ' rx="1.5"' if min(box.width, box.height) > 4 else ""
    return f'<rect class="{box.look}" {place}{round_}{fill}>{_title(box.title)}</rect>{_stripes(box)}'


def _stripes(box: Box) -> str:
    """Return lines across a bar that stands for many: it is a bundle, not one large server."""
    number = min(box.stripes, _STRIPES, int(box.height / _STRIPE))
    if number < 2:
        return ""
    step = box.height / number
    x0, x1 = _number(box.x), _number(box.x + box.width)
    lines = "".join(f"M{x0} {_number(box.y + step * at)}H{x1}" for at in range(1, number))
    return f'<path class="stripe" d="{lines}"/>'


def _label(label: Label) -> str:
    classes = " ".join(word for word in (label.style, label.look, label.anchor.replace("start", "")) if word)
    return f'<text x="{_number(label.x)}" y="{_number(label.y)}" class="{classes}">{xml(label.text)}</text>'


def _title(text: str) -> str:
    return f"<title>{xml(text)}</title>" if text else ""


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "-0") if value else "0"


def xml(text: str) -> str:
    """Return text for XML content and attributes, without any character that XML forbids."""
    text = escape(text)
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, name)
    return text

"""Colours and type of drawings and pages, light and dark.

Red-orange and blue differ for every kind of colour vision and in lightness; what is fair stays grey, so that nothing
competes with an outlier. Plain classes instead of CSS variables: more programs that show SVG understand them.
"""

from __future__ import annotations

SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','Liberation Sans',sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace"

LIGHT = {
    "ground": "#ffffff",
    "text": "#1b1f24",
    "muted": "#57606a",
    "pool": "#424a53",
    "flow": "#b6bfc9",
    "fair": "#8d97a2",
    "hot": "#cf3f0e",
    "starved": "#0a66c2",
    "overloaded": "#b0003a",
    "hatch": "#a3adb8",
    "band": ".5",
}
DARK = {
    "ground": "#0d1117",
    "text": "#e6edf3",
    "muted": "#9aa4af",
    "pool": "#c3ccd5",
    "flow": "#4a535e",
    "fair": "#7b8590",
    "hot": "#ff7d47",
    "starved": "#5aa9ff",
    "overloaded": "#ff5d8f",
    "hatch": "#59636e",
    "band": ".62",
}

_RULES = """
.lb text{{fill:{text}}}
.lb .muted{{fill:{muted}}}
.lb .ground{{fill:{ground}}}
.lb .fair,.lb .band.fair{{fill:{fair}}}
.lb .hot{{fill:{hot}}}
.lb .starved{{fill:{starved}}}
.lb .overloaded{{fill:{overloaded}}}
.lb text.nobody{{fill:{overloaded}}}
.lb text.fair,.lb text.idle,.lb text.moved{{fill:{text}}}
.lb .flow{{fill:{flow}}}
.lb .pool,.lb .sink{{fill:{pool}}}
.lb text.pool{{fill:{text}}}
.lb .rail{{fill:{ground};stroke:{muted}}}
.lb rect.idle,.lb .absent{{stroke:{fair}}}
.lb .link{{stroke:{muted}}}
.lb .hatching{{stroke:{hatch}}}
.lb rect.unknown{{stroke:{hatch}}}
.lb .crossing{{stroke:{overloaded}}}
.lb rect.nobody{{stroke:{overloaded}}}
.lb .fair-within,.lb .stripe{{stroke:{ground}}}
.lb .fair-around{{stroke:{starved}}}
.lb .fair-line,.lb .divider{{stroke:{muted}}}
.lb .band{{opacity:{band}}}
.lb .halo{{stroke:{ground}}}
.lb .thin.hot{{stroke:{hot}}}.lb .thin.starved{{stroke:{starved}}}.lb .thin.fair{{stroke:{fair}}}
"""

_SHAPES = """
.lb text{font-family:SANS;font-size:12px}
.lb .title{font-size:20px;font-weight:650}
.lb .lead{font-size:14px}
.lb .path,.lb .name{font-family:MONO;font-size:12.5px}
.lb text.pool{font-family:MONO;font-size:14px;font-weight:700}
.lb .share{font-size:13px;font-weight:700;font-variant-numeric:tabular-nums}
.lb .mark{font-weight:650}
.lb .strong{font-weight:650}
.lb .question{font-size:26px;font-weight:700}
.lb .end{text-anchor:end}
.lb .middle{text-anchor:middle}
.lb .band.flow{opacity:.7}
.lb .thin{stroke-width:.9}
.lb .link{fill:none;stroke-width:1.6;stroke-dasharray:2 4;stroke-linecap:round}
.lb .hatching,.lb .crossing{stroke-width:2.5}
.lb .rail{stroke-width:1.2;stroke-dasharray:3 3}
.lb rect.idle,.lb .absent,.lb .fair-within,.lb .fair-around{fill:none;stroke-width:1.4}
.lb .divider{stroke-width:.6}
.lb .fair-line{stroke-width:1;stroke-dasharray:1.5 3}
.lb .absent,.lb .fair-within,.lb .fair-around{stroke-dasharray:3 2.5}
.lb text.idle,.lb text.fair{stroke:none}
.lb .halo{paint-order:stroke;stroke-width:3.5px;stroke-linejoin:round}
"""


def drawing_css() -> str:
    """Return the style sheet of drawings, which follows the reader's choice of light or dark."""
    dark = _RULES.format(**DARK)
    shapes = _SHAPES.replace("SANS", SANS).replace("MONO", MONO)
    return f"{shapes}{_RULES.format(**LIGHT)}@media(prefers-color-scheme:dark){{{dark}}}".replace("\n", "")

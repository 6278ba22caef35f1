"""The style sheet of pages: that of the drawings, and plain tables around them, light and dark."""

from __future__ import annotations

from lbcheck.report.pictures.style import DARK, LIGHT, MONO, SANS, drawing_css

_SHAPES = """
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;font:15px/1.5 SANS}
main{max-width:1240px;margin:0 auto;padding:24px clamp(12px,3vw,40px) 48px}
h1{font-size:26px;line-height:1.2;margin:0 0 6px}
h2{font-size:18px;margin:36px 0 10px}
p{margin:6px 0}
.lead{font-size:17px;margin:0 0 18px}
figure{margin:0;border-radius:10px;overflow:hidden}
figure svg{display:block;width:100%;height:auto}
figure.narrow{display:none}
figure.narrow svg{max-width:520px}
details{border-radius:8px;margin:8px 0;padding:0 14px;border:1px solid}
summary{cursor:pointer;padding:9px 0;overflow-wrap:anywhere}
details[open]{padding-bottom:12px}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:4px 0 10px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;font-weight:400;overflow-wrap:anywhere}
thead th{font-size:13px;padding-bottom:3px}
tbody tr{border-top:1px solid}
.name,.place{font-family:MONO;font-size:13.5px}
summary .name{font-weight:700;margin-right:6px}
.detail{font-size:13px;overflow-wrap:anywhere}
th .detail,td .detail{display:block}
.number{font-weight:700;font-variant-numeric:tabular-nums}
.bar{display:block;width:100%;max-width:260px;height:9px;margin:4px 0 3px;border-radius:2px}
.tick{stroke-width:1.5px;vector-effect:non-scaling-stroke}
.findings{list-style:none;margin:0;padding:0}
.findings li{padding:8px 0 8px 12px;border-left:4px solid;margin:8px 0;overflow-wrap:anywhere}
span.hot,span.starved,span.overloaded,span.nobody{font-weight:650}
footer{margin-top:40px;font-size:13px}
@media(max-width:760px){
figure.wide{display:none}
figure.narrow{display:block}
h1{font-size:22px}
.lead{font-size:15.5px}
th,td{padding-right:8px}
}
@media print{details>*{display:block}}
"""
_RULES = """
body{{background:{page};color:{text}}}
figure,details{{background:{ground}}}
details,tbody tr{{border-color:{line}}}
.lead,.detail,thead th,footer,.place{{color:{muted}}}
a{{color:{starved}}}
span.hot,.findings .hot{{color:{hot}}}
span.starved{{color:{starved}}}
span.overloaded,span.nobody{{color:{overloaded}}}
.findings li{{border-color:{fair};color:{text}}}
.findings li.error{{border-color:{overloaded}}}
.findings li.warning{{border-color:{hot}}}
.findings li.fixed{{border-color:{good}}}
.bar .room{{fill:{line}}}
.bar .fair,.bar .idle{{fill:{fair}}}
.bar .hot{{fill:{hot}}}
.bar .starved{{fill:{starved}}}
.bar .overloaded,.bar .nobody{{fill:{overloaded}}}
.bar .unknown{{fill:none}}
.tick{{stroke:{text}}}
"""
_LIGHT = {**LIGHT, "page": "#f4f6f8", "line": "#dde2e7", "good": "#1a7f5a"}
_DARK = {**DARK, "page": "#060a0f", "line": "#262d36", "good": "#4cc38a"}


def page_css() -> str:
    """Return the style sheet of a page and its drawings, which follows the reader's choice of light or dark."""
    shapes = _SHAPES.replace("SANS", SANS).replace("MONO", MONO)
    dark = _RULES.format(**_DARK)
    css = f"{shapes}{_RULES.format(**_LIGHT)}@media(prefers-color-scheme:dark){{{dark}}}".replace("\n", "")
    return css + drawing_css()

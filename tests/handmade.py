"""Configs made by hand, for tests of what comes after reading."""

from __future__ import annotations

from lbcheck.findings import Hit
from lbcheck.model import Config
from lbcheck.text import Source


def config(text, *hits, path="nginx.conf", dialect="nginx"):
    """Return a config of one file with hits as (code, the text they are about, further arguments of Hit)."""
    source = Source(path, text)
    made = Config(dialect, path, [source])
    made.hits = [hit(source, *one) for one in hits]
    return made


def hit(source, code, about, **more):
    start = source.text.index(about)
    args = more.pop("args", {"problem": f"{about} is wrong", "advice": "mend it"})
    return Hit(code, source.span(start, start + len(about)), args, **more)

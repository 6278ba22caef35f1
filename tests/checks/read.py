"""Findings of one check on a text, through the dialect's own reader."""

from __future__ import annotations

from lbcheck.checks import CHECKS
from lbcheck.context import Context
from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles

DEFAULTS = "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"


def config(name, text):
    """Read a text as one config of this dialect."""
    return dialect(name).read(["a.cfg"], DiskFiles(["/nonexistent"], memory={"a.cfg": text}))[0]


def found(code, name, text, **context):
    """Return the hits of this rule's checks, neutral ones and the dialect's own."""
    made = config(name, text)
    tables = (CHECKS, dialect(name).CHECKS)
    return [hit for table in tables if code in table for hit in table[code](made, Context(**context))]


def said(code, name, text, **context):
    """Return (line, severity or "") of each hit."""
    return [(hit.span.line, hit.severity or "") for hit in found(code, name, text, **context)]


def backend(*lines, defaults=DEFAULTS, before=""):
    """A HAProxy config with one backend `app` of these lines; they begin at line 6 of it where nothing is before."""
    return before + defaults + "backend app\n" + "".join(f"  {line}\n" for line in lines)


def severities(code, *lines, **more):
    """Return the severities of the rule's hits on a backend of these lines; "" is the rule's own."""
    return [severity for _, severity in said(code, "haproxy", backend(*lines, **more))]

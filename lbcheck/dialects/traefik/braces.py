"""Rules of version 2 that version 3 takes and never matches: `{name:pattern}` is text there (pkg/muxer/http)."""

from __future__ import annotations

from lbcheck.dialects.traefikrules.expressions import Call, Either, Expression
from lbcheck.patterns import pattern

PROBLEM = "what its rule has in braces is a pattern in version 2, and text that no request has in version 3"
ADVICE = r"write a regular expression without them, such as HostRegexp(`^[a-z]+\.example\.com$`), or ruleSyntax: v2"
#: Matchers whose arguments are such templates in version 2.
_TEMPLATES = frozenset({"HostRegexp", "Path", "PathPrefix"})
#: A template, and neither a class of characters (`\p{Greek}`, `\x{41}`) nor a gap that a script fills (`${NAME}`).
_TEMPLATE = pattern(r"(?<!\$)(?<!\{)(?<!\\[pPx])\{[A-Za-z_][\w-]*(?::[^{}]*(?:\{[0-9,]+\}[^{}]*)*)?\}")


def never(expression: Expression) -> Call | None:
    """Return the matcher that keeps a rule from ever matching in version 3, if there is one."""
    if isinstance(expression, Call):
        found = (
            expression.name in _TEMPLATES
            and not expression.negated
            and any(map(_TEMPLATE.search, expression.arguments))
        )
        return expression if found else None
    parts = [never(part) for part in expression.parts]
    if isinstance(expression, Either) and None in parts:
        return None
    return next((part for part in parts if part is not None), None)

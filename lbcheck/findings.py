"""What a check says: a Hit is bare facts with a place; the catalogue gives the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lbcheck.text import Span

ERROR = "error"
WARNING = "warning"
INFO = "info"

#: Severities from worst to mildest; a smaller index is worse.
SEVERITIES = (ERROR, WARNING, INFO)

#: How a reason ends that is about a whole file which another one names.
UNREAD = "was not read"


def at_least(severity: str, threshold: str) -> bool:
    """Say whether `severity` is as bad as `threshold` or worse."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(threshold)


class Related:
    """Another place that explains a finding."""

    __slots__ = ("message", "span")

    def __init__(self, span: Span, message: str) -> None:
        self.span = span
        self.message = message


class Edit:
    """Replace the text of `span` by `text`; an empty range inserts."""

    __slots__ = ("span", "text")

    def __init__(self, span: Span, text: str) -> None:
        self.span = span
        self.text = text


class Fix:
    """A change that mends a finding. Only a `safe` one keeps each server's share and behaviour as they are."""

    __slots__ = ("edits", "safe", "title")

    def __init__(self, title: str, edits: Sequence[Edit], *, safe: bool = False) -> None:
        self.title = title
        self.edits = tuple(edits)
        self.safe = safe


class Hit:
    """A check's raw result.

    `args` fill the placeholders of the rule's message and help. `severity` overrides the rule's own where the
    catalogue gives a condition two degrees. `frontend`, `route`, `pool` and `server` name the subject; with the
    code they identify the finding across line shifts, and the pool is what "one root cause, one finding" joins on.
    """

    __slots__ = ("args", "code", "fix", "frontend", "pool", "related", "route", "server", "severity", "span")

    def __init__(
        self,
        code: str,
        span: Span,
        args: Mapping[str, object] | None = None,
        *,
        severity: str | None = None,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
        frontend: str | None = None,
        route: str | None = None,
        pool: str | None = None,
        server: str | None = None,
    ) -> None:
        self.code = code
        self.span = span
        self.args = args or {}
        self.severity = severity
        self.related = related
        self.fix = fix
        self.frontend = frontend
        self.route = route
        self.pool = pool
        self.server = server

    def __repr__(self) -> str:
        return f"Hit({self.code}, {self.span!r}, {self.args!r})"


class NotChecked:
    """A place that lbcheck did not understand or was not allowed to read, and why: silence about it is no praise."""

    __slots__ = ("reason", "span")

    def __init__(self, span: Span, reason: str) -> None:
        self.span = span
        self.reason = reason

    def __repr__(self) -> str:
        return f"NotChecked({self.span!r}, {self.reason!r})"

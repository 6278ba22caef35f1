"""What a stub has to answer to a health check for its server to be taken for healthy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.samples import matching

if TYPE_CHECKING:
    from lbcheck.model import HealthCheck

#: Words of HAProxy's `http-check expect` that stand before the condition, each with a value.
_BEFORE = frozenset({"min-recv", "comment", "ok-status", "error-status", "tout-status", "on-success", "on-error"})
_FIRST_STATUS = re.compile(r"(\d{3})(?:-(\d{3}))?")


def healthy(check: HealthCheck) -> tuple[int, str]:
    """Return the status and the text of an HTTP answer that passes the check; (200, "") where any will do.

    `http-check expect status 204`, `string OK`, `rstring ^up`; nginx Plus and native: a status, or a class like 2xx.
    """
    how, value = _condition("" if check.expect is None else check.expect.value)
    if how == "status":
        found = _FIRST_STATUS.match(value)
        if found is None or int(found[1]) <= 200 <= int(found[2] or found[1]):
            return 200, ""
        return int(found[1]), ""
    if how == "rstatus":
        status = next((one for one in (200, 204, 301, 302, 401, 404, 500, 503) if _found(value, str(one))), 200)
        return status, ""
    if how == "string":
        return 200, value
    return 200, (matching(value) or "") if how == "rstring" else ""


def _condition(text: str) -> tuple[str, str]:
    words = text.split(" ")
    while len(words) > 2 and words[0] in _BEFORE:
        del words[:2]
    if words[0] == "!":
        return "", ""
    return ("status", words[0]) if len(words) == 1 else (words[0], " ".join(words[1:]))


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False

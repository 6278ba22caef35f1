"""Doors through which the proxy can be watched or steered while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, WARNING, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config

_WHAT = {
    "stats": "the statistics page",
    "socket": "the command socket",
    "api": "the API",
    "status": "the status page",
}


def admin_exposed(config: Config, _context: Context) -> Iterator[Hit]:
    """O01: anyone who reaches the port can watch the proxy or take servers out of it."""
    for admin in config.admins:
        # `protected` is None where it is not known who may come in: that is no finding.
        if admin.protected or admin.protected is None or (admin.address is not None and admin.address.loopback):
            continue
        where = f" on {admin.address.text}" if admin.address is not None else ""
        args = {
            "what": _WHAT.get(admin.kind, admin.kind),
            "where": where,
            "effect": "drain servers and change weights" if admin.writable else "read the servers' names and load",
        }
        yield Hit("O01", admin.span, args, severity=ERROR if admin.writable else WARNING)

"""Servers that a command line names: they have to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.cli.output import fail

if TYPE_CHECKING:
    from collections.abc import Sequence


def must_be_there(servers: Sequence[tuple[str, str, str]], names: Sequence[str]) -> None:
    """Refuse a loss of something that no config has: an empty answer would pass for good news.

    `servers` are (pool, name, address).
    """
    from lbcheck.traffic.outcome import loses

    for wanted in names:
        if not any(loses(pool, name, address, wanted) for pool, name, address in servers):
            fail(f"--lose {wanted}: no server has this name or address{_meant(wanted, [one[1] for one in servers])}")


def _meant(name: str, known: list[str]) -> str:
    from lbcheck.spelling import closest

    near = closest(name, known)
    return f"; did you mean {near}?" if near else ""

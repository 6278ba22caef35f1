"""What HAProxy makes of its servers' health checks, as its statistics tell (management.txt, "show stat")."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Where it is asked, and the line of a global section that makes it listen there.
PLACE = "/run/lbcheck-stats.sock"
LISTENS = f"    stats socket {PLACE} mode 600 level user\n"
#: Values of check_status: of a server that was not checked yet, and of one that has passed.
_NOT_YET = frozenset({"", "INI", "UNK"})
_PASSED = frozenset({"L4OK", "L6OK", "L7OK", "L7OKC", "PROCOK"})
#: How long an answer may take, in seconds.
_PATIENCE = 5.0


class Standing(NamedTuple):
    """A server's `status` (UP, DOWN, MAINT, "no check", …), and the status of its last `check`, "" without one."""

    status: str
    check: str

    @property
    def passed(self) -> bool:
        """Whether it takes requests, and its last check, if it has any, has gone well."""
        return self.status.startswith("UP") and (not self.check or self.check in _PASSED)

    def __str__(self) -> str:
        return "none has ended yet" if self.check in _NOT_YET else f"the last one said {self.check}"


async def standings(path: str = PLACE) -> dict[str, Standing]:
    """Return how each server, as POOL/NAME, stands; {} where HAProxy does not tell."""
    try:
        return read(await asyncio.wait_for(_asked(path), _PATIENCE))
    except (OSError, TimeoutError):
        return {}


async def _asked(path: str) -> str:
    reader, writer = await asyncio.open_unix_connection(path)
    with closing(writer):
        writer.write(b"show stat\n")
        return (await reader.read()).decode("utf-8", "backslashreplace")


def read(text: str) -> dict[str, Standing]:
    """Return how each server stands, from HAProxy's table. While a check is under way, "* " is before the last one."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
    return {
        f"{row['pxname']}/{row['svname']}": Standing(row["status"], row["check_status"].removeprefix("* "))
        for row in rows
        if row["svname"] not in {"FRONTEND", "BACKEND"}
    }


def unpassed(names: Collection[str], found: Mapping[str, Standing]) -> str | None:
    """Return in words why one of these servers cannot be lost yet: no check of it has passed. None where all have."""
    for name in names:
        standing = found.get(name)
        if standing is None or not standing.passed:
            return f"no check of {name} passes here: {'HAProxy does not tell' if standing is None else standing}"
    return None

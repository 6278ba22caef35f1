"""Entries of the settings that speak of machines and demand, and match nothing that was read: misspelt, or stale.

One settings file serves many configs, so an entry that matches nothing in a run over a part of them is no news. It is
one in a run over everything below the settings' folder.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.declared import UNSURE
from lbcheck.results import Note, Place, Unmatched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lbcheck.declared import Key
    from lbcheck.project import Request
    from lbcheck.settings import Settings


def unmatched(settings: Settings, matched: Collection[Key]) -> list[Unmatched]:
    """Return the entries that no config of a run had any use for; `matched` are those that one had."""
    path = os.path.relpath(settings.path) if settings.path is not None else ""
    return [
        Unmatched(entry, value, problem, path, _line(settings.text, entry, at, value))
        for entry, at, value, problem in _entries(settings, matched)
    ]


def _entries(settings: Settings, matched: Collection[Key]) -> Iterator[tuple[str, int, str, str]]:
    """Yield (table, place in it, what it names, what is wrong) of each entry without a match."""
    servers = [("capacity", at, limit.match) for at, limit in enumerate(settings.capacities)]
    servers += [("zone", at, zone.match) for at, zone in enumerate(settings.zones)]
    for entry, at, match in servers:
        if (entry, at) not in matched:
            yield entry, at, match, "no server of what was read has this name or address"
    for at, demand in enumerate(settings.demands):
        if ("demand", at) in matched:
            continue
        if ("frontend", at) in matched and demand.route is not None:
            yield "demand", at, f"{demand.frontend}, route {demand.route}", "the frontend has no such route"
        else:
            yield "demand", at, demand.frontend, "no frontend of what was read has this name or host"
    for at, host in enumerate(settings.hosts):
        if ("hosts", host) not in matched:
            yield "hosts", at, host, "no server of what was read has this host name"


def notes(settings: Settings, request: Request, matched: Collection[Key]) -> list[Note]:
    """Return the entries without a match as places that were not checked, where the run saw all they can be for."""
    if UNSURE in matched or not _whole(settings, request):
        return []
    return [
        Note(Place(one.path, one.line, 1, one.line, 1, 0, 0, ""), one.words) for one in unmatched(settings, matched)
    ]


def _whole(settings: Settings, request: Request) -> bool:
    """Say whether a run looks at everything below the settings' folder."""
    if settings.path is None or request.changed:
        return False
    folder = os.path.realpath(os.path.dirname(settings.path))
    paths = [os.path.realpath(path) for path in request.paths if path != "-" and os.path.isdir(path)]
    return any(os.path.commonpath([path, folder]) == path for path in paths)


def _line(text: str, entry: str, at: int, value: str) -> int:
    """Return the line in which an entry begins, 1 where it is written in a way that does not show it."""
    name = re.escape(entry)
    if entry == "hosts":
        heads = list(re.finditer(rf"^[ \t]*[\"']?{re.escape(value)}[\"']?[ \t]*=", text, re.MULTILINE | re.IGNORECASE))
        at = 0
    else:
        heads = list(re.finditer(rf"^[ \t]*\[\[[ \t]*(?:tool\.lbcheck\.)?{name}[ \t]*\]\]", text, re.MULTILINE))
    return text.count("\n", 0, heads[at].start()) + 1 if at < len(heads) else 1

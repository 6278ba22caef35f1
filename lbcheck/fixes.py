"""Applying fixes: which go together, the new texts, their difference, and writing them so that nothing is lost."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left, insort
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lbcheck.results import Change

    #: (path, start, end, text): replace [start, end) of the path's text, offsets in code points.
    Edit = tuple[str, int, int, str]


class NotWrittenError(Exception):
    """A file that was left as it is, with the reason in one line."""


def compatible(changes: Iterable[Change], *, unsafe: bool = False) -> list[Change]:
    """Return the changes that can be applied together, the earlier of two that overlap.

    A change is applied whole or not at all. An edit that an earlier change makes too is no conflict: two findings
    may ask for the same. Changes that are not safe are left out unless `unsafe` says otherwise.
    """
    chosen: list[Change] = []
    known: set[Edit] = set()
    taken: dict[str, list[tuple[int, int]]] = {}
    for change in changes:
        fresh = sorted(set(change.edits) - known)
        if not (change.safe or unsafe) or _clash(fresh, taken):
            continue
        for path, start, end, _ in fresh:
            insort(taken.setdefault(path, []), (start, end))
        known.update(fresh)
        chosen.append(change)
    return chosen


def _clash(edits: list[Edit], taken: Mapping[str, list[tuple[int, int]]]) -> bool:
    """Say whether one of these edits, in order, overlaps the next, or a range that is taken.

    Ranges that are taken are in order and apart, so that only the two neighbours of an edit can touch it.
    """
    if any(one[0] == other[0] and _overlap(one[1:3], other[1:3]) for one, other in pairwise(edits)):
        return True
    for path, start, end, _ in edits:
        ranges = taken.get(path, [])
        at = bisect_left(ranges, (start, end))
        if any(_overlap((start, end), other) for other in ranges[max(0, at - 1) : at + 1]):
            return True
    return False


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Say whether two edits touch the same text. Two insertions at one place do: their order would be a guess."""
    return one == other or (one[0] < other[1] and other[0] < one[1])


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with edits of one path carried out; all offsets are those of the text that is handed in.

    Equal edits count once. Raises ValueError for an edit that does not fit the text, or that overlaps another.
    """
    ordered = sorted(set(edits), key=lambda edit: (edit[1], edit[2]))
    pieces: list[str] = []
    done = 0
    for number, (_, start, end, new) in enumerate(ordered):
        if not done <= start <= end <= len(text) or (number and _overlap(ordered[number - 1][1:3], (start, end))):
            raise ValueError(f"an edit of [{start}, {end}) does not fit a text of {len(text)} characters")
        pieces += (text[done:start], new)
        done = end
    return "".join([*pieces, text[done:]])


def fixed(texts: Mapping[str, str], changes: Iterable[Change]) -> dict[str, str]:
    """Return the new text of each path that the changes alter.

    Raises KeyError for a path that is not among the texts, ValueError for an edit that does not fit.
    """
    by_path: dict[str, list[Edit]] = {}
    for change in changes:
        for edit in change.edits:
            by_path.setdefault(edit[0], []).append(edit)
    new = {path: apply(texts[path], edits) for path, edits in by_path.items()}
    return {path: text for path, text in new.items() if text != texts[path]}


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the unified diff of the paths in `after`, for a terminal; what `git apply` takes in the usual case.

    Control characters are written out and secrets masked, as everywhere: a patch that touches a line with one
    of them is for reading only.
    """
    return "".join(_file_difference(path, before[path], text) for path, text in after.items())


def _file_difference(path: str, old: str, new: str) -> str:
    from difflib import unified_diff

    from lbcheck.report.escape import escape

    name = escape(path.lstrip("/"))
    lines = list(unified_diff(_shown_lines(path, old), _shown_lines(path, new), f"a/{name}", f"b/{name}"))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _shown_lines(path: str, text: str) -> list[str]:
    """Return the lines of a text as a diff shows them: each with its own line end, and nothing else that acts."""
    from lbcheck.redaction import line_ranges, masked
    from lbcheck.report.escape import shown
    from lbcheck.text import Source

    source = Source(path, text)
    rows = text.split("\n")
    ends = ["\n"] * (len(rows) - 1) + [""]
    lines = []
    for number, (row, end) in enumerate(zip(rows, ends, strict=True), 1):
        body, carriage = (row[:-1], "\r") if end and row.endswith("\r") else (row, "")
        hidden = masked(body, [part for part in line_ranges(source, number) if part[1] <= len(body)])
        forms = "\t".join("".join(shown(part)) for part in hidden.split("\t"))
        lines.append(f"{forms}{carriage}{end}")
    return lines if rows[-1] else lines[:-1]


def write(path: str, text: str, before: str) -> None:
    """Replace a file's content, whole or not at all, keeping its mode and, where allowed, its owner.

    `before` is the text that the fix was made for. Raises NotWrittenError where the path is a symbolic link or no
    regular file, where its content is not `before` any more, or where the folder cannot be written.
    """
    from tempfile import mkstemp

    try:
        data = text.encode("utf-8", "surrogateescape")
        status = _checked(path, before)
        descriptor, temporary = mkstemp(prefix=".lbcheck-", dir=os.path.dirname(path) or ".")
    except (OSError, ValueError) as error:
        raise NotWrittenError(f"{path}: {_reason(error)}") from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _keep_owner(stream.fileno(), status)
            os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        os.unlink(temporary)
        raise NotWrittenError(f"{path}: {_reason(error)}") from None


def _checked(path: str, before: str) -> os.stat_result:
    """Return the state of a file that may be replaced. Raises NotWrittenError, OSError or ValueError."""
    from lbcheck.files import UnreadableError, decode, read_regular

    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        raise NotWrittenError(f"{path}: it is a symbolic link; name the file that it leads to")
    try:
        held = decode(read_regular(path))
    except UnreadableError as error:
        raise NotWrittenError(f"{path}: {error.reason}") from None
    if held != before:
        raise NotWrittenError(f"{path}: it changed while lbcheck was looking at it")
    return status


def _keep_owner(descriptor: int, status: os.stat_result) -> None:
    """Give the new file the old one's owner; only root may, and others then own what they wrote."""
    from contextlib import suppress

    with suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _reason(error: Exception) -> str:
    return (
        (error.strerror or "cannot be written").lower() if isinstance(error, OSError) else "not a usable path or text"
    )

"""Copies of the machine's regular files, bounded in number and size: no pipe, device or socket comes along."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: At most so many files are looked at, of each at most so many bytes are taken, and so many of all.
_MOST, _SIZE, _TOGETHER = 5000, 4 << 20, 64 << 20
#: Not waited for where it is a pipe that nobody writes to.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def file(path: str) -> dict[str, bytes]:
    """Return a regular file by its path, or nothing: where it is not there, is none, or is too large."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return {}
    with open(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _SIZE:
            return {}
        return {path: stream.read(_SIZE)}


def special(folder: str) -> dict[str, bytes]:
    """Return the pipes, devices and sockets below a folder, as empty files.

    Reading a pipe waits for ever, and behind a socket somebody answers.
    """
    return {path: b"" for path, mode, _ in _walk(folder) if not stat.S_ISREG(mode)}


def everything(folder: str) -> dict[str, bytes] | None:
    """Return all regular files below a folder if its owner keeps others from some of them; None where he does not."""
    files = [(path, closed) for path, mode, closed in _walk(folder) if stat.S_ISREG(mode)]
    if not any(closed for _, closed in files):
        return None
    found: dict[str, bytes] = {}
    room = _TOGETHER
    for path, _ in files:
        for content in file(path).values():
            room -= len(content)
            if room >= 0:
                found[path] = content
    return found


def tree(source: str, target: str) -> None:
    """Copy the regular files below a folder into another. Raises OSError."""
    for path, _, _ in _walk(source):
        for content in file(path).values():
            copy = target + path[len(source) :]
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            with open(copy, "wb") as stream:
                stream.write(content)


def _walk(top: str) -> Iterator[tuple[str, int, bool]]:
    """Yield files, no links, with their modes and with whether others are kept from reading them."""
    seen = 0
    try:
        folders = [(top, not os.stat(top).st_mode & stat.S_IXOTH)]
    except OSError:
        return
    while folders:
        folder, closed = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > _MOST:
                return
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and entry.name != ".git":
                folders.append((entry.path, closed or not mode & stat.S_IXOTH))
            elif not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode):
                yield entry.path, mode, closed or not mode & stat.S_IROTH

"""HAProxy in the sandbox: what it is started with, which of its lines are changed, and what it writes to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lbcheck.rehearsal.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.tree import Line, Section
    from lbcheck.model import Config

#: Keyword of the global section → what is written instead, and why.
_CHANGED = {
    "daemon": ("", "lbcheck has to see when HAProxy ends"),
    "master-worker": ("", "one process is enough to see"),
    "user": ("", "the sandbox has one user"),
    "group": ("", "the sandbox has one user"),
    "uid": ("", "the sandbox has one user"),
    "gid": ("", "the sandbox has one user"),
    "chroot": ("", "the sandbox is one already"),
    "nbproc": ("", "one process has one state of balancing, so counts are exact"),
    "nbthread": ("", "one thread has one state of balancing, so counts are exact"),
    "cpu-map": ("", "there is one thread"),
    "ulimit-n": ("", "the sandbox may not raise limits"),
    "stats socket": ("", "its owner does not exist in the sandbox"),
}
#: Loaded before the config: a global section may stand in several files.
_EXTRA = "/run/lbcheck-rehearsal.cfg"
_CODE = ("lua-load", "lua-load-per-thread", "lua-prepend-path", "external-check")


def prepare(config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
    """Return a config's tree made ready, at its own place or in the folder `home`. `trusted`: its code may run."""
    made = Prepared()
    made.folders.update({"/run", "/run/haproxy", "/var/lib/haproxy"})
    for section in config.tree.read.sections:
        for line in section.lines:
            _change(made, section, line)
            for what in () if trusted else _code(section, line):
                made.refused.append(f"{line.source.path}:{line.span.line}: {what}")
    made.files[_EXTRA] = "global\n    nbthread 1\n    no strict-limits\n"
    paths = [_EXTRA]
    for number, source in enumerate(config.files):
        path = os.path.realpath(source.path)
        if home is not None or not os.path.exists(path):
            path = f"{home or '/etc/haproxy'}/haproxy{number}.cfg"
        paths.append(path)
        made.place(source, paths[-1])
    files = tuple(word for path in paths for word in ("-f", path))
    made.check = (binary, "-c", *files)
    made.run = (binary, "-db", *files)
    return made


def _change(made: Prepared, section: Section, line: Line) -> None:
    key = f"{line.words[0]} {line.word(1)}" if line.words[0] == "stats" else line.words[0]
    if section.kind == "global" and key in _CHANGED:
        after, reason = _CHANGED[key]
        made.change(line.source, line.start, line.end, after, reason)
    if line.words[0] == "bind" and (path := line.word(1)).startswith(("/", "unix@/")):
        made.folders.add(os.path.dirname(path.removeprefix("unix@")))


def _code(section: Section, line: Line) -> Iterator[str]:
    if line.words[0].startswith(_CODE) or (line.words[0] == "option" and line.word(1) == "external-check"):
        yield f"{line.words[0]} {line.word(1)} runs code"
    if section.kind == "program" and line.words[0] == "command":
        yield "a program section starts a program"

"""A process that keeps a private folder and plays one script in it: both end with it, and it ends with its maker.

It has a session of its own, so that Ctrl-C does not end it before the folder is gone. The first line on standard output
names the folder; a script is read from standard input, and its events are further lines. When standard input ends, its
maker has: what runs is killed then, and the folder removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from typing import NoReturn

from lbcheck.rehearsal.isolation import namespaces
from lbcheck.rehearsal.isolation.namespaces import NOBODY
from lbcheck.rehearsal.play import inside, script

_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"


def main() -> None:
    """Make the folder, play the script, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    inside.read_encodings()
    folder = os.path.realpath(tempfile.mkdtemp(prefix="lbcheck-"))
    try:
        other = _furnish(folder)
        sys.stdout.write(json.dumps(folder) + "\n")
        sys.stdout.flush()
        line = _read()
        if line:
            _watched(folder, line, somebody_else=other)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read() -> str:
    """Return the script, past all buffers: standard input is watched afterwards. "" where there is none."""
    data = b""
    while not data.endswith(b"\n"):
        more = os.read(0, 1 << 20)
        if not more:
            return ""
        data += more
    return data.decode()


def _furnish(folder: str) -> bool:
    """Make the folders in it, and say whether root plays as nobody, whose they are then.

    Root of a user namespace that has nobody else is an ordinary user outside.
    """
    names = ("config", "run", "run/www")
    for name in names:
        os.mkdir(f"{folder}/{name}", 0o700)
    if os.geteuid() != 0:
        return False
    try:
        os.chown(folder, 0, NOBODY)
    except OSError:
        return False
    os.chmod(folder, 0o710)  # noqa: S103 - his group may enter, and not look around
    for name in names:
        os.chown(f"{folder}/{name}", NOBODY, NOBODY)
    return True


def _watched(folder: str, line: str, *, somebody_else: bool) -> None:
    """Play a script in a process group of its own, until it ends or standard input does."""
    if _LINUX:  # what the player leaves behind becomes ours, so its end can be waited for
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    alive, theirs = os.pipe()
    player = os.fork()
    if not player:
        os.close(alive)
        _play(folder, line, somebody_else=somebody_else)
    with contextlib.suppress(OSError):
        os.setpgid(player, player)
    os.close(theirs)
    try:
        select.select([0, alive], [], [])
    finally:
        with contextlib.suppress(OSError):
            os.killpg(player, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-player, 0)


def _play(folder: str, line: str, *, somebody_else: bool) -> NoReturn:
    """Play a script as an ordinary user, and end."""
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if somebody_else:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        if _LINUX:
            namespaces.die_with_parent()
            namespaces.gain_nothing()
        os.chdir(f"{folder}/run")
        os.umask(0o077)
        play = script.loads(line)
        for path, text in play.files.items():
            with open(path, "xb") as stream:
                stream.write(text.encode("utf-8", "surrogateescape"))
        inside.perform(play, None)
        status = 0
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()

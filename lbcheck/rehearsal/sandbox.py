"""A sandbox of namespaces: private users, network, mounts and processes, gone with the process that made it."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal import script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.rehearsal.script import Script

_PR_SET_PDEATHSIG = 1


class UnusableError(Exception):
    """This machine has no namespaces for us; the text says what is missing."""


def play(what: Script) -> Iterator[dict[str, Any]]:
    """Play a script in a sandbox of its own and yield its events as they come.

    The sandbox ends when the iterator is closed, when this process ends, and when it is killed: unshare(1) dies with
    us (prctl(2) PR_SET_PDEATHSIG), its child with it (--kill-child), and with that one, the first process of a process
    namespace, all others. Raises UnusableError.
    """
    folder = tempfile.mkdtemp(prefix="lbcheck-rehearsal-")
    process = subprocess.Popen(
        [*_unshare(), sys.executable, "-P", "-m", "lbcheck.rehearsal.inside"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        env={**os.environ, "PYTHONPATH": _python_path()},
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call of prctl, no locks are taken
    )  # fmt: skip
    try:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(script.dumps(what._replace(folder=folder, keep=(*what.keep, *_own_folders()))) + "\n")
        process.stdin.close()
        seen = False
        for line in process.stdout:
            seen = True
            yield json.loads(line)
        if not seen:
            process.wait()
            error = process.stderr.read().strip().splitlines() if process.stderr is not None else []
            raise UnusableError(error[-1] if error else "the sandbox ended at once")
    except BrokenPipeError:
        error = process.stderr.read().strip().splitlines() if process.stderr is not None else []
        raise UnusableError(error[-1] if error else "the sandbox did not start") from None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        shutil.rmtree(folder, ignore_errors=True)


def _unshare() -> list[str]:
    binary = shutil.which("unshare")
    if binary is None:
        raise UnusableError("unshare is not installed (util-linux)")
    users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return [binary, *users, "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL",
            "--mount-proc"]  # fmt: skip


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _python_path() -> str:
    return os.pathsep.join(filter(None, [_package_parent(), os.environ.get("PYTHONPATH")]))


def _package_parent() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _own_folders() -> list[str]:
    """Return where this Python and this package lie: they must be seen in the sandbox too."""
    return [sys.prefix, sys.base_prefix, _package_parent()]

"""Run lbcheck as people do, from outside."""

from __future__ import annotations

import os
import subprocess
import sys


def lbcheck(folder, *args, stdin="", env=None, before=(), program=("-m", "lbcheck"), crash=False):
    """Return the finished process, started by the command `before` it; a traceback fails the test but for a `crash`."""
    done = subprocess.run(
        [*before, sys.executable, *program, *args],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )
    assert crash or "Traceback" not in done.stderr, done.stderr
    return done

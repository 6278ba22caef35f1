"""Ctrl-C ends a rehearsal, wherever Python just is."""

from __future__ import annotations

import signal
import subprocess
import sys

_DESTROYED = """
import os, signal
from lbcheck.cli import interrupt

class Dropped:
    def __del__(self):  # a KeyboardInterrupt raised in here is printed, and dropped
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

with interrupt.heard():
    Dropped()
    print("went on")
"""


def test_ctrl_c_is_heard_in_a_destructor():
    done = subprocess.run([sys.executable, "-c", _DESTROYED], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "")


def test_afterwards_ctrl_c_is_what_it_was():
    code = _DESTROYED.replace("    Dropped()\n", "") + "print(signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split("\n")[:2] == ["went on", "default_int_handler"]

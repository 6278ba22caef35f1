"""The processes below a test, orphans among them."""

from __future__ import annotations

import ctypes
import os

import pytest

_PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def adopting():
    """Make orphans below this process its children: none can hide."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def below(process):
    """Return the names of the processes below this one that have not ended (proc(5), /proc/PID/stat)."""
    names, parents = {}, {}
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stream:
                before, _, after = stream.read().rpartition(")")
        except OSError:
            continue
        state, parent = after.split()[:2]
        if state != "Z":
            names[int(entry)], parents[int(entry)] = before.partition("(")[2], int(parent)
    found, layer = [], {process}
    while layer:
        layer = {one for one, parent in parents.items() if parent in layer}
        found += [names[one] for one in layer]
    return found

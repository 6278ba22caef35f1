"""lbcheck killed at any moment: what it started is gone, and nothing of it is left on the disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import proxies
import pytest
from rehearsal.configs import CASES
from rehearsal.processes import adopting, below
from rehearsal.sandboxes import needs_sandbox

from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.play.script import Script

pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox]

__all__ = ["adopting"]
#: How long after the end of lbcheck what it started may last, in seconds.
LASTS = {signal.SIGINT: 1.0, signal.SIGTERM: 1.0, signal.SIGKILL: 2.0}
#: How long after the start of lbcheck, or of its first sandbox, it is killed at most, in seconds.
EARLY, LATE = 0.5, 1.2
#: lbcheck, and the two processes that a sandbox consists of.
SANDBOX = 3
KINDS = ("nginx, random, and a unix socket", "haproxy, names that do not exist, checked")


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.soak)])
def test_killed_at_any_moment(seed, tmp_path, adopting, request):
    del adopting
    draw = random.Random(seed)
    times = 50 if request.node.get_closest_marker("soak") else 10
    killed = 0
    for number in range(times):
        case, _ = CASES[KINDS[number % 2]]
        wait = draw.uniform(0, EARLY) if number % 4 == 3 else draw.uniform(0, LATE)
        found = _killed(
            tmp_path / str(number), case, tuple(LASTS)[number % 3], wait, early=number % 4 == 3, surely=number % 2 == 0
        )
        killed += found >= SANDBOX
    assert killed >= 0.4 * times  # the others were too early, or too late


def _killed(folder, case, how, wait, *, early, surely):
    """Kill a rehearsal a while after its start, or its first sandbox's; return how many processes it had then.

    `surely`: not between two of its sandboxes.
    """
    name, text = case
    (folder / "config").mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "config" / name).write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "lbcheck", "rehearse", "."],
        cwd=folder / "config",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )
    if not early:
        _stands(process)
    time.sleep(wait)
    if surely:
        _stands(process)
    found = len(below(os.getpid()))
    process.send_signal(how)
    process.wait(10)
    end = time.monotonic() + LASTS[how]
    while (left := below(os.getpid())) and time.monotonic() < end:
        time.sleep(0.02)
    assert left == [], how
    assert os.listdir(folder / "tmp") == []
    assert os.listdir(folder / "config") == [name]
    return found


def _stands(process):
    """Wait until a sandbox stands, or the rehearsal is over."""
    while len(below(os.getpid())) < SANDBOX and process.poll() is None:
        time.sleep(0.005)


def test_ctrl_c_is_not_swallowed_while_a_sandbox_starts():
    """What runs after a fork of Python's own swallows a KeyboardInterrupt, the logging module's lock among it."""
    ran = []
    os.register_at_fork(after_in_parent=lambda: ran.append(True))
    with sandbox.opened(Script(("true",), ("true",), only_check=True)):
        assert ran == []

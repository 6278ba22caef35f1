"""Standard output that cannot be written is one line and exit 2, whatever the command; a reader that goes is quiet."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cli.running import lbcheck

COMMANDS = (["rule", "D01"], ["rule", "--all"], ["completion", "bash"], ["--help"], ["--version"], ["check", "--help"])
COMMANDS += (["check", "."], ["check", "--show-files", "."], ["traffic", "."], ["diff", ".", "."])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "haproxy.cfg").write_text("global\nbackend app\n  server one 10.0.0.1:80 check\n")
    return tmp_path


def run(folder, command, **pipes):
    words = [sys.executable, "-m", "lbcheck", *command]
    return subprocess.run(words, cwd=folder, stderr=subprocess.PIPE, text=True, check=False, timeout=60, **pipes)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_disk(folder, command):
    with open("/dev/full", "w") as full:
        done = run(folder, command, stdout=full)
    assert (done.returncode, done.stderr) == (2, "lbcheck: standard output: no space left on device\n")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_closed_standard_output(folder, command):
    done = run(folder, command, preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (2, "lbcheck: standard output: it is closed\n")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone(folder, command):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = run(folder, command, stdout=pipe)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("error", ["ZeroDivisionError()", "OSError(2, 'no such file', 'x')"])
def test_a_defect_of_lbcheck_s_own_is_no_finding(folder, error):
    program = f"import lbcheck.cli.rehearse as one\ndef broken(*_): raise {error}\none._rehearsed = broken\n"
    program += "from lbcheck.cli import main\nmain()"
    done = lbcheck(folder, "rehearse", "haproxy.cfg", program=("-c", program), crash=True)
    assert done.returncode == 2
    assert "an internal error" in done.stderr

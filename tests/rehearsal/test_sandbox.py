"""A sandbox that breaks: lbcheck's own failure, told as one, and never a reason to run a config without namespaces."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import pytest
from cli.running import lbcheck
from rehearsal.running import configs
from rehearsal.sandboxes import needs_sandbox

from lbcheck.gate import stages
from lbcheck.gate.outcome import NOT_RUN
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.play.sandbox import UnusableError
from lbcheck.rehearsal.play.script import Script
from lbcheck.rehearsal.rehearse import rehearse

CONFIG = ("haproxy.cfg", "defaults\n    mode http\nlisten app\n    bind :80\n    server a 10.0.0.1:80\n")
#: Breaks what plays it, once it stands: nobody listens at what is no address.
BROKEN = Script((), ("sleep", "9"), ready=(("no address", 80),))
#: Breaks what makes it ready: a config may name a log so, and no file can have such a name.
IMPOSSIBLE = Script((), ("true",), files={"/" + 300 * "x": ""})
TRACEBACK = "Traceback (most recent call last):\nValueError: boom\n"


def crash(events):
    return [event["reason"] for event in events if event["event"] == "crashed"]


@needs_sandbox
@pytest.mark.parametrize("what", [BROKEN, IMPOSSIBLE], ids=["played", "made ready"])
def test_a_config_cannot_pretend_that_there_are_no_namespaces(what):
    (events,) = sandbox.together([what], 1, lambda *_: None)
    assert len(crash(events)) == 1
    assert crash(list(sandbox.play(what))) == crash(events)


@needs_sandbox
def test_a_sandbox_that_ends_well_says_no_more():
    assert [event["event"] for event in sandbox.play(Script((), (), only_check=True))] == ["stands"]


def ended(output, status, said=TRACEBACK):
    process = SimpleNamespace(
        stdout=io.BytesIO(output), stderr=io.BytesIO(said.encode()), returncode=status, wait=lambda: status
    )
    return lambda _: contextlib.nullcontext(process)


def test_what_breaks_once_it_stands_is_no_want_of_namespaces(monkeypatch):
    monkeypatch.setattr(sandbox, "opened", ended(b'{"event": "stands"}\n', 1))
    assert crash(sandbox.play(BROKEN)) == ["ValueError: boom"]
    monkeypatch.setattr(sandbox, "opened", ended(b"", 1, "unshare: Operation not permitted\n"))
    with pytest.raises(UnusableError, match="unshare"):
        list(sandbox.play(BROKEN))


def test_a_crash_is_no_verdict_on_the_config(tmp_path, monkeypatch):
    (config,) = configs(tmp_path, CONFIG)
    stands = {"event": "stands"}
    accepted = [stands, {"event": "checked", "status": 0, "output": ""}]
    broken = [stands, {"event": "crashed", "reason": "ValueError: boom"}]
    monkeypatch.setattr(sandbox, "play", lambda _: iter(accepted))
    monkeypatch.setattr(sandbox, "together", lambda scripts, *_: [broken for _ in scripts])
    found = rehearse(config, Wishes(losses=False, binary="/bin/true"))
    assert (found.passed, found.broken, found.error) == (False, True, "lbcheck's own sandbox broke: ValueError: boom")
    stage = stages.rehearse([found])
    assert (stage.outcome, stage.broken) == (NOT_RUN, True)
    done = [stands, {"event": "done"}]
    monkeypatch.setattr(sandbox, "together", lambda scripts, *_: [done, *(broken for _ in scripts[1:])])
    found = rehearse(config, Wishes(binary="/bin/true"))
    assert (found.broken, found.error) == (True, "lbcheck's own sandbox broke: ValueError: boom")
    monkeypatch.setattr(sandbox, "play", lambda _: iter(broken))
    assert rehearse(config, Wishes(losses=False, binary="/bin/true")).broken


SABOTAGED = """
import sys
from lbcheck.rehearsal.play import sandbox
from lbcheck.rehearsal.planning import staging
stands = {"event": "stands"}
sandbox.play = lambda _: iter([stands, {"event": "checked", "status": 0, "output": ""}])
sandbox.together = lambda scripts, *_: [[stands, {"event": "crashed", "reason": "boom"}] for _ in scripts]
staging.binary = lambda *_: "/bin/true"
sys.argv = ["lbcheck", *sys.argv[1:]]
from lbcheck.cli import main
main()
"""


@pytest.mark.parametrize("words", [("rehearse", "--no-losses"), ("gate", "--rehearse")], ids=lambda words: words[0])
def test_the_exit_code_is_lbcheck_s_own_failure(tmp_path, words):
    configs(tmp_path, CONFIG)
    done = lbcheck(tmp_path, words[0], "haproxy.cfg", *words[1:], program=("-c", SABOTAGED))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "lbcheck's own sandbox broke: boom" in done.stdout
    assert "rewritten, not run as it is" not in done.stdout

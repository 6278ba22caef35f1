"""What people see while a rehearsal runs."""

from __future__ import annotations

from rich.console import Console
from traffic.pools import pool

from lbcheck.cli.watching import shown, watched
from lbcheck.rehearsal.planning.plan import Plan, Target
from lbcheck.rehearsal.play.script import Load
from lbcheck.rehearsal.progress import Step, Watch


def test_events_become_steps():
    made = Plan()
    made.loads = [Load("app", "127.0.0.1", 80, expect=(4, 5))]
    made.targets = [Target(pool("roundrobin", [1, 1]), (4, 5), (0,))]
    steps = []
    watch = Watch("haproxy.cfg", made, 2, steps.append)
    watch(0, {"event": "progress", "number": 0, "counts": [[4, 7], [5, 6]]})
    watch(1, {"event": "done"})
    watch(2, {"event": "loss", "number": 0})
    watch(0, {"event": "done"})
    assert [(step.stage, step.pool, step.over, step.losses) for step in steps] == [
        ("counting", "app", 0, 2),
        ("counting", "app", 1, 2),
        ("losing servers", "", 1, 2),
    ]
    assert [count for _, count in steps[0].servers] == [7, 6]


def test_bars_cannot_steer_the_terminal():
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    servers = tuple((f"web{number}\x1b[31m", number) for number in range(20))
    console.print(shown(Step("lb\x1b[2J/haproxy.cfg", "counting", "app\r", servers, 1, 3)))
    console.file.close()
    text = console.export_text()
    assert "\x1b[2J" not in text
    assert "\r" not in text
    assert "counting" in text
    assert "(1 of 3 losses)" in text
    assert text.count("web") == 12


def test_nobody_watches(capsys):
    with watched() as tell:
        tell(Step("haproxy.cfg", "checking"))
    assert capsys.readouterr() == ("", "")

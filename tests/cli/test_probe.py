"""`lbcheck probe` from outside: exits, usage errors, that it says what it does, and that no other command does it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cli.running import lbcheck
from live.stubs import Stubs, answers

DEFAULTS = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n timeout check 1s\n"


def write(folder, *servers, options="check"):
    lines = "".join(f" server s{number} {where} {options}\n" for number, where in enumerate(servers))
    (folder / "haproxy.cfg").write_text(f"{DEFAULTS}backend app\n option httpchk GET /up\n{lines}")


@pytest.fixture
def stubs():
    with Stubs() as made:
        yield made


@pytest.fixture
def good(stubs):
    return stubs.server(answers(b"200 OK"))


def test_up(tmp_path, good):
    write(tmp_path, good)
    done = lbcheck(tmp_path, "probe", "haproxy.cfg")
    assert done.returncode == 0
    assert f"{good}, GET /up, status 200-399, answers 200" in done.stdout
    assert done.stdout.endswith("1 server up\n")
    assert not done.stderr


def test_down(tmp_path, stubs, good):
    write(tmp_path, good, stubs.closed())
    done = lbcheck(tmp_path, "probe", ".", "-o", "out.json")
    assert done.returncode == 1
    assert "refuses the connection" in done.stdout
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["summary"] == {"up": 1, "down": 1, "unknown": 0, "not_probed": 0, "planned": 0}
    assert [server["state"] for server in written["pools"][0]["servers"]] == ["up", "down"]


def test_nothing_is_probed(tmp_path, good):
    write(tmp_path, good, options="disabled")
    done = lbcheck(tmp_path, "probe", ".")
    assert done.returncode == 3
    assert "the config has it out of rotation" in done.stdout
    (tmp_path / "haproxy.cfg").unlink()
    assert lbcheck(tmp_path, "probe", ".").returncode == 3


def test_a_dry_run_connects_nowhere_and_asks_for_no_name(tmp_path, stubs, good):
    write(tmp_path, good, f"name.invalid:{good.rpartition(':')[2]}")
    script = (
        "import socket, sys\n"
        "def no(*_args, **_options): raise SystemExit('it talks')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = no\n"
        "from lbcheck.cli.commands import cli\ncli(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, "probe", "--dry-run", "haproxy.cfg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"would connect to {good}: GET /up" in done.stdout
    assert done.stdout.endswith("2 servers would be probed; nothing was connected to\n")
    assert stubs.connections == 0


def test_names_by_option_and_by_settings(tmp_path, good):
    port = good.rpartition(":")[2]
    write(tmp_path, f"a.invalid:{port}", f"b.invalid:{port}")
    (tmp_path / "lbcheck.toml").write_text('[hosts]\n"b.invalid" = ["127.0.0.1"]\n')
    done = lbcheck(tmp_path, "probe", "haproxy.cfg", "--resolve", "A.invalid:127.0.0.1", "--output-format", "json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)["pools"][0]["servers"]
    assert [server["connected_to"] for server in found] == [good, good]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nowhere.cfg"], "nowhere.cfg: no such file or folder"),
        (["--resolve", "app.test", "."], "--resolve app.test: write NAME:ADDRESS"),
        (["--resolve", "app.test:other.test", "."], "write NAME:ADDRESS"),
        (["--concurrency", "0", "."], "0 is not in the range"),
        (["--timeout", "0", "."], "0.0 is not in the range"),
        (["-o", "x.pdf", "."], "-o x.pdf: name a format, one of"),
    ],
)
def test_what_cannot_be_done_exits_2(tmp_path, args, says):
    done = lbcheck(tmp_path, "probe", *args)
    assert done.returncode == 2
    assert says in done.stderr
    assert not done.stdout


def test_a_config_that_would_not_load_is_not_probed(tmp_path, stubs, good):
    write(tmp_path, good, options="check wieght 3")
    done = lbcheck(tmp_path, "probe", "haproxy.cfg")
    assert done.returncode == 1
    assert "haproxy.cfg: not probed, its proxy would not load it" in done.stdout
    assert stubs.connections == 0


def test_what_servers_say_cannot_steer_the_terminal(tmp_path, stubs):
    write(tmp_path, stubs.server(answers(b"503 \x1b]0;owned\x07\xff")))
    done = lbcheck(tmp_path, "probe", "haproxy.cfg")
    assert done.returncode == 1
    assert r"answers 503 \x1b]0;owned\x07\xff" in done.stdout


def test_colours(tmp_path, good):
    write(tmp_path, good)
    assert "\x1b" not in lbcheck(tmp_path, "probe", ".").stdout
    assert "\x1b[1;32m✓ up" in lbcheck(tmp_path, "probe", ".", "--color", "always").stdout


def test_the_help_says_that_it_talks_to_the_network(tmp_path):
    told = " ".join(lbcheck(tmp_path, "probe", "--help").stdout.split())
    assert "THIS COMMAND TALKS TO THE NETWORK" in told
    assert "only `probe` talks to the network" in " ".join(lbcheck(tmp_path, "--help").stdout.split())


def test_check_knows_nothing_of_it(tmp_path):
    write(tmp_path, "10.0.0.1:80")
    script = (
        "import sys\nfrom lbcheck.cli.commands import cli\n"
        "try: cli(['check', 'haproxy.cfg'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('lbcheck.live') or name in {'asyncio', 'ssl'}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("\n[]\n")

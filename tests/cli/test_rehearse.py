"""`lbcheck rehearse` from outside: what is refused at once, and a run with all its reports."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import proxies
import pytest
from cli.running import lbcheck
from rehearsal.sandboxes import needs_sandbox
from report.rehearsals import APP, AS_PREDICTED, CODE, REFUSED, UNPLAYED, UNREACHED, WORKED

from lbcheck.cli.rehearse import _code
from lbcheck.rehearsal.outcome import MeasuredReload, Rehearsed
from lbcheck.rehearsal.planning.staging import NoBinaryError, binary
from lbcheck.rehearsal.planning.wishes import Wishes

CONFIG = """\
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
listen app
    bind :80
    server a 10.0.0.1:80 check inter 200ms weight 3
    server b 10.0.0.2:80 check inter 200ms
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "haproxy.cfg").write_text(CONFIG)
    return tmp_path


def test_a_server_that_is_not_there_cannot_be_lost(folder):
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--lose", "app/x")
    assert done.returncode == 2
    assert "--lose app/x: no server has this name or address" in done.stderr


@pytest.mark.parametrize("flag", ["--no-losses", "--only-native"])
def test_nobody_is_lost_where_no_loss_is_wanted(folder, flag):
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--lose", "a", flag)
    assert (done.returncode, "--lose names a server to lose" in done.stderr) == (2, True)


def test_a_reload_is_from_one_config_to_one_of_its_kind(folder):
    (folder / "nginx.conf").write_text("events {}\nhttp { server { listen 80; } }\n")
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--from", "nginx.conf")
    assert (done.returncode, "nginx cannot be reloaded as haproxy" in done.stderr) == (2, True)
    done = lbcheck(folder, "rehearse", ".", "--from", "haproxy.cfg")
    assert (done.returncode, "from one config to one" in done.stderr) == (2, True)
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--from", "missing.cfg")
    assert (done.returncode, "missing.cfg: no such file" in done.stderr) == (2, True)


def ends(found, *, only_native=False, named=False):
    return _code(found, only_native=only_native, named=named)


def test_the_exit_codes():
    fine = Rehearsed("a", "nginx", accepted=True, pools=(APP._replace(losses=(AS_PREDICTED,)),))
    unjudged = fine._replace(pools=(UNREACHED,))
    unreloaded = fine._replace(reload=MeasuredReload("old", None, "the proxy does not take the old config"))
    lost = fine._replace(pools=(APP._replace(losses=(UNPLAYED,)),))
    assert ends([]) == 3
    assert ends([fine]) == 0
    assert (ends([unjudged]), ends([unjudged, fine])) == (3, 0)
    assert (ends([REFUSED]), ends([WORKED]), ends([WORKED, CODE])) == (1, 1, 1)
    assert (ends([CODE]), ends([fine, CODE])) == (2, 2)
    assert (ends([unreloaded]), ends([unreloaded, REFUSED])) == (2, 1)
    assert (ends([lost]), ends([lost], named=True)) == (0, 2)
    assert ends([fine, fine._replace(pools=())], named=True) == 0
    assert ends([fine._replace(pools=(APP._replace(losses=()),), rewritten="no namespaces")], named=True) == 2
    assert ends([Rehearsed("a", "nginx", accepted=True)], only_native=True) == 0
    assert ends([Rehearsed("a", "nginx", accepted=True)]) == 0  # it has no pools


@needs_sandbox
@proxies.needs_haproxy
def test_what_is_not_played_is_not_clean(folder):
    (folder / "broken.cfg").write_text(CONFIG + "    no-such-keyword\n")
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--from", "broken.cfg", "--no-losses")
    assert (done.returncode, "1 pool as predicted, the reload not rehearsed" in done.stdout) == (2, True)
    (folder / "haproxy.cfg").write_text(CONFIG.replace(":80\n", ":80\n    http-request deny\n", 1))
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--no-losses")
    assert (done.returncode, "itself answers with 403" in done.stdout) == (3, True)


@needs_sandbox
@proxies.needs_haproxy
def test_a_run_and_its_reports(folder):
    reports = [word for name in ("out.json", "out.html", "out.xml") for word in ("-o", name)]
    done = lbcheck(folder, "rehearse", "haproxy.cfg", "--from", "haproxy.cfg", "--lose", "a", *reports)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert (
        "1 pool as predicted, 0 of 1 losses as predicted, 1 as far as they were judged, 0 requests lost" in done.stdout
    )
    written = json.loads((folder / "out.json").read_text())
    (pool,) = written["pools"]
    assert [(one["measured_share"], one["predicted_share"]) for one in pool["servers"]] == [(0.75, 0.75), (0.25, 0.25)]
    assert [(loss["lost"], loss["passed"]) for loss in pool["losses"]] == [("a", True)]
    assert written["configs"][0]["reload"]["passed"]
    assert "Measured</th>" in (folder / "out.html").read_text()
    assert 'name="pool app without a (refuses)"' in (folder / "out.xml").read_text()


@needs_sandbox
@proxies.needs_haproxy
@pytest.mark.parametrize("no_color", [False, True])
def test_people_see_how_far_it_is(folder, no_color):
    """On a terminal, and only there; what was shown is wiped away at the end."""
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1" if no_color else ""}
    command = [sys.executable, "-m", "lbcheck", "rehearse", "haproxy.cfg", "--no-losses"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=end, env=environment)
    os.close(end)
    seen = b""
    while chunk := _read(terminal):
        seen += chunk
    os.close(terminal)
    assert process.wait(30) == 0
    assert b"checking haproxy.cfg" in seen
    assert (b"\x1b[1m" in seen) is not no_color
    assert b"\x1b[2K" in seen  # the line is erased


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("dialect", "named"), [("nginx", "/opt/traefik"), ("traefik", "envoy-1.40"), ("envoy", "nginx")]
)
def test_the_binary_of_another_proxy(dialect, named):
    with pytest.raises(NoBinaryError, match=f"--binary {named}: that is not {dialect}"):
        binary(dialect, Wishes(binary=named))


def test_a_binary_is_found_from_everywhere(tmp_path, monkeypatch):
    """The sandbox works in another folder."""
    (tmp_path / "my-haproxy").write_text("")
    (tmp_path / "my-haproxy").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert binary("haproxy", Wishes(binary="./my-haproxy")) == str(tmp_path / "my-haproxy")


OBJECT = "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {selector: {app: app}, ports: [{port: 80}]}\n"
LABELS = """\
services:
  proxy:
    image: traefik:v3.6
    command:
      - --providers.docker
      - --entryPoints.web.address=:80
  app:
    image: app:1
    labels:
      - traefik.http.routers.app.rule=Host(`app.localhost`)
      - traefik.http.services.app.loadbalancer.server.port=8080
"""


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("app.yaml", OBJECT, "controllers in the cluster apply its objects"),
        ("compose.yaml", LABELS, "its routers are labels of containers"),
        ("notes.txt", "none\n", "it is no proxy's own config"),
    ],
)
def test_what_no_proxy_is_started_with_is_named(tmp_path, name, text, why):
    (tmp_path / name).write_text(text)
    done = lbcheck(tmp_path, "rehearse", name)
    assert done.returncode == 3
    assert f"{name}: not rehearsed: {why}" in done.stderr


def test_nothing_to_rehearse_is_told(tmp_path):
    done = lbcheck(tmp_path, "rehearse", ".")
    assert done.returncode == 3
    assert "no config to rehearse was found" in done.stderr

"""Exits, usage errors and switches of `lbcheck check`, from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from cli.running import lbcheck

HTTP = """\
events {{}}
http {{
    upstream app {{
        zone app 64k;
{servers}    }}
    server {{
        listen 80;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""
BAD = HTTP.format(servers="        server 10.0.0.1:80 weight=10;\n        server 10.0.0.2:80 weight=1;\n")
GOOD = HTTP.format(servers="        server 10.0.0.1:80;\n        server 10.0.0.2:80;\n")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "bad.conf").write_text(BAD)
    (tmp_path / "good.conf").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no config\n")
    return tmp_path


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["bad.conf"], 1),
        (["good.conf"], 0),
        (["bad.conf", "good.conf"], 1),
        (["bad.conf", "--exit-zero"], 0),
        (["bad.conf", "--fail-on", "error"], 0),
        (["bad.conf", "--ignore", "D01"], 0),
        (["bad.conf", "--select", "H"], 0),
        (["bad.conf", "--severity-typo"], 2),
        (["bad.conf", "--select", "Q99"], 2),
        (["bad.conf", "--target", "nginx=one"], 2),
        (["bad.conf", "--config", "nowhere.toml"], 2),
        (["nowhere.conf"], 2),
        (["notes.txt"], 3),
        (["--changed", "notes.txt"], 0),
        (["--changed", "bad.conf"], 1),
        (["--changed", "good.conf"], 0),
    ],
)
def test_exit_code(folder, args, code):
    done = lbcheck(folder, "check", *args)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize("form", ["full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit"])
def test_exit_code_is_the_same_in_every_format(folder, form):
    assert lbcheck(folder, "check", "bad.conf", "--output-format", form).returncode == 1
    assert lbcheck(folder, "check", "good.conf", "--output-format", form).returncode == 0


def test_one_line_for_a_usage_error(folder):
    done = lbcheck(folder, "check", "nowhere.conf")
    assert done.stderr == "lbcheck: nowhere.conf: no such file or folder\n"


def test_stdin_has_a_name(folder):
    done = lbcheck(folder, "check", "-", "--stdin-filename", "lb/nginx.conf", "--output-format", "json", stdin=BAD)
    assert {finding["path"] for finding in json.loads(done.stdout)["findings"]} == {"lb/nginx.conf"}


def test_reports_to_files(folder):
    lbcheck(folder, "check", "bad.conf", "-o", "out.sarif", "-o", "gitlab:quality.json")
    assert json.loads((folder / "out.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((folder / "quality.json").read_text())[0]["check_name"]
    assert lbcheck(folder, "check", "bad.conf", "-o", "out.unknown").returncode == 2


def test_baseline_silences_what_is_known(folder):
    assert lbcheck(folder, "check", "bad.conf", "--write-baseline", "known.json").returncode == 0
    assert lbcheck(folder, "check", "bad.conf", "--baseline", "known.json").returncode == 0
    (folder / "bad.conf").write_text(BAD.replace("weight=1;", "weight=1 max_fails=0;"))
    assert "H14" in lbcheck(folder, "check", "bad.conf", "--baseline", "known.json").stdout


def test_a_changed_fragment_is_checked_in_its_config(folder):
    (folder / "bad.conf").unlink()
    (folder / "nginx.conf").write_text(
        "events {}\nhttp { include conf.d/*.conf; server { location / { proxy_pass http://app; } } }\n"
    )
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "app.conf").write_text(
        "upstream app {\n zone a 64k;\n server 10.0.0.1 weight=10;\n server 10.0.0.2 weight=1;\n}\n"
    )
    done = lbcheck(folder, "check", "--changed", "conf.d/app.conf", "--output-format", "json")
    found = json.loads(done.stdout)
    assert [(f["code"], f["path"], f["config"]) for f in found["findings"]] == [
        ("D01", "conf.d/app.conf", "nginx.conf")
    ]
    assert found["summary"]["configs"] == 1


def test_fix_mends_and_diff_shows(folder):
    path = folder / "hash.conf"
    path.write_text(BAD.replace("zone app 64k;", "zone app 64k;\n        random two;"))
    shown = lbcheck(folder, "check", "hash.conf", "--diff", "--unsafe-fixes")
    assert "-        random two;" in shown.stdout
    assert "random two;" in path.read_text()
    lbcheck(folder, "check", "hash.conf", "--fix", "--unsafe-fixes")
    assert "random two;" not in path.read_text()


def test_colours(folder):
    assert "\x1b[" not in lbcheck(folder, "check", "bad.conf").stdout
    assert "\x1b[" in lbcheck(folder, "check", "bad.conf", "--color", "always").stdout
    forced = lbcheck(folder, "check", "bad.conf", env={"NO_COLOR": "", "FORCE_COLOR": "1"})
    assert "\x1b[" in forced.stdout


def test_help_names_examples_and_exits(folder):
    done = lbcheck(folder, "check", "--help")
    assert "Examples:" in done.stdout
    assert "Exit codes:" in done.stdout


def test_a_rule_is_explained(folder):
    assert "## Why" in lbcheck(folder, "rule", "D01").stdout
    assert lbcheck(folder, "rule", "weight-skew").stdout == lbcheck(folder, "explain", "d01").stdout
    assert lbcheck(folder, "rule", "D99").returncode == 2
    assert len(lbcheck(folder, "rule", "--all").stdout.splitlines()) > 60


def test_show_files(folder):
    assert lbcheck(folder, "check", "--show-files").stdout == "nginx\tbad.conf\nnginx\tgood.conf\n"


def test_files_of_one_config_that_cannot_be_read(folder):
    (folder / "a.cfg").write_text("global\n maxconn 100\n")
    os.mkfifo(folder / "b.cfg")
    done = lbcheck(folder, "check", "-f", "a.cfg", "-f", "b.cfg", "--output-format", "concise")
    assert done.returncode == 1
    assert "b.cfg:1:1: error E03" in done.stdout


def test_settings_name_the_files_of_one_config(folder):
    (folder / "base.cfg").write_text(
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
    )
    (folder / "web.cfg").write_text(
        "frontend web\n bind 127.0.0.1:80\n default_backend app\nbackend app\n"
        " server a 10.0.0.1:80 check weight 10\n server b 10.0.0.2:80 check weight 1\n"
    )
    (folder / "lbcheck.toml").write_text('[[config]]\nfiles = ["base.cfg", "web.cfg"]\n')
    done = lbcheck(folder, "check", "base.cfg", "--output-format", "json")
    assert [(f["code"], f["path"]) for f in json.loads(done.stdout)["findings"]] == [("D01", "web.cfg")]
    (folder / "lbcheck.toml").write_text('[[config]]\nfiles = ["nginx.conf"]\ndialect = "nginx"\n')
    assert "only haproxy takes a list" in lbcheck(folder, "check", "base.cfg").stderr


def test_a_reader_that_goes_away_is_no_failure_of_ours(folder):
    for number in range(200):
        (folder / f"bad{number}.conf").write_text(BAD)
    with subprocess.Popen(
        [sys.executable, "-m", "lbcheck", "check", "."], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1

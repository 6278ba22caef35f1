"""Entries of lbcheck.toml that match nothing: not checked in a full run, a warning in a partial one."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck

NGINX = """\
events {}
http {
    upstream app { server 10.0.0.1:80; server 10.0.0.2:80; server web.test:80; }
    server { listen 80; server_name app.test; location / { proxy_pass http://app; } }
}
"""
RIGHT = """\
[[capacity]]
match = "app/*"
limit = 100
[[capacity]]
match = "10.0.0.1:80"
limit = 150
[[demand]]
frontend = "app.test"
peak = 200
[[zone]]
match = "10.0.0.?:80"
name = "a"
[hosts]
"web.test" = 3
"""
WRONG = [
    ("app/*", "ap/*", "capacity", "ap/*", 1),
    ("10.0.0.1:80", "10.0.0.1", "capacity", "10.0.0.1", 4),
    ("app.test", "app.tset", "demand", "app.tset", 7),
    ("peak = 200", 'peak = 200\nroute = "/apo"', "demand", "app.test, route /apo", 7),
    ("10.0.0.?:80", "10.0.1.?:80", "zone", "10.0.1.?:80", 10),
    ("web.test", "wbe.test", "hosts", "wbe.test", 14),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nginx.conf").write_text(NGINX)
    (tmp_path / "lbcheck.toml").write_text(RIGHT)
    return tmp_path


def notes(done):
    return [note["reason"] for note in json.loads(done.stdout)["not_checked"] if note["path"] == "lbcheck.toml"]


@pytest.mark.parametrize("command", [["check", "."], ["traffic", "."], ["diff", ".", "."]])
def test_entries_that_match_are_no_news(folder, command):
    done = lbcheck(folder, *command, "--output-format", "json")
    assert done.returncode in {0, 1}
    assert not done.stderr
    assert "lbcheck.toml" not in done.stdout
    assert json.loads(done.stdout).get("unmatched_settings", []) == []


@pytest.mark.parametrize(("old", "new", "entry", "value", "line"), WRONG)
def test_a_misspelt_entry(folder, old, new, entry, value, line):
    (folder / "lbcheck.toml").write_text(RIGHT.replace(old, new, 1))
    checked = json.loads(lbcheck(folder, "check", ".", "--output-format", "json").stdout)
    (note,) = [note for note in checked["not_checked"] if note["path"] == "lbcheck.toml"]
    assert note["line"] == line
    assert f" {value}: " in note["reason"]
    for command in (["traffic", "."], ["diff", ".", "."]):
        done = lbcheck(folder, *command, "--output-format", "json")
        found = json.loads(done.stdout)
        assert [(one["entry"], one["value"], one["line"]) for one in found["unmatched_settings"]] == [
            (entry, value, line)
        ]
        assert done.stderr.startswith("lbcheck: warning: lbcheck.toml: [")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("more", [[], ["--from", "."]])
def test_a_verdict_does_not_reassure_about_it(folder, more):
    (folder / "lbcheck.toml").write_text(RIGHT.replace("app/*", "ap/*"))
    done = lbcheck(folder, "gate", ".", *more)
    assert "lbcheck.toml:1: [[capacity]] ap/*: no server of what was read has this" in " ".join(done.stdout.split())
    assert done.stderr.startswith("lbcheck: warning: lbcheck.toml: [[capacity]] ap/*")


def test_a_run_over_a_part_may_have_no_use_for_an_entry(folder):
    (folder / "lbcheck.toml").write_text(RIGHT.replace("app/*", "ap/*"))
    assert "lbcheck.toml" not in lbcheck(folder, "check", "nginx.conf").stdout
    assert "lbcheck.toml" not in lbcheck(folder, "check", "--changed", "nginx.conf").stdout
    done = lbcheck(folder, "traffic", "nginx.conf")
    assert done.returncode == 0
    assert "lbcheck.toml" not in done.stdout
    assert "[[capacity]] ap/*: no server of what was read" in done.stderr


def test_what_was_not_read_in_full_may_have_the_server(folder):
    (folder / "lbcheck.toml").write_text(RIGHT.replace("app/*", "ap/*"))
    (folder / "other.conf").write_text("events {}\nhttp { upstream ap { server 10.0.0.1;\n")
    done = lbcheck(folder, "check", ".", "--output-format", "json")
    assert "E01" in done.stdout
    assert notes(done) == []


def test_many_entries_are_one_line(folder):
    more = "".join(f'[[zone]]\nmatch = "no{number}"\nname = "\\u001b[31mz"\n' for number in range(50))
    (folder / "lbcheck.toml").write_text(more)
    done = lbcheck(folder, "traffic", "nginx.conf")
    assert done.stderr.count("\n") == 1
    assert "and 47 more" in done.stderr


DECIDED = NGINX.replace(
    "location / {", "location /api { proxy_pass http://app; } location /x { proxy_pass http://b; } location / {"
)


def test_a_demand_that_cannot_be_dealt(folder):
    text = DECIDED.replace("server { listen", "upstream b { server 10.0.1.1; }\n    server { listen")
    (folder / "nginx.conf").write_text(text)
    (folder / "lbcheck.toml").write_text('[[demand]]\nfrontend = "app.test"\npeak = 9\n')
    says = "the demand on app.test is not dealt to its pools"
    for command in (["check", "."], ["traffic", "nginx.conf"], ["diff", ".", "."]):
        done = lbcheck(folder, *command, "--output-format", "json")
        assert says in done.stdout
    each = "".join(
        f'[[demand]]\nfrontend = "app.test"\nroute = "{route}"\npeak = 3\n' for route in ("location /", "*/api", "*/x")
    )
    (folder / "lbcheck.toml").write_text(each)
    assert says not in lbcheck(folder, "traffic", ".").stdout

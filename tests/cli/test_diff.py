"""`lbcheck diff` from outside: paths and revisions, exits, formats, and one screen for the outage."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cli.running import lbcheck
from repos import bare, commit, git, put, repository

OUTAGE = Path(__file__).parent.parent.parent / "fixtures" / "outage"
HTTP = """events {{}}
http {{
    upstream app {{
        zone app 64k;
        server 10.0.0.1:80 weight={weight};
        server 10.0.0.2:80 weight=1;
    }}
    server {{
        listen 80;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""


def text(weight):
    return HTTP.format(weight=weight)


@pytest.fixture
def folder(tmp_path):
    """A repository: `main` is even, `skewed` is not, and the working tree is even again."""
    made = repository(tmp_path / "project")
    put(made, {"lb/nginx.conf": text(1), "notes.txt": "none\n"})
    commit(made)
    git(made, "checkout", "-q", "-b", "skewed")
    put(made, {"lb/nginx.conf": text(10)})
    commit(made)
    put(made, {"lb/nginx.conf": text(1)})
    return made


def told(folder, *args):
    done = lbcheck(folder, "diff", "--output-format", "json", *args)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def pools(found):
    return [(pool["path"], pool["status"], pool["moved"]) for pool in found["pools"]]


class TestGit:
    def test_with_the_working_tree(self, folder):
        assert told(folder, "--git", "main")[1]["pools"][0]["status"] == "unchanged"
        code, found = told(folder, "--git", "skewed")
        assert (code, pools(found)) == (0, [("lb/nginx.conf", "changed", pytest.approx(10 / 11 - 0.5))])
        assert [finding["code"] for finding in found["findings"]["fixed"]] == ["D01"]

    def test_two_revisions(self, folder):
        code, found = told(folder, "--git", "main", "skewed")
        assert (code, [finding["code"] for finding in found["findings"]["introduced"]]) == (1, ["D01"])
        assert told(folder, "--git", "skewed", "main")[0] == 0
        assert told(folder, "--git", "main..skewed")[0] == 1

    def test_since_the_branch_left(self, folder):
        git(folder, "stash", "-q")
        git(folder, "checkout", "-q", "main")
        put(folder, {"lb/other.conf": text(7)})
        commit(folder)
        assert len(told(folder, "--git", "main", "skewed")[1]["pools"]) == 2
        assert pools(told(folder, "--git", "main...skewed")[1]) == [
            ("lb/nginx.conf", "changed", pytest.approx(10 / 11 - 0.5))
        ]

    def test_a_bare_clone(self, folder, tmp_path):
        clone = bare(folder, tmp_path / "bare.git")
        before = sorted(path for path in clone.rglob("*"))
        code, found = told(clone, "--git", "main", "skewed")
        assert (code, pools(found)[0][:2]) == (1, ("lb/nginx.conf", "changed"))
        assert told(clone, "--git", "main", "skewed", "lb")[0] == 1
        assert sorted(path for path in clone.rglob("*")) == before
        done = lbcheck(clone, "diff", "--git", "main")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "no working tree" in done.stderr

    def test_settings_of_a_bare_clone_are_the_newer_revision_s(self, folder, tmp_path):
        put(folder, {"lb/nginx.conf": text(10), "lbcheck.toml": 'ignore = ["D01"]\n'})
        commit(folder)
        clone = bare(folder, tmp_path / "bare.git")
        assert told(clone, "--git", "main", "skewed")[0] == 0
        assert told(clone, "--git", "main", "skewed", "--policy-from", "main")[0] == 1
        assert told(clone, "--git", "main", "skewed", "--isolated")[0] == 1

    def test_a_change_cannot_silence_itself(self, folder):
        note = "weight=10; # lbcheck: ignore[D01] trust me"
        put(folder, {"lb/nginx.conf": text(10).replace("weight=10;", note)})
        assert told(folder, "--git", "main")[0] == 0
        assert told(folder, "--git", "main", "--policy-from", "main")[0] == 1
        commit(folder)
        assert told(folder, "--git", "main", "--policy-from", "HEAD")[0] == 0

    def test_untracked_renamed_and_deleted_files(self, folder):
        git(folder, "mv", "lb/nginx.conf", "lb/main.conf")
        put(folder, {"lb/new.conf": text(3), "ignored.conf": text(9), ".gitignore": "ignored.conf\n"})
        _, found = told(folder, "--git", "main")
        assert pools(found) == [("lb/main.conf", "unchanged", 0.0), ("lb/new.conf", "added", None)]
        (folder / "lb" / "main.conf").unlink()
        (folder / "lb" / "new.conf").unlink()
        assert pools(told(folder, "--git", "main")[1]) == [("lb/nginx.conf", "removed", None)]

    def test_a_folder_below_the_top(self, folder):
        put(folder, {"other/nginx.conf": text(3)})
        code, found = told(folder / "lb", "--git", "main", "skewed")
        assert (code, pools(found)[0][0]) == (1, "nginx.conf")
        assert len(told(folder, "--git", "main", "lb")[1]["pools"]) == 1
        assert len(told(folder, "--git", "main", "lb", "other")[1]["pools"]) == 2
        assert told(folder, "--git", "main", "--", "other")[1]["pools"][0]["status"] == "added"

    def test_a_word_that_names_a_revision_is_one(self, folder):
        put(folder, {"skewed": "a file of the same name\n"})
        assert told(folder, "--git", "main", "skewed")[0] == 1
        assert told(folder, "--git", "main", "./skewed")[0] == 3

    @pytest.mark.parametrize("revision", ["nope", "HEAD~99", "main:lb", "nope...main", "-x", "--help-me"])
    def test_a_missing_revision_gets_one_line(self, folder, revision):
        done = lbcheck(folder, "diff", "--git", "--", revision)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert revision in done.stderr

    def test_a_missing_path_gets_one_line(self, folder):
        done = lbcheck(folder, "diff", "--git", "main", "nowhere")
        assert (done.returncode, done.stderr) == (2, "lbcheck: nowhere: no such revision, file or folder\n")
        done = lbcheck(folder, "diff", "--git", "main", "lb", "nowhere")
        assert (done.returncode, done.stderr) == (2, "lbcheck: nowhere: no such file or folder\n")

    def test_no_repository(self, tmp_path):
        done = lbcheck(tmp_path, "diff", "--git", "main")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)

    def test_no_git(self, folder, tmp_path):
        done = lbcheck(folder, "diff", "--git", "main", env={"PATH": str(tmp_path)})
        assert (done.returncode, done.stderr) == (2, "lbcheck: git is not installed, and revisions are read with it\n")

    def test_links_out_of_the_tree(self, folder):
        (folder / "out.conf").symlink_to("/etc/hostname")
        commit(folder)
        git(folder, "rm", "-q", "out.conf")
        put(folder, {"out.conf": text(1)})
        _, found = told(folder, "--git", "HEAD")
        hidden = next(pool for pool in found["pools"] if pool["path"] == "out.conf")
        assert (hidden["status"], hidden["moved"], hidden["before"]) == ("changed", None, None)
        assert "outside the repository" in hidden["reason"]
        assert [note["path"] for note in found["not_checked"]["before"]] == ["out.conf"]

    @pytest.mark.parametrize("name", [b"new\nline.conf", b"-dash.conf", b"caf\xe9.conf", b"\x1b[31mred.conf"])
    def test_hostile_names(self, folder, name):
        path = os.path.join(os.fsencode(folder), name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text(1))
        commit(folder)
        os.unlink(path)
        done = lbcheck(folder, "diff", "--git", "HEAD", "--output-format", "concise")
        assert done.returncode == 0
        removed = [line for line in done.stdout.splitlines() if "removed pool app" in line]
        assert len(removed) == 1
        assert "\x1b" not in done.stdout
        assert [pool["status"] for pool in told(folder, "--git", "HEAD")[1]["pools"]] == ["unchanged", "removed"]


class TestPaths:
    @pytest.mark.parametrize(
        ("args", "code"),
        [
            (("even.conf", "skewed.conf"), 1),
            (("skewed.conf", "even.conf"), 0),
            (("even.conf", "skewed.conf", "--fail-on", "error"), 0),
            (("even.conf", "skewed.conf", "--exit-zero"), 0),
            (("even.conf", "skewed.conf", "--ignore", "D01"), 0),
            (("skewed.conf", "skewed.conf"), 0),
            (("notes.txt", "notes.txt"), 3),
            (("even.conf", "nowhere.conf"), 2),
            (("even.conf",), 2),
            (("even.conf", "even.conf", "even.conf"), 2),
            (("--git",), 2),
            (("even.conf", "even.conf", "-o", "x.unknown"), 2),
        ],
    )
    def test_exit_code(self, tmp_path, args, code):
        put(tmp_path, {"even.conf": text(1), "skewed.conf": text(10), "notes.txt": "none\n"})
        done = lbcheck(tmp_path, "diff", *args)
        assert done.returncode == code, done.stdout + done.stderr

    def test_exit_code_is_the_same_in_every_format(self, tmp_path):
        from lbcheck.report import DIFF_REPORTERS

        put(tmp_path, {"even.conf": text(1), "skewed.conf": text(10)})
        for form in DIFF_REPORTERS:
            assert lbcheck(tmp_path, "diff", "even.conf", "skewed.conf", "--output-format", form).returncode == 1, form

    def test_findings_of_the_change_fail_too(self, tmp_path):
        put(tmp_path, {"even.conf": text(1), "empty.conf": text(1).replace("weight=1;", "down;")})
        code, found = told(tmp_path, "even.conf", "empty.conf", "--fail-on", "error")
        assert (code, [finding["code"] for finding in found["findings"]["introduced"]]) == (1, ["V02"])

    def test_standard_input(self, tmp_path):
        put(tmp_path, {"lb/nginx.conf": text(1)})
        done = lbcheck(tmp_path, "diff", "-", "lb", "--output-format", "json", stdin=text(10))
        assert pools(json.loads(done.stdout)) == [("lb/nginx.conf", "changed", pytest.approx(10 / 11 - 0.5))]

    def test_a_report_to_a_file(self, tmp_path):
        put(tmp_path, {"even.conf": text(1), "skewed.conf": text(10)})
        lbcheck(tmp_path, "diff", "even.conf", "skewed.conf", "-o", "out.json", "-o", "concise:out.log")
        assert json.loads((tmp_path / "out.json").read_text())["version"] == 1
        assert "introduced warning D01" in (tmp_path / "out.log").read_text()

    def test_help_has_examples_and_exits(self, tmp_path):
        done = lbcheck(tmp_path, "diff", "--help")
        assert "Examples:" in done.stdout
        assert "Exit codes:" in done.stdout


def test_the_outage_on_one_screen(tmp_path):
    for side in ("before", "after"):
        shutil.copytree(OUTAGE / side, tmp_path / side)
    for form in ("text", "concise"):
        done = lbcheck(tmp_path, "diff", "before", "after", "--output-format", form)
        assert done.returncode == 0
        lines = done.stdout.splitlines()
        assert len(lines) <= 32
        for word in ("shop1", "83.3 %", "33.3 %", "shop_v2", "removed", "8 fixed"):
            assert word in done.stdout, form


def test_names_that_stand_for_other_machines_are_told(tmp_path):
    """No share changes, and yet every request goes elsewhere."""
    for side, host, way in (("old", "10.0.0", "source"), ("new", "10.9.9", "roundrobin")):
        servers = "".join(f"    server s{at} {host}.{at}:80 check\n" for at in (1, 2))
        (tmp_path / f"{side}.cfg").write_text(f"listen app\n    bind :80\n    balance {way}\n{servers}")
    for form in ("text", "markdown"):
        done = lbcheck(tmp_path, "diff", "old.cfg", "new.cfg", "--output-format", form)
        assert "0 % moved, 2 servers at other addresses, source → roundrobin" in done.stdout, form
        assert "0 % of the traffic moves; 2 servers at other addresses; " in done.stdout, form
    done = lbcheck(tmp_path, "diff", "old.cfg", "new.cfg", "--output-format", "concise")
    assert "s1 50 % → 50 % at 10.9.9.1:80" in done.stdout


@pytest.mark.parametrize(
    ("route", "moved"),
    [
        ("default_backend app", 0.0),
        ("http-request set-header x y", 1.0),
        ("use_backend app if { path /x }", None),
    ],
)
def test_an_only_pool_that_loses_its_route_loses_its_traffic(tmp_path, route, moved):
    """Its servers' shares are the same on both sides; the requests are not."""
    backend = "backend app\n mode http\n server a 10.0.0.1:80 check\n"
    for name, line in (("old", "default_backend app"), ("new", route)):
        (tmp_path / f"{name}.cfg").write_text(f"frontend web\n mode http\n bind :80\n {line}\n{backend}")
    for sides in (["old.cfg", "new.cfg"], ["new.cfg", "old.cfg"]):
        assert told(tmp_path, *sides)[1]["moved"] == moved
    renamed = (tmp_path / "new.cfg").read_text().replace("app", "shop")
    (tmp_path / "renamed.cfg").write_text(renamed)
    assert told(tmp_path, "new.cfg", "renamed.cfg")[1]["moved"] == 0.0


def test_what_is_rerouted_is_named(tmp_path):
    backend = "backend app\n mode http\n server a 10.0.0.1:80 check\n"
    for name, port in (("old", 80), ("new", 81)):
        (tmp_path / f"{name}.cfg").write_text(
            f"frontend web\n mode http\n bind :{port}\n default_backend app\n{backend}"
        )
    words = "any other host:81/ goes to pool app, before to no pool"
    _, found = told(tmp_path, "old.cfg", "new.cfg")
    assert (found["moved"], found["moved_unknown"]) == (None, True)
    assert words in found["rerouted"]
    assert told(tmp_path, "old.cfg", "old.cfg")[1]["rerouted"] == []
    for form in ("text", "concise", "markdown"):
        shown = lbcheck(tmp_path, "diff", "old.cfg", "new.cfg", "--output-format", form).stdout
        assert "before to no pool" in shown, form
        assert (
            "before to no pool" not in lbcheck(tmp_path, "diff", "old.cfg", "old.cfg", "--output-format", form).stdout
        )
    gate = lbcheck(tmp_path, "gate", "new.cfg", "--from", "old.cfg", "--output-format", "json").stdout
    assert f"rerouted: {words}" in gate


FINDINGS = """events {}
http {
    upstream app {
        zone app 64k;
        server 10.0.0.1:80 max_fails=0 fail_timeout=10;
        server 10.0.0.2:80 max_fails=0;
    }
    server {
        listen 80; server_name a.test; keepalive_timeout 700000;
        location / { proxy_pass http://app; }
    }
}
"""


class TestFindingsThatStay:
    """What else stands on a finding's line is no part of it; what it says, and of what, is."""

    def codes(self, tmp_path, *edits):
        text = FINDINGS
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        put(tmp_path, {"old.conf": FINDINGS, "new.conf": text})
        code, found = told(tmp_path, "old.conf", "new.conf")
        findings = found["findings"]
        sides = [[one["code"] for one in findings[side]] for side in ("introduced", "fixed")]
        return (code, *sides, findings["unchanged"])

    def test_something_else_on_the_line_changed(self, tmp_path):
        edits = [("fail_timeout=10;", "fail_timeout=12;"), ("a.test;", "a.test b.test;")]
        assert self.codes(tmp_path, *edits) == (0, [], [], 2)

    def test_another_subject_is_another_finding(self, tmp_path):
        edits = [("10.0.0.1:80 max_fails=0 fail_timeout=10", "10.0.0.9:80 max_fails=0 fail_timeout=12")]
        assert self.codes(tmp_path, *edits) == (1, ["H14"], ["H14"], 1)

    def test_another_text_is_another_finding(self, tmp_path):
        edits = [("keepalive_timeout 700000;", "keepalive_timeout 800000;")]
        assert self.codes(tmp_path, *edits) == (1, ["T12"], ["T12"], 1)

    def test_one_more_of_the_same_is_new(self, tmp_path):
        more = "location / { keepalive_timeout 700000;"
        assert self.codes(tmp_path, ("a.test;", "a.test b.test;"), ("location / {", more)) == (1, ["T12"], [], 2)

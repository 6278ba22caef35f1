"""`--policy-from REV`: a pull request cannot silence its own check."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from repos import commit, put, repository

HTTP = """\
events {{}}
http {{
    upstream app {{{mark}
        zone app 64k;
        server 10.0.0.1:80 weight={weight};{note}
        server 10.0.0.2:80 weight=1;
    }}
    server {{
        listen 80;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""
IGNORE = " # lbcheck: ignore[D01] a machine of ten"


def text(weight=10, note="", mark=""):
    return HTTP.format(weight=weight, note=note, mark=mark)


@pytest.fixture
def folder(tmp_path):
    return repository(tmp_path / "project")


def codes(folder, *args):
    done = lbcheck(folder, "check", "--output-format", "json", *args)
    assert done.stderr == ""
    return done.returncode, [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_a_comment_of_the_revision_counts(folder):
    put(folder, {"lb/nginx.conf": text(note=IGNORE)})
    commit(folder)
    put(folder, {"lb/nginx.conf": "# moved down\n" + text(note=IGNORE)})
    assert codes(folder, "--policy-from", "HEAD") == (0, [])


@pytest.mark.parametrize("where", ["note", "mark"])
def test_a_comment_of_the_change_does_not_count(folder, where):
    put(folder, {"lb/nginx.conf": text()})
    commit(folder)
    put(folder, {"lb/nginx.conf": text(**{where: IGNORE})})
    assert codes(folder) == (0, [])
    assert codes(folder, "--policy-from", "HEAD") == (1, ["D01"])
    shown = lbcheck(folder, "check", "--policy-from", "HEAD").stdout
    assert "this comment does not count" in shown


def test_an_old_comment_does_not_cover_a_new_finding(folder):
    put(folder, {"lb/nginx.conf": text(weight=10, mark=IGNORE)})
    commit(folder)
    put(folder, {"lb/nginx.conf": text(weight=100, mark=IGNORE)})
    assert codes(folder, "--policy-from", "HEAD") == (1, ["D01"])


def test_a_comment_that_was_taken_out_is_gone(folder):
    put(folder, {"lb/nginx.conf": text(note=IGNORE)})
    commit(folder)
    put(folder, {"lb/nginx.conf": text()})
    assert codes(folder, "--policy-from", "HEAD") == (1, ["D01"])


@pytest.mark.parametrize(
    "silence",
    [
        {"lbcheck.toml": 'ignore = ["D01"]\n'},
        {"lbcheck.toml": 'fail-on = "error"\nmin-severity = "error"\n'},
        {"pyproject.toml": '[tool.lbcheck]\nexclude = ["lb"]\n'},
        {"lbcheck.toml": '[per-file-ignores]\n"lb/*" = ["D01"]\n'},
    ],
)
def test_settings_of_the_change_do_not_count(folder, silence):
    put(folder, {"lb/nginx.conf": text()})
    commit(folder)
    put(folder, silence)
    assert codes(folder)[0] != 1
    assert codes(folder, "--policy-from", "HEAD") == (1, ["D01"])


def test_what_the_settings_name_comes_from_the_revision_too(folder):
    """The baseline and the pages of rules are as good as settings."""
    put(folder, {"lb/nginx.conf": text(), "lbcheck.toml": 'baseline = "known.json"\nrules = "pages"\n'})
    page = '---\ncode: D01\nseverity: {}\nmessage: "skewed"\n---\n'
    put(folder, {"known.json": '{"version": 1, "findings": []}', "pages/D01-weight-skew.md": page.format("error")})
    commit(folder)
    lbcheck(folder, "check", "--write-baseline", "known.json")
    put(folder, {"pages/D01-weight-skew.md": page.format("info")})
    assert codes(folder) == (0, [])
    done = lbcheck(folder, "check", "--policy-from", "HEAD", "--output-format", "json")
    assert [found["severity"] for found in json.loads(done.stdout)["findings"]] == ["error"]


def test_from_a_folder_below_the_top(folder):
    put(folder, {"lb/nginx.conf": text(note=IGNORE), "lbcheck.toml": 'extend-select = ["H"]\n'})
    commit(folder)
    put(folder, {"lbcheck.toml": 'select = ["T"]\n'})
    assert codes(folder / "lb", "--policy-from", "HEAD", "nginx.conf") == (0, [])
    assert codes(folder / "lb", "--policy-from", "HEAD", "--changed", "nginx.conf") == (0, [])
    put(folder, {"lb/nginx.conf": text(weight=11, note=IGNORE)})
    assert codes(folder / "lb", "--policy-from", "HEAD", "--changed", "nginx.conf") == (1, ["D01"])


def test_standard_input_is_the_file_of_its_name(folder):
    put(folder, {"lb/nginx.conf": text(note=IGNORE)})
    commit(folder)
    args = ("check", "-", "--policy-from", "HEAD", "--output-format", "concise")
    known = lbcheck(folder, *args, "--stdin-filename", "lb/nginx.conf", stdin=text(note=IGNORE))
    assert known.returncode == 0, known.stdout
    assert lbcheck(folder, *args, "--stdin-filename", "lb/other.conf", stdin=text(note=IGNORE)).returncode == 1


def test_a_new_file(folder):
    put(folder, {"lb/nginx.conf": text(weight=1)})
    commit(folder)
    put(folder, {"lb/new/nginx.conf": "# lbcheck: file-ignore[D01] no\n" + text()})
    assert codes(folder, "--policy-from", "HEAD", "lb/new/nginx.conf") == (1, ["D01"])


@pytest.mark.parametrize("revision", ["nope", "-x", "--version"])
def test_a_revision_that_is_not_there(folder, revision):
    put(folder, {"lb/nginx.conf": text()})
    commit(folder)
    done = lbcheck(folder, "check", f"--policy-from={revision}")
    assert (done.returncode, done.stderr) == (2, f"lbcheck: {revision}: no such revision\n")


def test_no_repository(tmp_path):
    done = lbcheck(tmp_path, "check", "--policy-from", "HEAD")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "not a git repository" in done.stderr


def test_settings_out_of_the_revision_are_refused(folder):
    put(folder, {"lb/nginx.conf": text()})
    (folder / "lbcheck.toml").symlink_to("/etc/hostname")
    commit(folder)
    done = lbcheck(folder, "check", "--policy-from", "HEAD")
    assert done.returncode == 2
    assert "outside the repository" in done.stderr


def test_many_files_over_many_processes(folder):
    """The revision is read by every process for itself."""
    put(folder, {f"shop{number}/nginx.conf": text(note=IGNORE) + "# filler\n" * 3000 for number in range(20)})
    commit(folder)
    put(folder, {"shop7/nginx.conf": text(weight=12, note=IGNORE) + "# filler\n" * 3000})
    done = lbcheck(folder, "check", "--policy-from", "HEAD", "-j", "4", "--output-format", "json")
    assert [finding["path"] for finding in json.loads(done.stdout)["findings"]] == ["shop7/nginx.conf"]

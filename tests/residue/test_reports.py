"""What is not understood is named in every format, and no format says plainly that 0 % moves."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from cli.running import lbcheck
from jsonschema import Draft202012Validator
from residue.configs import INGRESS

SCHEMA = Draft202012Validator(json.loads(files("lbcheck.report").joinpath("diff.schema.json").read_text("utf-8")))
FIELD = "nginx.ingress.kubernetes.io/unheard-of"
NAMED = INGRESS.replace("  annotations:\n", f"  annotations:\n    {FIELD}: everybody-out\n")
HARMLESS = INGRESS.replace("example/app:1.2", "example/app:1.3").replace("{team: web}\n", "{team: shop}\n")


@pytest.fixture
def folder(tmp_path):
    for name, text in (("old", INGRESS), ("new", NAMED), ("bumped", HARMLESS)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def shown(folder, form, new="new.yaml"):
    done = lbcheck(folder, "diff", "old.yaml", new, "--output-format", form, env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", ["text", "concise", "markdown"])
def test_what_people_read(folder, form):
    told = shown(folder, form)
    line = 1 + NAMED[: NAMED.index(FIELD)].count("\n")
    assert f"new.yaml:{line}" in told
    assert "everybody-out" in told
    assert "by what is understood" in told
    assert "understood" not in shown(folder, form, "bumped.yaml")


def test_what_machines_read(folder):
    found, harmless = json.loads(shown(folder, "json")), json.loads(shown(folder, "json", "bumped.yaml"))
    for one in (found, harmless):
        SCHEMA.validate(one)
    assert (found["moved"], found["moved_unknown"], found["moved_understood"]) == (None, True, 0.0)
    assert (harmless["moved"], harmless["moved_unknown"], harmless["not_understood"]) == (0.0, False, [])
    (one,) = found["not_understood"]
    assert (one["name"], one["before"], one["after"]) == (FIELD, None, "everybody-out")
    assert one["field"] == ["Ingress", "metadata", "annotations", FIELD]


@pytest.mark.parametrize("suffix", ["html", "svg", "mmd"])
def test_pictures(folder, suffix):
    for new in ("new", "bumped"):
        lbcheck(folder, "diff", "old.yaml", f"{new}.yaml", "-o", f"{new}.{suffix}")
    assert "not understood" in (folder / f"new.{suffix}").read_text()
    assert "not understood" not in (folder / f"bumped.{suffix}").read_text()


def gate(folder, new):
    done = lbcheck(folder, "gate", f"{new}.yaml", "--from", "old.yaml", "--output-format", "json")
    stages = json.loads(done.stdout)["stages"]
    return next(stage for stage in stages if stage["name"] == "diff")


def test_the_gate_names_it_and_a_limit_wants_to_know(folder):
    stage = gate(folder, "new")
    assert (stage["outcome"], stage["blocking"]) == ("passed", False)
    assert any(FIELD in words for words in stage["evidence"])
    assert any("by what is understood" in words for words in stage["evidence"])
    (folder / "lbcheck.toml").write_text("[gate]\nmoved = 0.5\n")
    stage = gate(folder, "new")
    assert (stage["outcome"], stage["blocking"]) == ("not_run", True)
    stage = gate(folder, "bumped")
    assert (stage["outcome"], stage["blocking"]) == ("passed", False)
    assert not any("understood" in words for words in stage["evidence"])

from __future__ import annotations

import json
import os

import pytest
from handmade import config

from lbcheck import baseline, engine
from lbcheck.catalog import rules
from lbcheck.context import Context
from lbcheck.selection import Selection

pytestmark = pytest.mark.usefixtures("made_checks")

TEXT = "include a;\ninclude b;\n"


def result(*hits, text=TEXT):
    made = engine.check(config(text, *hits), Selection(rules(), rules=rules()), Context())
    engine.finish(made)
    return made


def test_known_findings_are_suppressed_and_new_ones_stay(tmp_path):
    path = tmp_path / "known.json"
    path.write_text(baseline.text(result(("E02", "include a")).findings))
    later = result(("E02", "include a"), ("E02", "include b"), text="# moved\n\n" + TEXT)
    baseline.apply(later, baseline.read(str(path)))
    assert [finding.place.line for finding in later.findings] == [4]
    assert later.suppressed == 1


def test_a_fingerprint_silences_as_often_as_it_was_counted():
    found = result(("E02", "include a")).findings
    twice = result(("E02", "include a"))
    twice.findings = found * 3
    baseline.apply(twice, {found[0].fingerprint: 2})
    assert (len(twice.findings), twice.suppressed) == (1, 2)


def test_the_text_is_sorted_and_says_what_it_counts():
    found = result(("E02", "include b"), ("E05", "include a")).findings
    document = json.loads(baseline.text(reversed(found)))
    assert document["version"] == 1
    assert [(entry["path"], entry["code"], entry["count"]) for entry in document["findings"]] == [
        ("nginx.conf", "E02", 1),
        ("nginx.conf", "E05", 1),
    ]
    assert baseline.text(found) == baseline.text(reversed(found))


def test_a_failure_of_lbcheck_is_never_hidden():
    failed = result(("E00", "include a"))
    assert json.loads(baseline.text(failed.findings))["findings"] == []
    baseline.apply(failed, {failed.findings[0].fingerprint: 1})
    assert len(failed.findings) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"version": 2, "findings": []}',
        '{"version": 1}',
        '{"version": 1, "findings": [{"count": 1}]}',
        '{"version": 1, "findings": [{"fingerprint": [], "count": 1}]}',
        '{"version": 1, "findings": [{"fingerprint": "a", "count": "x"}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_baseline_is_named(content, tmp_path):
    path = tmp_path / "known.json"
    path.write_text(content)
    with pytest.raises(baseline.BaselineError) as caught:
        baseline.read(str(path))
    assert str(caught.value).startswith(f"{path}: not ")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(baseline.BaselineError, match="no such file"):
        baseline.read(str(tmp_path / "known.json"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(baseline.BaselineError, match="named pipe"):
        baseline.read(str(tmp_path / "pipe"))

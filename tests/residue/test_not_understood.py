"""What differs between two versions and reaches no model is named; what decides nothing is not."""

from __future__ import annotations

import pytest
from residue.configs import CONFIGS
from residue.edits import DANGEROUS, HARMLESS

from lbcheck import comparison
from lbcheck.project import Request
from lbcheck.settings import from_text
from lbcheck.sides import of_paths
from lbcheck.traffic.scenario import Scenario


def compared(tmp_path, old, new, name):
    """Return the changes between two texts of a file of this name."""
    for side, text in (("old", old), ("new", new)):
        (tmp_path / side).mkdir(parents=True)
        (tmp_path / side / name).write_text(text)
    sides = of_paths(str(tmp_path / "old"), str(tmp_path / "new"), Request(()))
    return comparison.diff(*sides, from_text("", str(tmp_path / "lbcheck.toml")), Scenario()).changes


def edited(tmp_path, config, before, after):
    name, text = CONFIGS[config]
    assert before in text, before
    return compared(tmp_path, text, text.replace(before, after, 1), name)


def said(changes):
    return [one.said for one in changes.not_understood]


@pytest.mark.parametrize(("config", "before", "after"), HARMLESS)
def test_what_decides_nothing_is_silent(tmp_path, config, before, after):
    assert said(edited(tmp_path, config, before, after)) == []


@pytest.mark.parametrize(("config", "before", "after", "field"), DANGEROUS)
def test_what_nobody_models_is_named(tmp_path, config, before, after, field):
    found = edited(tmp_path, config, before, after)
    assert [one.name for one in found.not_understood] == [field], said(found)


@pytest.mark.parametrize(("config", "before", "after", "field"), DANGEROUS)
def test_what_goes_is_named_as_well(tmp_path, config, before, after, field):
    name, text = CONFIGS[config]
    found = compared(tmp_path, text.replace(before, after, 1), text, name)
    assert [one.name for one in found.not_understood] == [field]

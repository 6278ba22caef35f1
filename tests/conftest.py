"""Shared switches of the tests."""

from __future__ import annotations

import types

import pytest
from hypothesis import settings

from lbcheck import engine

#: How long one example takes says more about the machine than about lbcheck.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser):
    parser.addoption(
        "--update", action="store_true", help="rewrite fixtures/**/expected.txt from what lbcheck prints now"
    )


@pytest.fixture
def made_checks(monkeypatch):
    """Put a table of the test's own, empty at first, in place of all checks."""
    table = {}
    monkeypatch.setattr(engine, "CHECKS", table)
    monkeypatch.setattr(engine, "dialect", lambda _name: types.SimpleNamespace(CHECKS={}))
    return table

"""Shared switches of the tests."""

from __future__ import annotations

import types

import pytest

from lbcheck import engine


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

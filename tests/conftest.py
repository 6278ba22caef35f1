"""Shared switches of the tests."""

from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="rewrite fixtures/**/expected.txt from what lbcheck prints now")

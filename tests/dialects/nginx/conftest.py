"""The real nginx, with stream and mail where their modules are installed."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def nginx():
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        pytest.skip("nginx is not installed")
    return found

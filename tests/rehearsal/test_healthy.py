"""Answers with which health checks are content."""

from __future__ import annotations

import pytest

from lbcheck.model import HealthCheck, Setting
from lbcheck.rehearsal.planning.healthy import healthy


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (None, (200, "")),
        ("status 200", (200, "")),
        ("status 204", (204, "")),
        ("status 200-399,404", (200, "")),
        ("204", (204, "")),
        ("2xx", (200, "")),
        ("! status 500", (200, "")),
        ("comment alive status 204", (204, "")),
        ("rstatus ^30[12]", (301, "")),
        ("rstatus (", (200, "")),
        ("string all is well", (200, "all is well")),
        ("rstring ^up[0-9]", (200, "up0")),
        ("rstring (", (200, "")),
        ("! string down", (200, "")),
    ],
)
def test_healthy(expect, answer):
    assert healthy(HealthCheck("http", None, expect=None if expect is None else Setting(expect))) == answer

from __future__ import annotations

import subprocess
import sys

import pytest

from lbcheck.report import REPORTERS, SUFFIXES, reporter
from lbcheck.report.options import Options
from lbcheck.results import Result


@pytest.mark.parametrize("name", REPORTERS)
def test_every_format_renders_every_kind_of_run(name, result, clean):
    for each in (result, clean, Result()):
        text = reporter(name)(each, Options())
        assert text == "" or text.endswith("\n")
        assert not text.endswith("\n\n")


def test_suffixes_stand_for_formats():
    assert set(SUFFIXES.values()) <= set(REPORTERS)


def test_reporters_are_imported_when_asked_for():
    script = (
        "import sys, lbcheck.report; "
        "print([name for name in sys.modules if name.startswith('lbcheck.report.') or name in ('json', 'unicodedata')])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"

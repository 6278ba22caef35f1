"""Whole configs with the whole terminal output: what a person sees, held to the letter. `pytest --update` rewrites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXPECTED = sorted((ROOT / "fixtures").rglob("expected.txt"))


def printed(folder: Path) -> str:
    """Run `lbcheck check` on a fixture's folder, as a person would from the top of the checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "lbcheck", "check", "--isolated", str(folder.relative_to(ROOT))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
    )
    return f"{done.stdout}{done.stderr}exit {done.returncode}\n"


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: str(path.parent.relative_to(ROOT / "fixtures")))
def test_output(path, request):
    now = printed(path.parent)
    if request.config.getoption("--update"):
        path.write_text(now)
    assert now == path.read_text()


def test_every_fixture_has_its_expectation():
    configs = {path.parent for path in (ROOT / "fixtures").rglob("*") if path.suffix in {".conf", ".cfg", ".yaml"}}
    covered = {path.parent for path in EXPECTED}
    assert all(any(folder == c or c in folder.parents for c in covered) for folder in configs)

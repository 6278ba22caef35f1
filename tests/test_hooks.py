"""The pre-commit hooks, run by the real pre-commit on the fixtures."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
PRE_COMMIT = Path(sys.executable).parent / "pre-commit"


def git(folder, *args):
    subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True)


def repository(folder, half):
    shutil.copytree(ROOT / "fixtures" / "outage" / half, folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    return folder


@pytest.mark.skipif(not PRE_COMMIT.exists(), reason="pre-commit is not installed")
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
@pytest.mark.xdist_group("hooks")
@pytest.mark.parametrize("hook", [hook["id"] for hook in HOOKS])
def test_hook_fails_on_the_outage_and_passes_after_it(hook, tmp_path):
    for half, fails in (("before", True), ("after", False)):
        folder = repository(tmp_path / half, half)
        done = subprocess.run(
            [str(PRE_COMMIT), "try-repo", str(ROOT), hook, "--all-files", "--color", "never"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        assert ("D01" in done.stdout) == fails, done.stdout


@pytest.mark.parametrize(
    ("hook", "path", "wanted"),
    [
        ("lbcheck", "deploy/nginx.conf", True),
        ("lbcheck", "deploy/haproxy.cfg", True),
        ("lbcheck", "templates/nginx.conf.j2", True),
        ("lbcheck", "sites-enabled/shop", True),
        ("lbcheck", "lb.yaml", True),
        ("lbcheck", "dynamic.toml", True),
        ("lbcheck", "main.py", False),
        ("lbcheck-nginx", "conf.d/app.conf", True),
        ("lbcheck-nginx", "haproxy.cfg", False),
        ("lbcheck-haproxy", "10-web.cfg", True),
        ("lbcheck-haproxy", "haproxy.conf", True),
        ("lbcheck-haproxy", "nginx.conf", False),
    ],
)
def test_files_that_a_hook_looks_at(hook, path, wanted):
    pattern = next(item["files"] for item in HOOKS if item["id"] == hook)
    assert bool(re.search(pattern, path)) == wanted


def test_hooks_run_once_over_all_files():
    """A config that is split over parallel processes is no config."""
    assert all(hook["require_serial"] and "--changed" in hook["entry"] for hook in HOOKS)

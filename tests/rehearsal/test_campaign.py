"""Every config that there is for nginx and HAProxy: fixtures, cases of all kinds, the rules' good examples."""

from __future__ import annotations

import re
from pathlib import Path

import proxies
import pytest
from rehearsal.configs import FURTHER
from rehearsal.running import rehearsed, told
from rehearsal.sandboxes import needs_sandbox

from lbcheck import pages, project
from lbcheck.project import Request
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.rehearse import rehearse

pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox, pytest.mark.soak]

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(path for path in (ROOT / "fixtures").rglob("*") if path.suffix in {".conf", ".cfg"})


def _examples():
    """Yield the good examples of the rules' pages that are whole configs of one file."""
    for page in sorted((ROOT / "rules").glob("[A-Z]*-*.md")):
        for at, block in enumerate(pages.blocks(page.read_text(), page.name[:3], page.name)):
            known = {"file", "native", "as", "case"} & block.attributes.keys()
            if block.section == "Good" and block.dialect in {"nginx", "haproxy"} and not known:
                yield f"{page.name[:3]}-{at}", block


EXAMPLES = dict(_examples())


def whole(block):
    """Return a block as (name, text), an nginx one with the blocks around it that it lacks."""
    text = block.text
    if block.dialect == "nginx":
        if not re.search(r"^\s*(http|stream)\s*\{", text, re.MULTILINE):
            text = f"http {{\n{text}\n}}\n"
        if not re.search(r"^\s*events\s*\{", text, re.MULTILINE):
            text = f"events {{}}\n{text}"
    return pages.DEFAULT_NAMES[block.dialect], text


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.relative_to(ROOT)))
def test_fixtures(path):
    (config,) = project.configs(project.prepare(Request((str(path),))))
    found = rehearse(config, Wishes())
    assert found.passed, told(found)
    reached = [pool for pool in found.pools if pool.reason != "no request is known that reaches it"]
    assert len(reached) >= 2
    assert all(pool.passed and loss.passed for pool in reached for loss in pool.losses), told(found)


@pytest.mark.parametrize("name", FURTHER)
def test_cases_with_losses(name, tmp_path):
    case, judged = FURTHER[name]
    found = rehearsed(tmp_path, case, losses=True, patience=30.0)
    assert found.passed, told(found)
    assert {pool.name: (pool.judged, pool.passed) for pool in found.pools} == {
        pool: (how, None if how is None else True) for pool, how in judged.items()
    }
    assert all(pool.losses for pool in found.pools if pool.passed), told(found)


@pytest.mark.parametrize("name", EXAMPLES)
def test_good_examples_of_rules(name, tmp_path):
    """A pool may be out of reach; none may be shared out otherwise than predicted."""
    found = rehearsed(tmp_path, whole(EXAMPLES[name]))
    assert found.passed, told(found)


def test_there_are_enough():
    assert len(FIXTURES) + len(FURTHER) + len(EXAMPLES) >= 100
    assert len(FURTHER) >= 15

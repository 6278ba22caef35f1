"""A plan can be made of every real config, and says of each server what is asked or why nothing can be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lbcheck import engine, project
from lbcheck.live.here import Here
from lbcheck.live.outcome import NOT_PROBED, PLANNED
from lbcheck.live.plan import plan, reported
from lbcheck.project import Request

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real configs is not beside the checkout")


@pytest.mark.parametrize("kind", ["nginx", "haproxy", "templated"])
def test_every_real_config_can_be_planned(kind):
    states = Counter()
    for config in project.configs(project.prepare(Request((str(CORPUS / kind),)))):
        if not config.dialect or engine.broken(config):
            continue
        for planned in plan(config, Here()):
            for server in reported(planned, None).servers:
                verdict = server.verdict
                states[verdict.state] += 1
                assert verdict.state in {PLANNED, NOT_PROBED}
                assert verdict.connected_to or verdict.reason
    assert states[PLANNED] > (1 if kind == "templated" else 100)

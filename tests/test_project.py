"""One run over many files, in one process and in several."""

from __future__ import annotations

import os

import pytest

from lbcheck import engine, project
from lbcheck.context import Context
from lbcheck.selection import default_selection

CONFIG = """\
events {{}}
http {{
    upstream app {{
        server 10.0.0.1:80 weight={weight};
        server 10.0.0.2:80 weight=1;
    }}
    server {{
        listen 80;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""


def judge(config):
    return engine.check(config, default_selection(), Context())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for number in range(12):
        (tmp_path / f"site{number}").mkdir()
        (tmp_path / f"site{number}" / "nginx.conf").write_text(CONFIG.format(weight=number + 1))
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
class TestProcesses:
    @pytest.mark.usefixtures("folder")
    def test_give_the_same_result_as_one(self, monkeypatch):
        alone = project.check(project.Request((".",), jobs=1), judge)
        monkeypatch.setattr(project, "WORTH_FORKING", 0)
        together = project.check(project.Request((".",), jobs=3), judge)
        assert any(finding.code == "D01" for finding in alone.findings)
        assert alone.counts.configs == 12
        for name in ("findings", "not_checked", "suppressed", "counts", "used"):
            assert getattr(together, name) == getattr(alone, name)

    @pytest.mark.usefixtures("folder")
    def test_that_end_early_are_told(self, monkeypatch):
        parent = os.getpid()

        def fragile(config):
            if os.getpid() != parent:
                os._exit(9)
            return judge(config)

        monkeypatch.setattr(project, "WORTH_FORKING", 0)
        result = project.check(project.Request((".",), jobs=2), fragile)
        broken = [finding for finding in result.findings if finding.code == engine.INTERNAL]
        assert len(broken) == 6
        assert "ended early" in broken[0].message

    def test_are_dealt_about_the_same_number_of_bytes(self):
        units = [project.Unit("nginx", (f"{number}.conf",)) for number in range(5)]
        hands = project._dealt(units, [5, 1, 4, 3, 3], 2)
        assert hands == [[units[0], units[4]], [units[2], units[3], units[1]]]

"""What the README shows is what its commands print."""

from __future__ import annotations

from pathlib import Path

from cli.running import lbcheck

ROOT = Path(__file__).parent.parent


def test_the_drawing_is_the_one_that_its_command_makes(tmp_path):
    drawing = tmp_path / "outage.svg"
    done = lbcheck(ROOT, "traffic", "fixtures/outage/before/haproxy.cfg", "-o", str(drawing))
    assert done.returncode == 0
    assert drawing.read_text() == (ROOT / "docs" / "outage.svg").read_text(), (
        "draw it again: lbcheck traffic fixtures/outage/before/haproxy.cfg -o docs/outage.svg"
    )
    assert "docs/outage.svg" in (ROOT / "README.md").read_text()

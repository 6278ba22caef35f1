"""F14 where its page does not go: who is silent, and which loss is told."""

from __future__ import annotations

import pytest

from lbcheck import project
from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.settings import from_text

POOL = """
lbcheck: v1
frontends:
  - {{name: web, listen: "127.0.0.1:8080", default_pool: app}}
pools:
  - name: app
    {demand}
    health_check: {{type: http, path: /health, interval: 2s, timeout: 1s, fall: 3}}
    servers:
{servers}
"""


def told(servers, demand="demand: 250", select="F14"):
    lines = "\n".join(f"      - {{address: '10.0.0.{at}:80', {words}}}" for at, words in enumerate(servers, 1))
    files = DiskFiles(memory={"lb.yaml": POOL.format(demand=demand, servers=lines)})
    judge = project.judge(from_text(f"select = ['{select}', 'D01']"))
    result = judge(dialect("native").read(["lb.yaml"], files)[0])
    return [(finding.code, finding.severity, finding.message) for finding in result.findings]


def test_the_worst_loss_is_told():
    ((code, severity, message),) = told(["weight: 2, capacity: 300", "weight: 1, capacity: 150"])
    assert (code, severity) == ("F14", "warning")
    assert message == (
        "without 10.0.0.1:80, server 10.0.0.2:80 of pool app would get 250 of 250 requests per second, "
        "more than the 150 that it can take"
    )


@pytest.mark.parametrize(
    "servers",
    [
        ["capacity: 125", "capacity: 125", "capacity: 125"],  # exactly enough
        ["capacity: 1000", "weight: 1"],  # one is not known
        ["capacity: 300"],  # alone: another defect
        ["capacity: 300", "capacity: 10, role: backup"],  # the backup's turn comes when no primary is left
        ["capacity: 250", "capacity: 250", "capacity: 1, state: down"],
    ],
)
def test_silent(servers):
    assert not told(servers)


def test_silent_without_a_demand():
    assert not told(["capacity: 1", "capacity: 1"], demand="")


def test_overload_while_all_are_up_is_d01s():
    assert [(code, severity) for code, severity, _ in told(["capacity: 100", "capacity: 100"])] == [("D01", "error")]


def test_a_line_for_several_servers_loses_one_of_them():
    settings = "hosts = {'app.test' = 3}\ndemand = [{frontend = '*', peak = 250}]\nselect = ['F14']"
    text = """events {}
http {
  upstream app {
    server app.test:80 weight=10; # lbcheck: capacity=100
    server 10.0.0.9:80; # lbcheck: capacity=100
  }
  server { listen 80; location / { proxy_pass http://app; } }
}"""
    judge = project.judge(from_text(settings))
    result = judge(dialect("nginx").read(["nginx.conf"], DiskFiles(memory={"nginx.conf": text}))[0])
    (message,) = [finding.message for finding in result.findings]
    assert message.startswith("without app.test:80, server app.test:80 of pool app would get 238 of 250 requests")
    assert "more than the 200" in message

"""Entries that stand for several machines: how much moves when their number changes."""

from __future__ import annotations

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, INGRESS, SERVICE


def manifests(replicas):
    return "---\n".join((SERVICE, DEPLOYMENT.replace("replicas: 3", f"replicas: {replicas}"), INGRESS))


@pytest.mark.parametrize(
    ("before", "after", "moved", "told"),
    [
        (4, 4, "0 % of the traffic moves", []),
        (4, 3, "25 % of the traffic moves", []),
        (4, 1, "75 % of the traffic moves", ["V01"]),
        (2, 4, "50 % of the traffic moves", []),
        (4, 0, "100 % of the traffic moves", ["V02"]),
    ],
)
def test_pods_are_servers(tmp_path, before, after, moved, told):
    for name, replicas in (("old.yaml", before), ("new.yaml", after)):
        (tmp_path / name).write_text(manifests(replicas))
    done = lbcheck(tmp_path, "diff", "old.yaml", "new.yaml")
    assert moved in done.stdout
    assert [code for code in ("V01", "V02") if code in done.stdout] == told
    assert done.returncode == bool(told)


def test_gate_holds_pods_against_the_limit(tmp_path):
    for name, replicas in (("old.yaml", 4), ("new.yaml", 2)):
        (tmp_path / name).write_text(manifests(replicas))
    (tmp_path / "lbcheck.toml").write_text("[gate]\nmoved = 0.25\n")
    done = lbcheck(tmp_path, "gate", "new.yaml", "--from", "old.yaml")
    assert done.stdout.startswith("NO-GO")
    assert "50 % of all requests go to other servers" in done.stdout

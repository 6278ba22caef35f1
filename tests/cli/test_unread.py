"""Runs in which nothing was read: templates and overlays by themselves are never called clean."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import INGRESS
from repos import put, repository

OVERLAY = "resources: [{base}]\nnamespace: prod\n"
BASE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
MANIFEST = "{{- range .Values.x }}\napiVersion: v1\nkind: Service\nmetadata: {name: {{ . }}\n{{- end }}\n"
NATIVE = "{{- range .Values.x }}\nlbcheck: v1\n pools: [ {{ . }}\n{{- end }}\n"


@pytest.mark.parametrize("command", ["check", "traffic", "gate"])
@pytest.mark.parametrize(
    ("name", "text", "more"),
    [
        ("kustomization.yaml", OVERLAY.format(base="../base"), []),
        ("service.yaml", MANIFEST, []),
        ("pools.yaml", NATIVE, ["--dialect", "native"]),
    ],
)
def test_nothing_was_read(tmp_path, command, name, text, more):
    (tmp_path / name).write_text(text)
    told = lbcheck(tmp_path, command, *more, name)
    assert told.returncode == 3, told.stdout
    assert not told.stdout.startswith("GO")


def test_an_overlay_with_its_base_is_checked(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "kustomization.yaml").write_text(OVERLAY.format(base="base.yaml"))
    assert lbcheck(tmp_path, "check", "kustomization.yaml").returncode == 0


def test_a_template_beside_what_was_read_is_counted_only(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "service.yaml").write_text(MANIFEST)
    told = lbcheck(tmp_path, "check", ".")
    assert told.returncode == 0
    assert "1 place not checked" in told.stdout


def gate(folder, *args):
    done = lbcheck(folder, "gate", *args, "--output-format", "json")
    return {stage["name"]: stage for stage in json.loads(done.stdout)["stages"]}


MISSING = "kustomization.yaml:1: ../base was not read"


def test_the_gate_names_the_base_that_is_missing(tmp_path):
    put(tmp_path, {"prod/kustomization.yaml": OVERLAY.format(base="../base")})
    stages = gate(tmp_path, "prod")
    for name, why in ("check", "no load balancer config in 1 file"), ("traffic", "no load balancer config was found"):
        assert stages[name]["outcome"] == "not_run"
        assert stages[name]["reasons"] == [why, f"prod/{MISSING}"]


def test_it_names_the_base_of_a_base(tmp_path):
    folder = repository(tmp_path / "project")
    put(folder, {"prod/kustomization.yaml": OVERLAY.format(base="../mid")})
    put(folder, {"mid/kustomization.yaml": OVERLAY.format(base="../base")})
    assert gate(folder, "prod")["check"]["reasons"][1:] == [f"mid/{MISSING}"]


def test_it_names_a_few_of_many(tmp_path):
    put(tmp_path, {"prod/kustomization.yaml": "resources: [a.yaml, b.yaml, c.yaml, d.yaml, e.yaml]\n"})
    reasons = gate(tmp_path, "prod")["check"]["reasons"]
    assert [reason.rpartition(": ")[2] for reason in reasons[1:4]] == [f"{name}.yaml was not read" for name in "abc"]
    assert reasons[4:] == ["and 2 more"]


def test_it_names_what_is_missing_beside_what_was_read(tmp_path):
    filters = "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: f}\n"
    overlay = "resources: [../base, web.yaml, filter.yaml]\n"
    put(tmp_path, {"prod/kustomization.yaml": overlay, "prod/web.yaml": BASE, "prod/filter.yaml": filters})
    evidence = gate(tmp_path, "prod")["check"]["evidence"]
    assert f"2 places not checked, among them prod/{MISSING}" in evidence


def test_diff_calls_nothing_removed_or_fixed_that_was_not_read(tmp_path):
    overlay = "resources: [base.yaml, ../edge/gateway.yaml]\n"
    put(tmp_path, {"old/kustomization.yaml": overlay, "old/base.yaml": BASE + "---\n" + INGRESS})
    put(tmp_path, {"new/kustomization.yaml": overlay})
    done = lbcheck(tmp_path, "diff", "old", "new", "--output-format", "json")
    told = json.loads(done.stdout)
    (pool,) = told["pools"]
    assert (pool["status"], pool["moved"]) == ("changed", None)
    assert "base.yaml was not read" in pool["reason"]
    assert (told["moved"], told["findings"]["fixed"]) == (None, [])

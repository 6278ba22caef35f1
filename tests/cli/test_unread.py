"""Runs in which nothing was read: templates and overlays by themselves are never called clean."""

from __future__ import annotations

import pytest
from cli.running import lbcheck

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

"""C10: which Envoy reads which bootstrap, and what its heap may be."""

from __future__ import annotations

import pytest

from lbcheck.context import Context
from lbcheck.dialects import kubernetes
from lbcheck.dialects.kubernetes.checks_heap import heap_beyond_limit
from lbcheck.files import DiskFiles

HEAP = """overload_manager:
  resource_monitors:
  - name: envoy.resource_monitors.fixed_heap
    typed_config: {max_heap_size_bytes: SIZE}
  actions:
  - name: envoy.overload_actions.stop_accepting_requests
    triggers: [{name: envoy.resource_monitors.fixed_heap, threshold: {value: AT}}]
static_resources: {}
"""
BARE = "static_resources: {}\n"
MAPS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edge}\ndata:\n  KEY: |\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: edge}
spec:
  selector: {matchLabels: {app: edge}}
  template:
    metadata: {labels: {app: edge}}
    spec:
      containers:
      - name: envoy
        image: envoyproxy/envoy:v1.31.0
        args: [-c, /etc/envoy/envoy.yaml]
        resources: {limits: {memory: 512Mi}}
        volumeMounts: [{name: config, mountPath: /etc/envoy}]
      volumes: [{name: config, configMap: {name: edge}}]
"""


def heap(size, at="0.95"):
    return HEAP.replace("SIZE", str(size)).replace("AT", at)


def found(bootstrap, deployment=DEPLOYMENT, key="envoy.yaml", *, apart=False):
    held = MAPS.replace("KEY", key) + "".join(f"    {line}\n" for line in bootstrap.splitlines())
    memory = {"map.yaml": held, "app.yaml": deployment} if apart else {"all.yaml": f"{held}---\n{deployment}"}
    configs = kubernetes.read(list(memory), DiskFiles(roots=["."], memory=memory))
    return [hit.severity or "error" for config in configs for hit in heap_beyond_limit(config, Context())]


@pytest.mark.parametrize(
    ("bootstrap", "severities"),
    [
        (heap(2**30), ["error"]),
        (heap(f'"{2**30}"'), ["error"]),
        (heap(2**30, "0.4"), []),
        (heap(450 * 2**20), []),
        (heap("SIZE_FROM_ELSEWHERE"), []),
        (BARE, ["info"]),
        ("overload_manager: {}\n" + BARE, []),
        ("node: {id: ${POD}}\n" + BARE, []),
        ("nothing: of Envoy\n", []),
        ("static_resources: [\n", []),
    ],
)
def test_heap_against_limit(bootstrap, severities):
    assert found(bootstrap) == severities


def test_the_map_may_be_in_a_file_of_its_own():
    assert found(heap(2**30), apart=True) == ["error"]


@pytest.mark.parametrize(
    ("old", "new", "key", "count"),
    [
        ("args: [-c, /etc/envoy/envoy.yaml]", "command: [envoy]", "envoy.yaml", 1),
        ("-c, /etc/envoy/envoy.yaml", "--config-path=/etc/envoy/own.yaml", "own.yaml", 1),
        ("-c, /etc/envoy/envoy.yaml", "--config-path=/etc/other/envoy.yaml", "envoy.yaml", 0),
        ("{name: edge}}]", "{name: edge, items: [{key: a, path: envoy.yaml}]}}]", "a", 1),
        ("mountPath: /etc/envoy", "mountPath: /etc/envoy/envoy.yaml, subPath: b", "b", 1),
        ("{name: edge}}]", "{name: another}}]", "envoy.yaml", 0),
        ("envoyproxy/envoy:v1.31.0", "docker.io/envoyproxy/envoy-contrib:v1.31.0", "envoy.yaml", 1),
        ("envoyproxy/envoy:v1.31.0", "envoyproxy/gateway:v1", "envoy.yaml", 0),
        ("memory: 512Mi", "memory: 2Gi", "envoy.yaml", 0),
        ("memory: 512Mi", "memory: 500M", "envoy.yaml", 1),
        ("memory: 512Mi", "memory: lots", "envoy.yaml", 0),
        ("memory: 512Mi", "cpu: 1", "envoy.yaml", 0),
        ("-c, /etc", "--config-yaml, '{}', -c, /etc", "envoy.yaml", 0),
        ("args: [-c, /etc/envoy/envoy.yaml]", "command: [sh, -c, envoy -c /etc/envoy/envoy.yaml]", "envoy.yaml", 0),
    ],
)
def test_the_bootstrap_is_the_one_that_is_mounted(old, new, key, count):
    assert old in DEPLOYMENT
    assert len(found(heap(2**30), DEPLOYMENT.replace(old, new), key)) == count

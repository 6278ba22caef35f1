"""Numbers, booleans and texts in YAML: read as the real Envoy reads them, and refused where it refuses them."""

from __future__ import annotations

import json
import urllib.request

import proxies
import pytest
import verdicts

from lbcheck.dialects import envoy
from lbcheck.files import DiskFiles

#: A field of each kind, and how it is found in a cluster.
FIELDS = {
    "whole number": (
        "circuit_breakers: {{thresholds: [{{max_connections: {}}}]}}",
        lambda one: one.message("circuit_breakers").messages("thresholds")[0].integer("max_connections"),
    ),
    "number": (
        "common_lb_config: {{healthy_panic_threshold: {{value: {}}}}}",
        lambda one: one.message("common_lb_config").percent("healthy_panic_threshold"),
    ),
    "boolean": ("ignore_health_on_host_removal: {}", lambda one: one.boolean("ignore_health_on_host_removal")),
    "text": ("alt_stat_name: {}", lambda one: one.text("alt_stat_name")),
}
SPELLINGS = [
    "9", "+9", "-1", "011", "08", "09", "-0", "00", "0x9", "0X1F", "+0x9", "0x", "0x_9", "0b11", "0o11", "1_0", "9.0",
    "9.5", "1.", ".5", "1e1", "0.5e1", "1e", "0x1p3", "010.5", "2147483648", "yes", "Yes", "YES", "yEs", "no", "No",
    "on", "oN", "off", "y", "N", "t", "F", "1", "0", "true", "tRUE", "False", "1:30", "Infinity", ".inf", "9L",
]  # fmt: skip
CASES = [(kind, written) for kind in FIELDS for one in SPELLINGS for written in (one, f"'{one}'")]


def bootstrap(*fields, head=()):
    lines = [f"  - {{name: c{at}, type: STATIC, connect_timeout: 1s, {field}}}" for at, field in enumerate(fields)]
    return "\n".join([*head, "static_resources:", "  clusters:", *lines, ""])


def filled(kind, written):
    return FIELDS[kind][0].format(written)


def lowered(text):
    (config,) = envoy.read(["envoy.yaml"], DiskFiles(memory={"envoy.yaml": text}))
    return config


def refused(kind, written):
    return [hit.code for hit in lowered(bootstrap(filled(kind, written))).hits] == ["E09"]


def value(kind, written):
    """Return the value as read; None where that is nothing, or what the field has anyway."""
    (cluster,) = lowered(bootstrap(filled(kind, written))).tree.clusters
    found = FIELDS[kind][1](cluster)
    return None if found is None or not found.value else found.value


def dumped(one, kind):
    """Return the same of a cluster in Envoy's dump of its configuration."""
    found = {
        "whole number": lambda: one["circuit_breakers"]["thresholds"][0].get("max_connections"),
        "number": lambda: one["common_lb_config"].get("healthy_panic_threshold", {}).get("value"),
        "boolean": lambda: one.get("ignore_health_on_host_removal"),
        "text": lambda: one.get("alt_stat_name"),
    }[kind]()
    return found or None


@pytest.mark.skipif(proxies.ENVOY is None, reason="no Envoy")
def test_values(tmp_path):
    taken = [case for case in CASES if not refused(*case)]
    port = proxies.free_port()
    admin = f"admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}"
    text = bootstrap(*(filled(*case) for case in taken), head=[admin])
    with (
        proxies.envoy(tmp_path, text, port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/config_dump", timeout=10) as answer,
    ):
        dump = json.load(answer)
    clusters = {
        one["cluster"]["name"]: one["cluster"] for part in dump["configs"] for one in part.get("static_clusters", ())
    }
    found = {case: dumped(clusters[f"c{at}"], case[0]) for at, case in enumerate(taken)}
    assert found == {case: value(*case) for case in taken}
    assert len(taken) > len(CASES) / 3


@pytest.mark.skipif(proxies.ENVOY is None, reason="no Envoy")
@pytest.mark.parametrize("kind", FIELDS)
def test_refusals(tmp_path, kind):
    wrong = [case for case in CASES if case[0] == kind and refused(*case)]
    assert wrong
    for case in wrong:
        accepted, _ = verdicts.verdict("envoy", {"envoy.yaml": bootstrap(filled(*case))}, tmp_path)
        assert not accepted, case


@pytest.mark.parametrize(
    ("written", "policy"), [("0x2", "ring_hash"), ("'0x2'", None), ("02", "ring_hash"), ("yes", None)]
)
def test_enums(tmp_path, written, policy):
    text = bootstrap(f"lb_policy: {written}")
    config = lowered(text)
    assert [hit.code for hit in config.hits] == ([] if policy else ["E09"])
    if policy:
        assert config.pools[0].algorithm.name == policy
    if proxies.ENVOY is not None:
        assert verdicts.verdict("envoy", {"envoy.yaml": text}, tmp_path)[0] == (policy is not None)

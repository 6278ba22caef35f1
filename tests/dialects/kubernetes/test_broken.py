"""Broken and hostile manifests: an answer in little time, whatever the text."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

RULES = Path(__file__).parents[3] / "rules"
BLOCKS = [
    block
    for page in sorted(RULES.glob("K*.md"))
    for block in re.findall(r"```kubernetes[^\n]*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
WORDS = ["null", "[]", "{}", "-1", "0", "99999999999999999999", "'*'", "~", "true", "1.5", "'${X}'", "&a", "*a"]
WORDS += ["{{x}}", "[[a]]", "{a:{b:c}}", "é", "''", "[null]"]


def answered(text):
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    for complete in (frozenset(), frozenset("*")):
        settings = Settings()
        settings.complete_namespaces = complete
        findings = judge(settings)(config).findings
        assert [finding.message for finding in findings if finding.code == "E00"] == []
    traffic(config, Scenario())
    list(config.blocks())
    assert config.world.services is not None
    return config, findings


def mutated(text, chance):
    lines = text.split("\n")
    for _ in range(chance.randint(1, 10)):
        at = chance.randrange(len(lines))
        key = lines[at].split(":")[0]
        change = chance.randrange(5)
        if change == 0:
            del lines[at]
            lines = lines or [""]
        elif change == 1:
            lines[at] = f"{key}: {chance.choice(WORDS)}"
        elif change == 2:
            lines.insert(at, chance.choice(lines))
        elif change == 3:
            lines[at] = key + ":"
        else:
            lines[at] = chance.choice(["  " + lines[at], lines[at][1:]])
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(10))
def test_mutated_manifests_are_read_to_the_end(seed):
    chance = random.Random(seed)
    for _ in range(60):
        answered(mutated("---\n".join(chance.sample(BLOCKS, 2)), chance))


SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{0}}}\n"
    "spec: {{selector: {{app: {1}}}, ports: [{{port: 80}}]}}\n"
)
WORKLOAD = (
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{0}}}\n"
    "spec: {{template: {{metadata: {{labels: {{app: {1}}}}}, spec: {{containers: [{{name: a}}]}}}}}}\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "".join(SERVICE.format(at, f"left{at}") + WORKLOAD.format(at, f"right{at}") for at in range(1000)),
        "".join(SERVICE.format(at, "one") + WORKLOAD.format(at, "one") for at in range(400)),
        SERVICE.format(0, "a") + "---\n" * 10_000,
        "apiVersion: v1\nkind: List\nitems:\n" + "- {kind: List, items: [" * 150,
        "apiVersion: v1\nkind: Service\nspec:\n  a: &a [x, x]\n" + "".join(
            f"  {chr(98 + at)}: &{chr(98 + at)} [*{chr(97 + at)}, *{chr(97 + at)}]\n" for at in range(20)
        ),
        "apiVersion: v1\nkind: Service\nspec: &a\n  <<: *a\n",
        "apiVersion: v1\nkind: Service\nspec: !!python/object:os.system {ports: !!binary aaaa}\n",
        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: " + "9" * 5000 + "}]}\n",
        "kind: Service\n" * 50_000 + "apiVersion: v1\n",
    ],
    ids=["unmatched", "all-alike", "documents", "depth", "aliases", "merge-loop", "tags", "huge-number", "duplicates"],
)  # fmt: skip
def test_hostile_manifests_take_little_time(text):
    begun = time.process_time()
    answered(text)
    assert time.process_time() - begun < 2


def test_more_pods_than_can_be_counted():
    """`replicas: 99999999999999999999` made `lbcheck traffic` count them."""
    workload = WORKLOAD.format(0, "a").replace("{template", "{replicas: 2000000000, template")
    config, _ = answered(SERVICE.format(0, "a").replace("{selector", "{type: NodePort, selector") + workload)
    assert [pool.open for pool in config.pools] == ["Deployment d0 is to have more than 100,000 pods"]

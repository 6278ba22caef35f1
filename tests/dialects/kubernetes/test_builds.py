"""Kustomizations: what they make of objects, held against what `kubectl kustomize` prints, and what is not known."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
import yaml
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, INGRESS, ROUTE, SERVICE, VIRTUAL, codes, found, joined, load

from lbcheck.dialects import kubernetes
from lbcheck.dialects.kubernetes import builds
from lbcheck.dialects.kubernetes.ingress import paths
from lbcheck.dialects.kubernetes.kustomize import Targets
from lbcheck.dialects.kubernetes.pods import autoscaled
from lbcheck.files import DiskFiles

kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {x: y}}\n"
SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 9}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, maxUnavailable: 1}
"""
ROLLOUT = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout")
ALONE = "apiVersion: v1\nkind: Service\nmetadata: {name: alone}\nspec: {ports: [{port: 80}]}\n"
ALL = joined(SERVICE, DEPLOYMENT, INGRESS, NAMESPACE, SCALER, BUDGET, ROLLOUT, ROUTE, VIRTUAL, ALONE)
BASE = "resources: [all.yaml]\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"

LAYOUTS = {
    "namespace": {"kustomization.yaml": "namespace: shop\nresources: [all.yaml]\n", "all.yaml": ALL},
    "prefix and suffix": {"kustomization.yaml": "namePrefix: a-\nnameSuffix: -z\n" + BASE, "all.yaml": ALL},
    "two levels": {
        "kustomization.yaml": "namePrefix: out-\nnamespace: shop\nresources: [in]\nreplicas: [{name: web, count: 5}]\n",
        "in/kustomization.yaml": "namePrefix: in-\nnamespace: base\nreplicas: [{name: web, count: 2}]\n" + BASE,
        "in/all.yaml": ALL,
    },
    "a number by the name between": {
        "kustomization.yaml": "namePrefix: out-\nresources: [in]\nreplicas: [{name: in-web, count: 7}]\n",
        "in/kustomization.yaml": "namePrefix: in-\n" + BASE,
        "in/all.yaml": ALL,
    },
    "a number by a name that comes later": {
        "kustomization.yaml": "namePrefix: out-\nresources: [in]\nreplicas: [{name: out-web, count: 7}]\n",
        "in/kustomization.yaml": BASE,
        "in/all.yaml": ALL,
    },
    "common labels": {"kustomization.yaml": "commonLabels: {app: shop, team: x}\n" + BASE, "all.yaml": ALL},
    "labels": {
        "kustomization.yaml": "labels:\n- {pairs: {a: b}, includeSelectors: true}\n"
        "- {pairs: {c: d}, includeTemplates: true}\n- {pairs: {e: f}}\n" + BASE,
        "all.yaml": ALL,
    },
    "labels of both": {
        "kustomization.yaml": "commonLabels: {team: out}\nresources: [in]\n",
        "in/kustomization.yaml": "commonLabels: {team: in, app: in}\n" + BASE,
        "in/all.yaml": ALL,
    },
    "a component": {
        "kustomization.yaml": "namePrefix: p-\nresources: [all.yaml]\ncomponents: [part]\n",
        "all.yaml": ALL,
        "part/kustomization.yaml": COMPONENT
        + "nameSuffix: -c\nreplicas: [{name: web, count: 4}]\nresources: [more.yaml]\n",
        "part/more.yaml": INGRESS.replace("{name: web}", "{name: more}", 1).replace("a.example", "b.example"),
    },
    "a reference across": {
        "kustomization.yaml": "namePrefix: p-\nresources: [in, ingress.yaml]\n",
        "ingress.yaml": INGRESS,
        "in/kustomization.yaml": "nameSuffix: -q\nresources: [web.yaml]\n",
        "in/web.yaml": joined(SERVICE, DEPLOYMENT),
    },
}


def ours(folder):
    """Return what we make of the objects below a folder."""
    (config,) = kubernetes.read([str(folder / "kustomization.yaml")], DiskFiles(roots=[str(folder)]))
    cluster = config.tree.cluster
    pods = {id(one.owner): one for one in config.tree.graph.pods}
    found = {}
    for one in cluster.objects:
        facts = [one.selector if one.kind == "Service" else None]
        if id(one) in pods:
            facts.append(pods[id(one)].labels)
        if one.is_a("apps", "Deployment"):
            facts.append(one.count.value if one.count else one.spec.integer("replicas"))
        if one.kind == "Ingress":
            facts.append([path.backend.service for path in paths(one)])
        if one.kind == "Namespace":
            facts.append(one.labels)
        found[one.kind, "" if one.kind == "Namespace" else one.namespace, one.name] = facts
    return found, {name for _, _, name in autoscaled(cluster)}


def theirs(folder):
    """Return the same of what kubectl prints."""
    printed = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True).stdout
    found, scaled = {}, set()
    for one in yaml.safe_load_all(printed):
        kind, meta, spec = one["kind"], one["metadata"], one.get("spec", {})
        facts = [spec.get("selector", {}) if kind == "Service" else None]
        if "template" in spec:
            facts.append(spec["template"]["metadata"]["labels"])
        if kind == "Deployment":
            facts.append(spec.get("replicas"))
        if kind == "Ingress":
            facts.append([path["backend"]["service"]["name"] for path in spec["rules"][0]["http"]["paths"]])
        if kind == "Namespace":
            facts.append(meta["labels"])
        if kind == "HorizontalPodAutoscaler":
            scaled.add(spec["scaleTargetRef"]["name"])
        found[kind, "" if kind == "Namespace" else meta.get("namespace", "default"), meta["name"]] = facts
    return found, scaled


@kubectl
@pytest.mark.parametrize("name", LAYOUTS)
def test_as_kubectl_does(name, tmp_path):
    for path, text in LAYOUTS[name].items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert ours(tmp_path) == theirs(tmp_path)


class TestUnknown:
    """What is not followed is counted as not checked, and nothing is said of the objects that it touches."""

    def judged(self, kustomization, **texts):
        config = load("kustomization.yaml", kustomization_yaml=kustomization + "resources: [web.yaml]\n", **texts)
        return codes(config), [place.reason.split(":")[0] for place in config.unmodelled]

    @pytest.mark.parametrize(
        ("patch", "expected"),
        [
            ("{path: web.patch.yaml}", []),
            ("{path: gone.yaml}", []),
            ("{path: ops.yaml, target: {kind: Service, name: web}}", []),
            ("{patch: '[]', target: {kind: Serv.*, name: w.b}}", []),
            ("{patch: '[]', target: {name: (web|shop)}}", []),
            ("{patch: '[]', target: {labelSelector: app=web}}", []),
            ("{patch: '[]', target: {kind: Service, name: webb}}", [("K01", "error")]),
            ("{patch: '[]', target: {kind: Service, name: x.*b}}", [("K01", "error")]),
            ("{patch: '[]', target: {kind: Deployment}}", [("K01", "error")]),
        ],
    )
    def test_patches(self, patch, expected):
        slip = joined(SERVICE.replace("app: web", "app: webb"), DEPLOYMENT)
        partial = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}}\n"
        found, reasons = self.judged(f"patches: [{patch}]\n", web_yaml=slip, **{"web.patch_yaml": partial})
        if "kind: Deployment" in patch:  # the pods that are patched may have the label
            expected = []
        assert (found, reasons) == (expected, ["patches"])

    @pytest.mark.parametrize("key", ["transformers", "replacements", "configurations"])
    def test_what_may_change_anything(self, key):
        slip = joined(SERVICE.replace("app: web", "app: webb"), DEPLOYMENT)
        assert self.judged(f"{key}: [x.yaml]\n", web_yaml=slip) == ([], [key])

    def test_patches_of_one_build_leave_others_alone(self):
        slip = joined(SERVICE.replace("app: web", "app: webb"), DEPLOYMENT)
        config = load(
            a__kustomization_yaml="resources: [a.yaml]\npatches: [{patch: '[]', target: {kind: Service}}]\n",
            b__kustomization_yaml="namespace: b\nresources: [b.yaml]\n",
            a__a_yaml=slip,
            b__b_yaml=slip,
        )
        assert codes(config) == [("K01", "error")]

    def test_numbers_that_differ_between_builds(self):
        config = load(
            dev__kustomization_yaml="namespace: dev\nresources: [../base]\nreplicas: [{name: web, count: 1}]\n",
            prod__kustomization_yaml="namespace: prod\nresources: [../base]\nreplicas: [{name: web, count: 9}]\n",
            base__kustomization_yaml="resources: [web.yaml]\n",
            base__web_yaml=joined(INGRESS, SERVICE, DEPLOYMENT),
        )
        assert [pool.open for pool in config.pools] == [
            "each kustomization says in its own way how many pods Deployment web has"
        ]
        assert [place.reason for place in config.unmodelled] == [
            "the numbers of pods that several kustomizations give its objects"
        ]

    def test_references_that_kustomize_does_not_follow_are_broken(self):
        """Names in objects of the Gateway API stay, so that the Service of that name is gone; a later one may go on."""
        config = load(
            kustomization_yaml="namePrefix: p-\nresources: [web.yaml]\n",
            web_yaml=joined(SERVICE, DEPLOYMENT, ROUTE.replace("name: old", "name: web")),
        )
        told = [finding for finding in found(config, "*") if finding.code == "K11" and "kustom" in finding.message]
        assert [finding.severity for finding in told] == ["info"]
        assert "the kustomization makes it p-web: kustomize 5.5 leaves this reference as it is" in told[0].message
        assert told[0].help == "see what your kustomize prints, or write p-web"

    def test_ways_beyond_the_limit(self, monkeypatch):
        monkeypatch.setattr(builds, "_MOST", 2)
        slip = joined(SERVICE.replace("app: web", "app: webb"), DEPLOYMENT)
        config = load(
            kustomization_yaml="resources: [a, b]\n",
            a__kustomization_yaml="resources: [../c]\n",
            b__kustomization_yaml="resources: [../c]\n",
            c__kustomization_yaml="resources: [web.yaml]\n",
            c__web_yaml=slip,
        )
        assert codes(config) == []


def test_many_ways_end_soon():
    """Each level takes the next one twice: 2^30 ways."""
    texts = {"l30__kustomization_yaml": "resources: [web.yaml]\n", "l30__web_yaml": SERVICE}
    for level in range(30):
        sides = "".join(f", ../{side}{level}" for side in "ab")
        texts[f"l{level}__kustomization_yaml"] = f"resources: [{sides[2:]}]\n"
        for side in "ab":
            texts[f"{side}{level}__kustomization_yaml"] = f"resources: [../l{level + 1}]\nnamePrefix: {side}-\n"
    config = load("l0/kustomization.yaml", **texts)
    assert all(one.patched for one in config.tree.cluster.objects)
    assert config.unmodelled != []


@pytest.mark.parametrize(("name", "silent"), [("x{}", False), ("x.*{}", True)])
def test_many_patches_and_many_objects(name, silent):
    patches = "".join(f"- {{patch: '[]', target: {{kind: Service, name: {name.format(at)}}}}}\n" for at in range(5_000))
    slip = [SERVICE.replace("{name: web}", f"{{name: s{at}}}") for at in range(3_000)]
    start = time.process_time()
    config = load(
        "kustomization.yaml",
        kustomization_yaml=f"resources: [web.yaml]\npatches:\n{patches}",
        web_yaml=joined(*slip),
    )
    assert all(one.patched is silent for one in config.tree.cluster.objects)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("pattern", "name", "may"),
    [
        ("web", "web", True),
        ("web", "web-1", False),
        ("web.*", "web-1", True),
        (".*-1", "web-1", True),
        ("a.*b.*a", "aba", True),
        ("a.*b.*a", "ab", False),
        ("aa.*a", "aa", False),
        ("w.b", "xyz", True),  # more than is read: it may be any
        ("(a+)+$", "aaaa", True),
    ],
)
def test_patterns_of_targets(pattern, name, may):
    targets = Targets()
    targets.add("Service", pattern)
    assert targets.take("Service", name) is may
    assert targets.take("Deployment", name) is False


def test_a_prefix_beyond_all_names():
    config = load(
        "kustomization.yaml", kustomization_yaml=f"namePrefix: {'x' * 999}\nresources: [web.yaml]\n", web_yaml=SERVICE
    )
    assert [(one.name, one.patched) for one in config.tree.cluster.objects] == [("web", True)]

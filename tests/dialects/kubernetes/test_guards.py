"""Policies that refuse requests before a pod takes them: counted as not checked where they guard pods of a pool."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_before_pods import ISTIO
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, INGRESS, SERVICE, joined, load

NETWORK = "whose connections a NetworkPolicy lets through to the pods"
REQUESTS = "requests that an AuthorizationPolicy refuses before they reach a pod"
TOKENS = "requests whose token a RequestAuthentication refuses"
APIS = {
    "NetworkPolicy": "networking.k8s.io/v1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "RequestAuthentication": "security.istio.io/v1",
}


def policy(kind, spec, namespace="default", more=""):
    meta = f"{{name: guard, namespace: {namespace}{more}}}"
    return f"apiVersion: {APIS[kind]}\nkind: {kind}\nmetadata: {meta}\nspec: {spec}\n"


def reasons(*documents):
    return [note.reason for note in load(a_yaml=joined(*documents)).unmodelled]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{podSelector: {}, policyTypes: [Ingress]}", True),
        ("{podSelector: {}}", True),
        ("{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}", True),
        ("{podSelector: {matchExpressions: [{key: app, operator: Exists}]}}", True),
        ("{podSelector: {}, policyTypes: [Ingress, Egress]}", True),
        ("{podSelector: {}, policyTypes: [Egress]}", False),
        ("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {}]}", False),
        ("{podSelector: {matchLabels: {app: other}}}", False),
    ],
)
def test_network_policies(spec, told):
    assert reasons(SERVICE, DEPLOYMENT, INGRESS, policy("NetworkPolicy", spec)) == [NETWORK] * told


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{}", True),
        ("{rules: [{from: [{source: {namespaces: [front]}}]}]}", True),
        ("{selector: {matchLabels: {app: web}}}", True),
        ("{selector: {matchLabels: {istio: ingressgateway}}}", True),
        ("{targetRefs: [{kind: Service, group: '', name: web}]}", True),
        ("{action: DENY, rules: [{}]}", True),
        ("{action: CUSTOM, provider: {name: x}, rules: [{to: [{operation: {paths: [/admin]}}]}]}", True),
        ("{rules: [{}]}", False),
        ("{action: DENY}", False),
        ("{action: AUDIT, rules: [{to: [{operation: {paths: [/admin]}}]}]}", False),
        ("{selector: {matchLabels: {app: other}}}", False),
        ("{targetRefs: [{kind: Service, group: '', name: other}]}", False),
    ],
)
def test_authorization_policies(spec, told):
    assert reasons(ISTIO, policy("AuthorizationPolicy", spec)) == [REQUESTS] * told


def test_a_dry_run_refuses_nothing():
    dry = ", annotations: {istio.io/dry-run: 'true'}"
    assert reasons(ISTIO, policy("AuthorizationPolicy", "{}", more=dry)) == []
    assert reasons(ISTIO, policy("AuthorizationPolicy", "{}", more=dry.replace("true", "false"))) == [REQUESTS]


@pytest.mark.parametrize(
    ("spec", "told"),
    [("{jwtRules: [{issuer: x}]}", True), ("{}", False), ("{jwtRules: [], selector: {matchLabels: {app: x}}}", False)],
)
def test_request_authentications(spec, told):
    assert reasons(ISTIO, policy("RequestAuthentication", spec)) == [TOKENS] * told


@pytest.mark.parametrize(("namespace", "told"), [("default", True), ("other", False), ("istio-system", True)])
def test_a_policy_of_the_root_namespace_holds_everywhere(namespace, told):
    assert reasons(ISTIO, policy("AuthorizationPolicy", "{}", namespace)) == [REQUESTS] * told
    assert reasons(SERVICE, DEPLOYMENT, INGRESS, policy("NetworkPolicy", "{}", "istio-system")) == []


def test_pods_that_no_pool_has_are_nobodys_matter():
    assert reasons(DEPLOYMENT, SERVICE, policy("NetworkPolicy", "{}")) == []


def test_diff_and_check_say_so(tmp_path):
    old = joined(SERVICE, DEPLOYMENT, INGRESS)
    (tmp_path / "old.yaml").write_text(old)
    (tmp_path / "new.yaml").write_text(joined(old, policy("NetworkPolicy", "{podSelector: {}}")))
    assert f"new.yaml:36: {NETWORK}" in lbcheck(tmp_path, "diff", "old.yaml", "new.yaml", "--isolated").stdout
    assert "in the parts that were checked" in lbcheck(tmp_path, "check", "new.yaml", "--isolated").stdout


def test_a_policy_alone_is_no_clean_config(tmp_path):
    (tmp_path / "a.yaml").write_text(policy("NetworkPolicy", "{podSelector: {}}"))
    done = lbcheck(tmp_path, "check", ".", "--isolated", "--output-format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["findings"]) == (3, [])
    assert [note["reason"] for note in found["not_checked"]] == [NETWORK]
